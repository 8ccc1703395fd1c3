"""`cargo-runbook diagnose`: the cause, with its chain, for one environment or several."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cargo_runbook.cli.choice import ReplayOption, SomeEnvironmentsOption, chosen_environments, worst
from cargo_runbook.cli.console import InventoryOption, JsonOption, ReportsOption, complain, print_json, tell
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import CHECKS, Diagnosis, diagnosis_to_json
from cargo_runbook.observations import Observation

if TYPE_CHECKING:
    from cargo_runbook.cli.bars import Bars

_AT_ONCE = 8

_Outcome = tuple[Diagnosis, tuple[Observation, ...]] | RunbookError

_HELP = tell(
    """Find the cause. Nothing is changed anywhere.

\b
Examples:
  cargo-runbook diagnose --env prod-1
  cargo-runbook diagnose --env 'prod-*' --json
  cargo-runbook diagnose --env prod-1 --image devops_test/node:1 --account jane --action push
  cargo-runbook diagnose --env cargo --replay wrong-domain
  cargo-runbook diagnose --from RECORD     sealed evidence, rules of today

Exit code: 0 healthy, 1 fault found, 2 wrong usage or configuration, 3 could not tell.
""",
    """查找故障原因。只读，不做任何修改。

\b
示例：
  cargo-runbook diagnose --env prod-1
  cargo-runbook diagnose --env 'prod-*' --json
  cargo-runbook diagnose --env prod-1 --image devops_test/node:1 --account jane --action push
  cargo-runbook diagnose --env cargo --replay wrong-domain
  cargo-runbook diagnose --from 记录       封存的证据，当前的规则

退出码：0 正常，1 有故障，2 用法或配置错误，3 无法判断。
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("diagnose", help=_HELP)(diagnose)


ImageOption = Annotated[
    str,
    typer.Option(
        "--image",
        metavar=tell("REPOSITORY:TAG", "仓库:标签"),
        help=tell("Look for this image instead of the inventory's.", "检查该镜像，而不是清单中的镜像。"),
    ),
]
AccountOption = Annotated[
    str,
    typer.Option(
        "--account",
        metavar=tell("NAME", "账号"),
        help=tell(
            "The account that it is about; docker-config is whoever docker is logged in as.",
            "相关账号；docker-config 表示 docker 当前登录的用户。",
        ),
    ),
]
ActionOption = Annotated[str, typer.Option("--action", metavar="pull|push", help=tell("What fails.", "失败的操作。"))]


FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar=tell("RECORD", "记录"),
        help=tell(
            "Judge the sealed evidence of this record by the rules of today, and say what differs.",
            "用当前的规则重新判断该记录中封存的证据，并指出差异。",
        ),
        show_default=False,
    ),
]


def diagnose(
    env: SomeEnvironmentsOption = None,
    as_json: JsonOption = False,
    image: ImageOption = "",
    account: AccountOption = "",
    action: ActionOption = "",
    inventory: InventoryOption = None,
    replay: ReplayOption = "",
    from_record: FromOption = "",
    reports: ReportsOption = None,
) -> None:
    """Diagnoses the chosen environments at the same time, or one record again."""
    if from_record:
        if env or image or account or action:
            raise UsageError(
                tell(
                    "a record has its environment and what was asked for in it: give --from alone",
                    "记录中已包含环境和检查内容：请单独使用 --from",
                )
            )
        _judge_again(from_record, reports, as_json)
    if not env:
        raise UsageError(
            tell("no environment is named", "没有指定环境"),
            next_step=tell("Name it with --env, or a record with --from.", "用 --env 指定环境，或用 --from 指定记录。"),
        )
    # Late: rich and the connections take their time to import, and other commands would pay for it.
    from cargo_runbook.cli.bars import bars

    names = chosen_environments(env, inventory, replay)
    wanted = {"image": image, "account": account, "action": action}
    with bars(names) as shown, ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda name: _look(name, inventory, replay, shown, **wanted), names))
    errors = [outcome for outcome in outcomes if isinstance(outcome, RunbookError)]
    if errors and len(names) == 1:
        raise errors[0]
    done = [outcome for outcome in outcomes if not isinstance(outcome, RunbookError)]
    if as_json:
        bodies = [diagnosis_to_json(diagnosis) for diagnosis, _ in done]
        print_json(bodies if len(names) > 1 else bodies[0])
    else:
        _print(done, replay)
    for error in errors:
        complain(str(error))
    codes = [diagnosis.status.exit_code for diagnosis, _ in done]
    raise typer.Exit(worst([*codes, *(error.exit_code for error in errors)]))


def _look(name: str, inventory: Path | None, replay: str, shown: Bars, **wanted: Any) -> _Outcome:
    from cargo_runbook.investigation import open_investigation

    done = 0

    def progress(_check: str) -> None:
        nonlocal done
        done += 1
        shown.move(name, done, len(CHECKS))

    try:
        with open_investigation(name, inventory=inventory, replay=replay, **wanted) as investigation:
            diagnosis = investigation.diagnose(progress)
            evidence = investigation.evidence
    except RunbookError as error:
        # One environment that can't be looked at says nothing about the others.
        shown.end(name, "failed")
        return error
    shown.end(name, str(diagnosis.status))
    return diagnosis, evidence


def _judge_again(record: str, reports: Path | None, as_json: bool) -> NoReturn:
    from cargo_runbook.archive.reading.records import find_record
    from cargo_runbook.archive.reading.rejudge import judge_again
    from cargo_runbook.archive.record import reports_folder

    judged = judge_again(find_record(reports_folder(reports), record))
    if as_json:
        told = judged.to_json()
        differs = {"differs": told["differs"], "before": told["before"], "changed_findings": told["findings"]}
        print_json({**diagnosis_to_json(judged.now), "from": judged.record, **differs})
    else:
        _print([(judged.now, judged.evidence)])
        print()
        if judged.before is None:
            print(tell("The run of that day ended without a verdict.", "当时的运行没有得出结论。"))
        elif judged.differs:
            causes = ", ".join(judged.before.root_causes) or "-"
            changed = ", ".join(dict.fromkeys(change.code for change in judged.changes)) or "-"
            print(tell(f"Differs from the verdict of that day: {judged.before.status}, {causes}; changed: {changed}",
                       f"与当时的结论不同：{judged.before.status}，{causes}；变化：{changed}"))  # fmt: skip
        else:
            print(tell("The same as the verdict of that day.", "与当时的结论相同。"))
    raise typer.Exit(judged.now.status.exit_code)


def _print(done: Sequence[tuple[Diagnosis, tuple[Observation, ...]]], replay: str = "") -> None:
    if not done:
        return
    from cargo_runbook.views.terminal import next_steps, show, verdict_card, verdict_table

    diagnoses = [diagnosis for diagnosis, _ in done]
    show(verdict_table(diagnoses))
    for diagnosis, evidence in done:
        print()
        show(verdict_card(diagnosis, evidence))
    if any(diagnosis.status.exit_code for diagnosis in diagnoses):
        print()
        show(next_steps(diagnoses, replay=replay))
