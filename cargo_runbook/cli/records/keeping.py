"""`cargo-runbook records export|import|prune`: records that leave, come, and go."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.archive.reading.records import find_record, read_record
from cargo_runbook.archive.record import Record, reports_folder
from cargo_runbook.cli.console import JsonOption, ReportsOption, message, print_json, tell
from cargo_runbook.cli.records.choice import (
    CodeFilter,
    EnvironmentFilter,
    IncidentFilter,
    SinceFilter,
    UntilFilter,
    chosen,
)
from cargo_runbook.errors import UsageError
from cargo_runbook.views.words import near

if TYPE_CHECKING:
    from cargo_runbook.archive.index import Filter

_EXPORT_HELP = tell(
    """Write records as one zip file that verifies on another machine, or one record as a page (.html).

\b
Examples:
  cargo-runbook records export RECORD --to record.zip
  cargo-runbook records export --incident INC-42 --to INC-42.zip
  cargo-runbook records export RECORD --to record.html   for those who have no Jupyter; needs no network
""",
    """将记录导出为可在其他机器上校验的 zip 文件，或将一条记录导出为网页（.html）。

\b
示例：
  cargo-runbook records export 记录 --to record.zip
  cargo-runbook records export --incident INC-42 --to INC-42.zip
  cargo-runbook records export 记录 --to record.html   供没有 Jupyter 的人阅读，无需网络
""",
)
_IMPORT_HELP = tell(
    """Take in an exported zip file: verified, with its chain, and found like the own records.

\b
Examples:
  cargo-runbook records import INC-42.zip
""",
    """导入 zip 文件：先校验，保留其链，之后可像本地记录一样查找。

\b
示例：
  cargo-runbook records import INC-42.zip
""",
)
_PRUNE_HELP = tell(
    """Take away the files of old records. Their place in the chain, their manifest and their verdict stay.

Records of an incident stay, unless --incidents is given.

\b
Examples:
  cargo-runbook records prune --older-than 400d                 tells what would go
  cargo-runbook records prune --older-than 400d --keep 1000 --yes
""",
    """清理旧记录的文件。其在链中的位置、清单和结论会保留。

属于事件的记录会保留，除非给出 --incidents。

\b
示例：
  cargo-runbook records prune --older-than 400d                 只显示将清理的内容
  cargo-runbook records prune --older-than 400d --keep 1000 --yes
""",
)


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("export", help=_EXPORT_HELP)(export)
    records.command("import", help=_IMPORT_HELP)(take_in)
    records.command("prune", help=_PRUNE_HELP)(prune)


def export(
    to: Annotated[
        Path, typer.Option("--to", "-o", metavar="FILE", help=tell("A .zip or .html file.", ".zip 或 .html 文件。"))
    ],
    records: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORD]...", help=tell("Ids.", "编号。"), show_default=False)
    ] = None,
    env: EnvironmentFilter = None,
    code: CodeFilter = "",
    since: SinceFilter = "",
    until: UntilFilter = "",
    incident: IncidentFilter = "",
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Exports the named records, or those that the filters leave."""
    from cargo_runbook.archive.index import Filter

    folder = reports_folder(reports)
    wanted = chosen(env, "", code, "", since, until, incident)
    if bool(records) == (wanted != Filter()):
        raise UsageError(
            tell(
                "name records, or say by --env, --code, --since, --until or --incident which ones",
                "请给出记录，或用 --env、--code、--since、--until、--incident 选择",
            )
        )
    found = [find_record(folder, each) for each in records] if records else _fitting(folder, wanted)
    if to.suffix == ".html":
        _export_page(found, to)
        body = {"path": str(to), "records": [record.header.record for record in found], "head": found[0].head}
    elif to.suffix == ".zip":
        from cargo_runbook.archive.sharing.bundle import export_bundle

        done = export_bundle(folder, found, to)
        body = {"path": str(done.path), "records": list(done.records), "head": done.head}
    else:
        raise UsageError(tell(f"{to} is neither a .zip nor a .html file", f"{to} 既不是 .zip 也不是 .html 文件"))
    if as_json:
        print_json(body)
        return
    print(near(to))
    message(tell(f"{len(found)} records; head to verify it with: {body['head']}",
                 f"{len(found)} 条记录；用于校验的值：{body['head']}"))  # fmt: skip


def take_in(
    bundle: Annotated[Path, typer.Argument(metavar="FILE", help=tell("A zip file of records.", "记录的 zip 文件。"))],
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Imports a bundle."""
    from cargo_runbook.archive.sharing.bundle import import_bundle

    done = import_bundle(reports_folder(reports), bundle)
    if as_json:
        print_json({"path": str(done.folder), "records": list(done.records), "record": done.record.header.record})
        return
    for record in done.records:
        print(record)
    message(tell(f"{len(done.records)} records are in {near(done.folder)}", f"{len(done.records)} 条记录已导入"))


def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help=tell("Such as 400d or 8w.", "例如 400d 或 8w。"))
    ] = "",
    keep: Annotated[
        int | None, typer.Option("--keep", min=0, help=tell("The newest N stay.", "保留最新的 N 条。"))
    ] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help=tell("Those of incidents too.", "包括属于事件的记录。"))
    ] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=tell("Why.", "原因。"))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=tell("Do it.", "执行。"))] = False,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prunes, or tells what it would prune."""
    from cargo_runbook.archive.keeping.prune import prune as bury

    folder = reports_folder(reports)
    spare: list[str] = []
    if not incidents:
        from cargo_runbook.archive.index import Filter, Index

        with Index(folder) as index:
            spare = [row.record for row in index.find(Filter(incident="*"))]
    age = _age(older_than) if older_than else None
    done = bury(folder, older_than=age, keep=keep, spare=spare, reason=reason, dry_run=not yes)
    if as_json:
        tombstone = done.tombstone.header.record if done.tombstone else None
        print_json({"pruned": yes, "records": list(done.records), "bytes": done.bytes, "tombstone": tombstone})
        return
    for record in done.records:
        print(record)
    size = f"{done.bytes / 2**20:.1f} MiB"
    if yes:
        message(tell(f"{len(done.records)} records pruned, {size}", f"已清理 {len(done.records)} 条记录，{size}"))
    else:
        message(tell(f"{len(done.records)} records would be pruned, {size}; --yes does it",
                     f"将清理 {len(done.records)} 条记录，{size}；加 --yes 执行"))  # fmt: skip


def _fitting(folder: Path, wanted: Filter) -> list[Record]:
    from cargo_runbook.archive.index import Index

    with Index(folder) as index:
        rows = index.find(wanted)
    found = [read_record(row.path) for row in rows if not row.origin]
    if not found:
        raise UsageError(tell("no record fits", "没有符合条件的记录"))
    return found


def _export_page(found: list[Record], to: Path) -> None:
    if len(found) != 1:
        raise UsageError(
            tell(
                f"a page shows one record, and these are {len(found)}",
                f"一个页面只能显示一条记录，这里有 {len(found)} 条",
            ),
            next_step=tell("Export them as a .zip.", "请导出为 .zip。"),
        )
    from cargo_runbook.archive.sharing.page import write_page

    write_page(found[0], to)


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([hdw])", text)
    if not found:
        raise UsageError(
            tell(f"{text!r} is no age", f"{text!r} 不是有效的时长"),
            next_step=tell("Give it as 400d, 8w or 36h.", "写法如 400d、8w 或 36h。"),
        )
    unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})
