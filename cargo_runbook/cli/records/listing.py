"""`cargo-runbook records list|search|show`: what was kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cargo_runbook.archive.keeping.seal import lacks_chain
from cargo_runbook.archive.places import CHAIN
from cargo_runbook.archive.reading.records import (
    find_draft,
    find_record,
    list_drafts,
    read_diagnosis,
    read_evidence_of,
    read_look,
)
from cargo_runbook.archive.record import Record, reports_folder
from cargo_runbook.cli.console import (
    JsonOption,
    ReportsOption,
    complain,
    message,
    print_field,
    print_json,
    print_table,
    tell,
)
from cargo_runbook.cli.records.choice import (
    SHOWN,
    CodeFilter,
    EnvironmentFilter,
    IncidentFilter,
    LimitOption,
    PrunedFilter,
    RecordArgument,
    RunbookFilter,
    SinceFilter,
    StatusFilter,
    UntilFilter,
    chosen,
)
from cargo_runbook.findings import diagnosis_to_json
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import language_from
from cargo_runbook.views.words import HEALTH, near, one_line

if TYPE_CHECKING:
    from cargo_runbook.archive.index import Filter, Row

_LIST_HELP = tell(
    """List the records, oldest first.

\b
Examples:
  cargo-runbook records list
  cargo-runbook records list --env 'prod-*' --status fault --since 7d
  cargo-runbook records list --code CRG201 --limit 0
  cargo-runbook records list --reports /srv/records --json
""",
    """按时间列出记录。

\b
示例：
  cargo-runbook records list
  cargo-runbook records list --env 'prod-*' --status fault --since 7d
  cargo-runbook records list --code CRG201 --limit 0
  cargo-runbook records list --reports /srv/records --json
""",
)
_SEARCH_HELP = tell(
    """Find the records in which all words stand: in the verdict, in what was asked and answered, in parameters, notes and changes.

"Words in quotes" stand together, word* begins a word.

\b
Examples:
  cargo-runbook records search '"no such host"'
  cargo-runbook records search 'old-cargo* realm' --env prod-1
  cargo-runbook records search 错误的域名
""",
    """查找包含所有词的记录：结论、所有问题与应答、参数、备注、变更。

"引号中的词"须相连，word* 表示词的开头。

\b
示例：
  cargo-runbook records search '"no such host"'
  cargo-runbook records search 'old-cargo* realm' --env prod-1
  cargo-runbook records search 错误的域名
""",
)
_SHOW_HELP = tell(
    """Show the verdict of one record, by its id, the start of its id, or its folder.

\b
Examples:
  cargo-runbook records show 20260304T100411Z-prod-1-00_triage-7f3a2c
  cargo-runbook records show reports/2026/03/04/20260304T100411Z-prod-1-00_triage-7f3a2c --json
""",
    """显示一条记录的结论，可用编号、编号开头或目录指定。

\b
示例：
  cargo-runbook records show 20260304T100411Z-prod-1-00_triage-7f3a2c
  cargo-runbook records show reports/2026/03/04/20260304T100411Z-prod-1-00_triage-7f3a2c --json
""",
)


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("list", help=_LIST_HELP)(show_list)
    records.command("search", help=_SEARCH_HELP)(search)
    records.command("show", help=_SHOW_HELP)(show)


def show_list(
    env: EnvironmentFilter = None,
    runbook: RunbookFilter = "",
    code: CodeFilter = "",
    status: StatusFilter = "",
    since: SinceFilter = "",
    until: UntilFilter = "",
    incident: IncidentFilter = "",
    pruned: PrunedFilter = False,
    limit: LimitOption = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists records of the reports folder; what is none is told on standard error."""
    from cargo_runbook.cli.account import told_of_draft

    wanted = chosen(env, runbook, code, status, since, until, incident, pruned=pruned)
    _list(reports_folder(reports), wanted, limit, as_json)
    for draft in list_drafts(reports_folder(reports)):
        complain(told_of_draft(draft))


