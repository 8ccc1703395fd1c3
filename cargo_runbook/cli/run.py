"""`cargo-runbook run`: execute a runbook without anybody at it, and keep the record."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from cargo_runbook.archive.record import INCIDENT_VARIABLE, reports_folder
from cargo_runbook.cli.choice import EnvironmentsOption, ReplayOption, RunbookArgument, chosen_environments, worst
from cargo_runbook.cli.console import (
    InventoryOption,
    JsonOption,
    ReportsOption,
    SignKeyOption,
    complain,
    print_field,
    print_json,
    tell,
)
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.execution.runbooks import find_runbook, read_parameters
from cargo_runbook.execution.watch import Watch
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import HEALTH, near, one_line, replayed

if TYPE_CHECKING:
    from cargo_runbook.cli.bars import Bars
    from cargo_runbook.execution.run import RunResult
    from cargo_runbook.secret import Secret

_AT_ONCE = 4

_HELP = tell(
    """Execute a runbook for one environment or several; each run leaves a record.

\b
Examples:
  cargo-runbook run 00_triage --env prod-1
  cargo-runbook run 00_triage --env 'prod-*' --reports /srv/records --json
  cargo-runbook run 00_triage --env prod-1 -p image=library/redis:latest
  cargo-runbook run 00_triage --env prod-1 --incident INC-42

Exit code: 0 healthy, 1 fault found, 2 wrong usage or configuration, 3 could not tell or the run failed.
""",
    """对一个或多个环境执行 Runbook，每次运行都会留下记录。

\b
示例：
  cargo-runbook run 00_triage --env prod-1
  cargo-runbook run 00_triage --env 'prod-*' --reports /srv/records --json
  cargo-runbook run 00_triage --env prod-1 -p image=library/redis:latest
  cargo-runbook run 00_triage --env prod-1 --incident INC-42

