"""`cargo-runbook records list|show`: what was kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cargo_runbook.archive.reading import find_draft, find_record, list_records, read_diagnosis, read_evidence_of
from cargo_runbook.archive.record import Record, reports_folder
from cargo_runbook.cli.account import show_account, show_steps, told_of_draft
from cargo_runbook.cli.console import JsonOption, ReportsOption, complain, message, print_json, print_table, tell
from cargo_runbook.findings import diagnosis_to_json
from cargo_runbook.texts import language_from
from cargo_runbook.views.words import HEALTH, near, one_line

_LIST_HELP = tell(
    """List the records, oldest first.

\b
Examples:
  cargo-runbook records list
  cargo-runbook records list --reports /srv/records --json
""",
    """按时间列出记录。

\b
示例：
  cargo-runbook records list
  cargo-runbook records list --reports /srv/records --json
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
    records.command("show", help=_SHOW_HELP)(show)


def show_list(reports: ReportsOption = None, as_json: JsonOption = False) -> None:
    """Lists all records below the reports folder; what is none is told on standard error."""
    folder = reports_folder(reports)
    listing = list_records(folder)
    if as_json:
        print_json([_summary(record) for record in listing.records])
    elif listing.records:
        # Time, environment and runbook stand in the record's name.
        headings = (tell("record", "记录"), tell("status", "状态"), tell("root causes", "根因"))
        print_table(headings, [[one_line(cell) for cell in _row(record)] for record in listing.records])
    else:
        message(tell(f"no records below {folder}", f"{folder} 下没有记录"))
    for problem in listing.unreadable:
        complain(str(problem))
    for draft in listing.drafts:
        complain(told_of_draft(draft))


def show(
    record: Annotated[str, typer.Argument(help=tell("Id, start of an id, or folder.", "编号、编号开头或目录。"))],
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows what a record says, with its chain and its evidence; of a run without a record, what its ledger says."""
    folder = reports_folder(reports)
    draft = find_draft(folder, record)
    if draft is not None:
        show_account(draft, as_json)
        return
    found = find_record(folder, record)
    diagnosis = read_diagnosis(found)
    if as_json:
        verdict: dict[str, Any] = {"diagnosis": diagnosis_to_json(diagnosis) if diagnosis else None}
        print_json({**_summary(found), **verdict})
        return
    from rich.text import Text as RichText

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
        (tell("reason", "原因"), header.reason),
    ):
        if value:
            show_view(RichText(f"{label}  ", style="dim").append(one_line(value), style="default"))
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


def _row(record: Record) -> tuple[str, str, str]:
    header = record.header
    return header.record, header.status, ", ".join(header.root_causes) or "-"