def search(
    text: Annotated[str, typer.Argument(metavar=tell("TEXT", "文字"), help=tell("Words.", "要查找的词。"))],
    env: EnvironmentFilter = None,
    runbook: RunbookFilter = "",
    code: CodeFilter = "",
    status: StatusFilter = "",
    since: SinceFilter = "",
    until: UntilFilter = "",
    incident: IncidentFilter = "",
    limit: LimitOption = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists the records in which the words stand, each with the place."""
    wanted = chosen(env, runbook, code, status, since, until, incident, text=text)
    _list(reports_folder(reports), wanted, limit, as_json)


def _list(folder: Path, wanted: Filter, limit: int | None, as_json: bool) -> None:
    from cargo_runbook.archive.index import Filter, Index

    most = limit if limit is not None else 0 if as_json else SHOWN
    with Index(folder, progress=_told_progress) as index:
        # One more than is shown tells that there are more.
        rows = index.find(wanted, most + 1 if most else 0)
        unreadable = index.unreadable()
    more = bool(most) and len(rows) > most
    rows = rows[-most:] if most else rows
    if as_json:
        found = [{**row.to_json(), **({"excerpt": row.excerpt} if wanted.text else {})} for row in rows]
        print_json(found)
    elif rows and wanted.text:
        for row in rows:
            print("  ".join(one_line(cell) for cell in _row(row)))
            print(f"    {one_line(row.excerpt)}")
    elif rows:
        # Time, environment and runbook stand in the record's name.
        headings = [tell("record", "记录"), tell("status", "状态"), tell("root causes", "根因")]
        headings += [tell("imported in", "导入自")] if any(row.origin for row in rows) else []
        print_table(headings, [[one_line(cell) for cell in _row(row)] for row in rows])
    elif wanted == Filter():
        message(tell(f"no records below {folder}", f"{folder} 下没有记录"))
    else:
        message(tell("no record fits", "没有符合条件的记录"))
    if more:
        message(
            tell(f"these are the newest {most}; --limit 0 shows all", f"以上为最新的 {most} 条；--limit 0 显示全部")
        )
    if lacks_chain(folder):
        anew = pasteable("cargo-runbook records reindex")
        complain(
            tell(
                f"{folder / CHAIN} is missing: its records are not listed. {anew}   makes it anew",
                f"缺少 {folder / CHAIN}，其中的记录未列出。可用 {anew} 重建",
            )
        )
    for path, why in unreadable:
        complain(f"{path} {why}")


def _told_progress(done: int) -> None:
    if done % 10_000 == 0:
        message(tell(f"indexing the archive: {done} records", f"正在建立索引：{done} 条记录"))


def show(
    record: RecordArgument,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows what a record says, with its chain and its evidence; of a run without a record, what its ledger says."""
    from cargo_runbook.cli.account import show_account, show_steps

    folder = reports_folder(reports)
    draft = find_draft(folder, record)
    if draft is not None:
        show_account(draft, as_json)
        return
    found = find_record(folder, record)
    diagnosis = read_diagnosis(found)
    if as_json:
        verdict: dict[str, Any] = {"diagnosis": diagnosis_to_json(diagnosis) if diagnosis else None}
        print_json({**_summary(found), "targets": (read_look(found) or {}).get("targets", {}), **verdict})
        return
    from cargo_runbook.archive.sealing.look import target_rows
    from cargo_runbook.views.terminal import show as show_view
    from cargo_runbook.views.terminal import verdict_card, verdict_table

    header = found.header
    for label, value in (
        (tell("record", "记录"), header.record),
        (tell("folder", "目录"), near(found.path)),
        (tell("head", "校验"), found.head or tell("not sealed: from before there was a chain", "未封存（早期记录）")),
        (tell("run", "运行"), f"{header.started} - {header.ended}, {header.operator}, {header.runbook}"),
        (
            tell("status", "状态"),
            HEALTH[header.status].say(language_from()) if header.status in HEALTH else header.status,
        ),
        (tell("edited by hand, cells", "手工修改的单元"), header.edited.replace(" ", ", ")),
        (tell("incident", "事件"), header.incident),
        (tell("reason", "原因"), header.reason),
    ):
        if value:
            print_field(label, one_line(value))
    if rows := [(kind.say(language_from()), name, value) for kind, name, value in target_rows(read_look(found) or {})]:
        print()
        headings = (tell("who was looked at", "检查对象"), tell("name", "名称"), tell("value", "值"))
        print_table(headings, [[one_line(cell) for cell in row] for row in rows])
    show_steps(found.path)
    if diagnosis:
        print()
        show_view(verdict_table([diagnosis]))
        print()
        show_view(verdict_card(diagnosis, read_evidence_of(found)))


def _summary(record: Record) -> dict[str, Any]:
    header = record.header
    return {
        "record": header.record,
        "environment": header.environment,
        "runbook": header.runbook,
        "status": header.status,
        "root_causes": list(header.root_causes),
        "time": header.started,
        "incident": header.incident,
        "path": str(record.path),
        "head": record.head,
        "sequence": record.sequence,
        "sealed": record.sealed,
        "reason": header.reason,
        "replayed": header.replayed,
    }


def _row(row: Row) -> tuple[str, ...]:
    status = tell("pruned", "已清理") if row.pruned else row.status
    cells = (row.record, status, ", ".join(row.root_causes) or "-")
    return (*cells, row.origin) if row.origin else cells
