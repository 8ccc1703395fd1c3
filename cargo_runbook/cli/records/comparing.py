"""`cargo-runbook records compare|rejudge`: two runs against each other, and a run against the rules of today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.archive.reading.records import find_record
from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.console import JsonOption, ReportsOption, complain, message, print_json, print_table, tell
from cargo_runbook.cli.records.choice import (
    CodeFilter,
    EnvironmentFilter,
    IncidentFilter,
    RecordArgument,
    RunbookFilter,
    SinceFilter,
    StatusFilter,
    UntilFilter,
    chosen,
)
from cargo_runbook.errors import UsageError
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import HEALTH, MEANINGS, one_line

if TYPE_CHECKING:
    from cargo_runbook.archive.index import Filter
    from cargo_runbook.archive.reading.compare import AnswerChange, Comparison, FindingChange
    from cargo_runbook.archive.reading.rejudge import Judgement

_COMPARE_HELP = tell(
    """Show what changed between two runs: verdict, findings, answers, who was looked at.

\b
Examples:
  cargo-runbook records compare RECORD --last-good    against the last healthy run of its environment and runbook
  cargo-runbook records compare RECORD OTHER
  cargo-runbook records compare RECORD OTHER --all    also answers that no changed finding rests on

Exit code: 0 both came to the same, 1 they did not.
""",
    """显示两次运行之间的变化：结论、诊断项、应答、被检查的对象。

\b
示例：
  cargo-runbook records compare 记录 --last-good    与同一环境、同一 Runbook 最近一次正常的运行比较
  cargo-runbook records compare 记录 另一记录
  cargo-runbook records compare 记录 另一记录 --all  也显示与结论变化无关的应答

退出码：0 结论相同，1 结论不同。
""",
)
_REJUDGE_HELP = tell(
    """Judge the sealed evidence of records by the rules of today, and say what differs from the verdict of that day.

Nothing is asked of any host. `diagnose --from RECORD` shows the whole verdict of one.

\b
Examples:
  cargo-runbook records rejudge RECORD
  cargo-runbook records rejudge --all --code CRG201
  cargo-runbook records rejudge --all --since 30d --json

Exit code: 0 nothing differs, 1 something does.
""",
    """用当前的规则重新判断记录中封存的证据，并指出与当时结论的差异。不访问任何主机。

完整结论见 `diagnose --from 记录`。

\b
示例：
  cargo-runbook records rejudge 记录
  cargo-runbook records rejudge --all --code CRG201
  cargo-runbook records rejudge --all --since 30d --json

退出码：0 没有差异，1 有差异。
""",
)
_SHOWN_LINES = 8
_WORTH_PROCESSES = 32
_ABSENT = Text("-", "-")


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("compare", help=_COMPARE_HELP)(compare)
    records.command("rejudge", help=_REJUDGE_HELP)(rejudge)


def compare(
    record: RecordArgument,
    other: Annotated[
        str, typer.Argument(metavar="[OTHER]", help=tell("The other one.", "另一条记录。"), show_default=False)
    ] = "",
    last_good: Annotated[
        bool,
        typer.Option(
            "--last-good", help=tell("Against the last healthy run before it.", "与之前最近一次正常的运行比较。")
        ),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=tell("Also what no changed finding rests on.", "也显示与结论变化无关的应答。"))
    ] = False,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compares two records; the earlier one counts as the first, whichever is named first."""
    from cargo_runbook.archive.reading.compare import compare as compared
    from cargo_runbook.archive.reading.compare import last_good as good_before
    from cargo_runbook.archive.reading.records import read_record

    if bool(other) == last_good:
        raise UsageError(
            tell(
                "name another record to compare with, or --last-good, and not both",
                "请给出另一条记录或 --last-good，二者选一",
            )
        )
    folder = reports_folder(reports)
    found = find_record(folder, record)
    if last_good:
        row = good_before(folder, found)
        if row is None:
            header = found.header
            others = pasteable(f"cargo-runbook records list --env {header.environment} --status healthy")
            raise UsageError(
                tell(
                    f"there is no healthy run of {header.runbook} for {header.environment} before {header.record}",
                    f"{header.record} 之前没有 {header.environment} 的 {header.runbook} 正常记录",
                ),
                next_step=tell(f"{others}   shows those of other runbooks", f"用 {others} 查看其他 Runbook 的记录"),
            )
        against = read_record(row.path)
    else:
        against = find_record(folder, other)
    result = compared(found, against)
    if as_json:
        print_json(result.to_json())
    else:
        _show(result, everything)
    raise typer.Exit(0 if result.same else 1)