退出码：0 正常，1 有故障，2 用法或配置错误，3 无法判断或运行失败。
""",
)


IncidentOption = Annotated[
    str,
    typer.Option(
        "--incident",
        metavar="ID",
        envvar=INCIDENT_VARIABLE,
        help=tell("The incident that the records belong to.", "记录所属的事件。"),
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run", help=_HELP)(run)


def run(
    runbook: RunbookArgument,
    env: EnvironmentsOption,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="KEY=VALUE", help=tell("Parameter of the runbook.", "Runbook 的参数。")
        ),
    ] = None,
    incident: IncidentOption = "",
    sign_key: SignKeyOption = None,
    reports: ReportsOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
    replay: ReplayOption = "",
) -> None:
    """Runs the chosen environments side by side."""
    # Late: what runs notebooks takes half a second to import, and every other command would pay for it.
    from cargo_runbook.cli.bars import bars
    from cargo_runbook.execution.run import RunResult, run_notebook

    # Mistakes that concern every run are told once, before the first one.
    parameters = parameters_from(parameter)
    read_parameters(find_runbook(runbook), parameters)
    names = chosen_environments(env, inventory, replay)
    folder = reports_folder(reports)
    watches = {name: Watch() for name in names}

    def one(name: str, shown: Bars) -> RunResult | RunbookError:
        try:
            result = run_notebook(
                runbook,
                name,
                inventory=inventory,
                reports=folder,
                parameters=parameters,
                replay=replay,
                progress=lambda done, total: shown.move(name, done, total),
                watch=watches[name],
                incident=incident,
                sign_key=sign_key,
            )
        except RunbookError as error:
            shown.end(name, "failed")
            return error
        shown.end(name, result.status)
        return result

    with (
        bars(names) as shown,
        stopping(*watches.values()) as stopped,
        ThreadPoolExecutor(max_workers=_AT_ONCE) as pool,
    ):
        outcomes = list(pool.map(lambda name: one(name, shown), names))
    results = [outcome for outcome in outcomes if isinstance(outcome, RunResult)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, RunbookError)]
    if errors and len(names) == 1:
        raise errors[0]
    if as_json:
        bodies = [result.to_json() for result in results]
        print_json(bodies if len(names) > 1 else bodies[0])
    else:
        _print(results)
    for error in errors:
        complain(str(error))
    if stopped:
        raise typer.Exit(128 + stopped[0])
    raise typer.Exit(worst([o.exit_code for o in outcomes]))


class Stoppable(Protocol):
    """What can be ended so that what is true until then is kept."""

    def stop(self, why: Text) -> None: ...


@contextmanager
def stopping(*runs: Stoppable) -> Iterator[list[int]]:
    """Ctrl-C, SIGTERM and a closed terminal stop the runs, so that each still leaves a true record."""
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        name = signal.Signals(number).name
        for run in runs:
            run.stop(Text(f"stopped by {name}", f"被 {name} 中断"))

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parameters_from(pairs: Sequence[str] | None, *, resolve: bool = True) -> dict[str, str | Secret]:
    """Parameters as they are given to `-p`.

    Args:
        resolve: give what references lead to; else the references, for a machine that resolves them itself.

    Raises:
        UsageError: one is no KEY=VALUE, names the environment, or has a secret for its value and no reference.
        SecretUnavailable: a reference leads to nothing.
    """
    return dict(_split(pair, resolve) for pair in pairs or ())


def _split(pair: str, resolve: bool) -> tuple[str, str | Secret]:
    name, equals, value = pair.partition("=")
    if not equals or not name:
        raise UsageError(
            tell(f"{pair!r} is no parameter", f"{pair!r} 不是有效的参数"),
            next_step=tell(
                "Give it as KEY=VALUE, for example -p image=library/tiny:1",
                "写法为 KEY=VALUE，例如 -p image=library/tiny:1",
            ),
        )
    if name == "environment":
        raise UsageError(
            tell("the environment is no parameter of its own", "环境不能作为参数给出"),
            next_step=tell("Name it with --env", "请用 --env 指定"),
        )
    return name, _not_secret(name, value, resolve)


def _not_secret(name: str, value: str, resolve: bool) -> str | Secret:
    """The value, if it may stand on a command line; what it refers to, if its name says that it is a secret."""
    # Late: the inventory's models take a while to import, and every other command would pay for it.
    from cargo_runbook.inventory.credentials import is_reference, secret_of
    from cargo_runbook.redaction.shapes import sensitive_name

    if not value or not sensitive_name(name):
        return value
    if not is_reference(value):
        raise UsageError(
            tell(
                f"{name} is a secret: on a command line every user of this machine can read it, so it was not used",
                f"{name} 是密码：命令行内容对本机所有用户可见，因此没有使用",
            ),
            next_step=tell(
                f"Say where it is: -p {name}=env:NAME, {name}=file:PATH or {name}=keyring:SERVICE/USER",
                f"请说明其位置：-p {name}=env:NAME、{name}=file:PATH 或 {name}=keyring:SERVICE/USER",
            ),
        )
    return secret_of(value) or value if resolve else value


def _print(results: Sequence[RunResult]) -> None:
    from rich.text import Text as RichText

    from cargo_runbook.views.terminal import show

    say = language_from()
    styles = {"healthy": "green", "fault": "bold red", "unknown": "yellow", "failed": "bold red"}
    for result in results:
        line = RichText(f"{one_line(result.environment)}  ")
        line.append(HEALTH[result.status].say(say), style=styles[result.status])
        line.append(f"  {', '.join(result.root_causes)}".rstrip(), style="bold")
        if result.replayed:
            line.append(f"  {replayed(result.replayed).say(say)}", style="magenta")
        show(line)
        rows = [(Text("reason", "原因"), result.why.say(language_from())), (Text("record", "记录"), near(result.path))]
        told = {label.say(say): value for label, value in (*rows, (Text("head", "校验"), result.head)) if value}
        for label, value in told.items():
            print_field(label, one_line(value), max(map(len, told)), indent="  ")
