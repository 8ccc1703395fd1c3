"""`cargo-runbook records note|postmortem`: what belongs to an incident, and the draft that is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cargo_runbook.archive.files import write_text
from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.console import JsonOption, ReportsOption, SignKeyOption, message, print_json, tell
from cargo_runbook.cli.language import OutputLanguageOption, chosen_language
from cargo_runbook.errors import UsageError
from cargo_runbook.views.words import near

_NOTE_HELP = tell(
    """Keep a note with an incident: what was seen, decided or done beside the runs. It is sealed like a run.

\b
Examples:
  cargo-runbook records note INC-42 'customer reports that pulls fail in shanghai'
  cargo-runbook records note INC-42 'traffic moved to the second host' --at 2026-03-04T09:50
""",
    """为事件添加一条说明：运行之外看到、决定或做了什么。与运行记录一样封存。

\b
示例：
  cargo-runbook records note INC-42 '客户反馈上海拉取失败'
  cargo-runbook records note INC-42 '流量切到第二台主机' --at 2026-03-04T09:50
""",
)
_POSTMORTEM_HELP = tell(
    """Draft the postmortem of an incident from its records, notes and changes: impact, causes, actions, timeline.

Each line leads to its record, the cell, the answer and the digest: in an HTML page to what is cited at its end, in
Markdown to the files of the record. Without --to it is Markdown on standard output.

\b
Examples:
  cargo-runbook records postmortem INC-42
  cargo-runbook records postmortem INC-42 --to INC-42.md --lang zh
  cargo-runbook records postmortem INC-42 --to INC-42.html
""",
    """根据事件的记录、说明和变更生成复盘草稿：影响、原因、措施、时间线。

每一行都链接到其记录、单元、应答和摘要：HTML 页面链接到页末的引用内容，Markdown 链接到记录的文件。
不带 --to 时在标准输出打印 Markdown。

\b
示例：
  cargo-runbook records postmortem INC-42
  cargo-runbook records postmortem INC-42 --to INC-42.md --lang zh
  cargo-runbook records postmortem INC-42 --to INC-42.html
""",
)

IncidentArgument = Annotated[str, typer.Argument(metavar="INCIDENT", help=tell("Id of the incident.", "事件编号。"))]


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("note", help=_NOTE_HELP)(note)
    records.command("postmortem", help=_POSTMORTEM_HELP)(postmortem)


def note(
    incident: IncidentArgument,
    text: Annotated[str, typer.Argument(metavar=tell("TEXT", "文字"), help=tell("The note.", "说明。"))],
    at: Annotated[
        str, typer.Option("--at", metavar=tell("TIME", "时间"), help=tell("When it was (UTC).", "发生时间（UTC）。"))
    ] = "",
    sign_key: SignKeyOption = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Seals a note."""
    from cargo_runbook.archive.incident import write_note
    from cargo_runbook.archive.index import moment

    record = write_note(reports_folder(reports), incident, text, moment(at) if at else "", key=sign_key)
    if as_json:
        print_json(
            {"record": record.header.record, "path": str(record.path), "incident": incident, "head": record.head}
        )
    else:
        print(record.header.record)


def postmortem(
    incident: IncidentArgument,
    to: Annotated[
        Path | None,
        typer.Option("--to", "-o", metavar="FILE", help=tell("A .md or .html file.", ".md 或 .html 文件。")),
    ] = None,
    lang: OutputLanguageOption = "",
    reports: ReportsOption = None,
) -> None:
    """Writes the draft; what is known of the incident is in it, and what is not."""
    from cargo_runbook.archive.incident import draft_html, draft_markdown, tell_story

    language = chosen_language(lang)
    if to is not None and to.suffix not in (".md", ".html"):
        raise UsageError(tell(f"{to} is neither a .md nor a .html file", f"{to} 既不是 .md 也不是 .html 文件"))
    story = tell_story(reports_folder(reports), incident)
    beside = to.absolute().parent if to else Path.cwd()
    text = (draft_html if to and to.suffix == ".html" else draft_markdown)(story, beside, language)
    if to is None:
        print(text, end="")
        return
    try:
        write_text(to, text)
    except OSError as error:
        raise UsageError(
            tell(f"{to} can't be written: {error.strerror}", f"无法写入 {to}：{error.strerror}"),
            next_step=tell("Name another file.", "请换一个文件。"),
        ) from None
    print(near(to))
    message(tell(f"{len(story.events)} events from {len(story.records)} records",
                 f"{len(story.records)} 条记录，{len(story.events)} 个事件"))  # fmt: skip