def rejudge(
    records: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORD]...", help=tell("Ids.", "编号。"), show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=tell("All that the filters leave.", "所有符合条件的记录。"))
    ] = False,
    env: EnvironmentFilter = None,
    runbook: RunbookFilter = "",
    code: CodeFilter = "",
    status: StatusFilter = "",
    since: SinceFilter = "",
    until: UntilFilter = "",
    incident: IncidentFilter = "",
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judges records again, one after another; those that can't be judged are told on standard error."""
    if bool(records) == everything:
        raise UsageError(tell("name records, or --all", "请给出记录，或使用 --all"))
    folder = reports_folder(reports)
    if records:
        paths = [find_record(folder, record).path for record in records]
    else:
        paths = _paths(folder, chosen(env, runbook, code, status, since, until, incident))
    judged, silent = [], 0
    for outcome in _judged(paths):
        if isinstance(outcome, str):
            silent += 1
            complain(outcome)
        else:
            judged.append(outcome)
    differing = [each for each in judged if each.differs]
    if as_json:
        print_json([each.to_json() for each in judged])
    else:
        for each in differing:
            _show_judgement(each)
        print(
            tell(
                f"{len(judged)} judged again, {len(differing)} differ, {silent} could not be judged",
                f"重新判断 {len(judged)} 条，{len(differing)} 条有差异，{silent} 条无法判断",
            )
        )
    if not judged and silent:
        raise typer.Exit(3)
    raise typer.Exit(1 if differing else 0)


def _paths(folder: Path, wanted: Filter) -> list[Path]:
    from cargo_runbook.archive.index import Index

    with Index(folder) as index:
        return [row.path for row in index.find(wanted)]


def _judged(paths: list[Path]) -> Iterator[Judgement | str]:
    from cargo_runbook.archive.reading.rejudge import judge_folder

    if len(paths) < _WORTH_PROCESSES:
        yield from map(judge_folder, paths)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Judging is computing alone; the records of a year take all cores.
    with ProcessPoolExecutor(mp_context=get_context("forkserver")) as pool:
        for number, outcome in enumerate(pool.map(judge_folder, paths, chunksize=8), start=1):
            yield outcome
            if number % 100 == 0:
                message(tell(f"{number} of {len(paths)}", f"{number} / {len(paths)}"))


def _show_judgement(judged: Judgement) -> None:
    before = judged.before
    then = (str(before.status), ", ".join(before.root_causes)) if before else ("failed", "")
    now = (str(judged.now.status), ", ".join(judged.now.root_causes))
    print(f"{judged.record}  {_named(*then)} → {_named(*now)}")
    _print_findings(judged.changes)


def _show(result: Comparison, everything: bool) -> None:
    before, after = result.before.header, result.after.header
    say = language_from()
    for label, header in ((tell("before", "之前"), before), (tell("after", "之后"), after)):
        print(f"{label}  {header.record}  {_named(header.status, ', '.join(header.root_causes))}")
    for label, codes in ((tell("came", "新增"), result.came), (tell("went", "消失"), result.went)):
        if codes:
            print(f"{label}  {', '.join(codes)}")
    if result.same:
        print(tell("both came to the same", "两次结论相同"))
    if result.findings:
        print(f"\n{tell('findings', '诊断项')}")
        _print_findings(result.findings)
    shown = [change for change in result.answers if change.matters or everything]
    for change in shown:
        _show_answer(change)
    rest = len(result.answers) - len(shown)
    if rest:
        more = Text(
            f"{rest} other answers differ, which no changed finding rests on: --all",
            f"另有 {rest} 个应答不同，与结论变化无关：--all",
        )
        print(f"\n{more.say(say)}")
    if result.others:
        print()
        headings = (tell("also differs", "其他差异"), tell("before", "之前"), tell("after", "之后"))
        print_table(headings, [[one_line(cell)[:60] for cell in vars(other).values()] for other in result.others])


def _show_answer(change: AnswerChange) -> None:
    print(f"\n{change.before.id} → {change.after.id}  {one_line(change.vantage)}: {one_line(change.question)}")
    for line in change.diff[:_SHOWN_LINES]:
        print(f"    {one_line(line)}")
    if len(change.diff) > _SHOWN_LINES:
        print("    …")


def _print_findings(changes: tuple[FindingChange, ...]) -> None:
    from cargo_runbook.rules.catalog import catalog

    titles, say = catalog(), language_from()
    for change in changes:
        title = titles[change.code].title.say(say) if change.code in titles else ""
        states = " → ".join(_status(status) for status in (change.before, change.after))
        print(f"  {change.code}  {states}  {one_line(title)}  ({one_line(change.vantage)})")


def _status(statuses: str) -> str:
    say = language_from()
    words = {str(verdict): text for verdict, text in MEANINGS.items()}
    each = [words.get(status, Text(status, status)).say(say) for status in statuses.split(", ") if status]
    return ", ".join(each) or _ABSENT.say(say)


def _named(status: str, causes: str) -> str:
    told = HEALTH[status].say(language_from()) if status in HEALTH else status
    return f"{told} {causes}".rstrip()
