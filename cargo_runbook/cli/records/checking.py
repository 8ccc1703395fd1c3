"""`cargo-runbook records verify`: is everything as it was sealed?"""

from __future__ import annotations

from typing import Annotated

import typer

from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.console import JsonOption, ReportsOption, print_json, print_table, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import language_from
from cargo_runbook.views.words import one_line

_VERIFY_HELP = tell(
    """Check every byte of every record, and that none is missing.

One head stands for its record and for all before it. That nothing was cut off at the end can only be told by a head
that is known from elsewhere, such as the ticket that it was pasted into: --head.

\b
Examples:
  cargo-runbook records verify
  cargo-runbook records verify --head 3f9c02d1a7e4
  cargo-runbook records verify --reports /srv/records --json

Exit code: 0 all as sealed, 1 something is not.
""",
    """校验每条记录的每个字节，并确认没有缺失。

一个校验值代表该记录及其之前的所有记录。末尾是否被截断，只能用在别处保存的校验值（例如工单中的）来判断：--head。

\b
示例：
  cargo-runbook records verify
  cargo-runbook records verify --head 3f9c02d1a7e4
  cargo-runbook records verify --reports /srv/records --json

退出码：0 与封存时一致，1 有不一致。
""",
)
_SHORTEST_HEAD = 12


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("verify", help=_VERIFY_HELP)(verify)


def verify(
    head: Annotated[
        str,
        typer.Option("--head", metavar="HEAD", help=tell("A head that must be there.", "必须存在的校验值。")),
    ] = "",
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verifies the archive; its problems are data, so they go to standard output."""
    from cargo_runbook.archive.verify import verify as check

    folder = reports_folder(reports)
    if head and (len(head) < _SHORTEST_HEAD or set(head.lower()) - set("0123456789abcdef")):
        raise UsageError(f"{head!r} is no head", next_step=f"Give its {_SHORTEST_HEAD} first hex digits, or all 64.")
    if not folder.is_dir():
        raise UsageError(f"there is no archive: {folder} is not a folder", next_step="Name it with --reports.")
    result = check(folder, head=head)
    if as_json:
        counts = {"records": result.records, "unsealed": result.unsealed, "pruned": result.pruned}
        problems = [problem.to_json() for problem in result.problems]
        print_json({"ok": result.ok, **counts, "head": result.head, "problems": problems})
    else:
        say = language_from()
        if result.problems:
            headings = (tell("record", "记录"), tell("file", "文件"), tell("problem", "问题"))
            cells = [(p.record, p.file, p.problem.say(say)) for p in result.problems]
            print_table(headings, [[one_line(cell) for cell in row] for row in cells])
            print()
        more = [
            tell(f"{count} {en}", f"{zh} {count}")
            for count, en, zh in ((result.pruned, "pruned", "已清理"), (result.unsealed, "not sealed", "未封存"))
            if count
        ]
        told = tell(f"{result.records} records", f"{result.records} 条记录")
        verdict = tell("all as sealed", "与封存时一致") if result.ok else tell("NOT as sealed", "与封存时不一致")
        print(f"{', '.join([told, *more])}: {verdict}")
        if result.head:
            print(f"{tell('head', '校验')}  {result.head}")
    raise typer.Exit(0 if result.ok else 1)
