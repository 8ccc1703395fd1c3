"""The postmortem of an incident, step by step in a notebook: impact, causes, actions, timeline, questions, the draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

from cargo_runbook.archive.files import write_text
from cargo_runbook.archive.incident import Story, draft_html, draft_markdown, tell_story, write_note
from cargo_runbook.archive.incident.words import Place
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.reading.records import read_note
from cargo_runbook.archive.record import reports_folder
from cargo_runbook.findings import Verdict
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Language, Text
from cargo_runbook.views.notebook import StepView

FOLDER = "postmortems"
_ENVIRONMENT, _WHERE = Text("environment", "环境"), Text("where it stands", "出处")
_Rows = Callable[[Story], list[tuple[Cell, ...]]]
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Postmortem:
    """What the archive has of an incident. Each part is told anew, so that a note that was just kept is in it.

    Args:
        incident: its id; with an empty one each part says which incidents there are.
        reports: folder of the archive (default: as for records).
    """

    def __init__(self, incident: str, reports: Path | None = None) -> None:
        self.incident = incident.strip()
        self.reports = reports_folder(reports)

    def note(self, text: str) -> StepView:
        """Keeps a note with the incident, sealed like a run; nothing happens with an empty text.

        Raises:
            UsageError: there is a text, and no incident to keep it with.
        """
        if not text.strip():
            return self._said(Text("Notes", "说明"), Text("No note was given.", "没有填写说明。"))
        record = write_note(self.reports, self.incident, text)
        # As it was sealed: what was masked there is not shown here either.
        _, kept = read_note(record.path)
        row = (Cell(record.header.record), Cell(kept), Cell(record.head[:16]))
        columns = (Text("record", "记录"), Text("note", "说明"), Text("head", "校验"))
        return self._shown(Text("A note was kept", "已保存说明"), columns, [row])

    def impact(self) -> StepView:
        """From when to when each environment was seen broken."""
        title = Text("From when to when was what broken?", "影响范围和时间")
        columns = (_ENVIRONMENT, Text("broken since, at the latest (UTC)", "最迟开始（UTC）"),
                   Text("healthy again (UTC)", "恢复（UTC）"), _WHERE)  # fmt: skip
        open_ = Text("not seen yet", "尚未确认")
        return self._of(title, columns, lambda story: [
            (Cell(i.environment), Cell(i.begin), Cell(i.end, Verdict.OK) if i.end else Cell(open_, Verdict.FAULT),
             _at(i.first)) for i in story.impacts
        ])  # fmt: skip

    def causes(self) -> StepView:
        """The root causes with their chains, from the first record that has each."""
        title = Text("What was the cause, and what led to it?", "根因和因果链")
        columns = (_ENVIRONMENT, Text("code", "代码"), Text("seen", "观察"), Text("so", "因此"), _WHERE)
        return self._of(title, columns, lambda story: [
            (Cell(cause.environment), Cell(cause.finding.code, Verdict.FAULT, hint=cause.finding.title),
             Cell(rule), Cell(consequence), _at(place))
            for cause in story.causes for rule, consequence, place in cause.chain
        ])  # fmt: skip

    def actions(self) -> StepView:
        """What was changed through this tool, and what proved it."""
        title = Text("What was done, and what proved it?", "采取的措施及其证明")
        columns = (Text("begun (UTC)", "开始（UTC）"), _ENVIRONMENT, Text("remedy", "修复方法"), Text("who", "操作人"),
                   Text("proof", "证明"), Text("plan's digest", "方案摘要"))  # fmt: skip
        return self._of(title, columns, lambda story: [
            (Cell(c.begun), Cell(c.environment), Cell(f"{c.remedy} ({c.code})"), Cell(c.operator),
             Cell(c.proof or "-", Verdict.OK if c.proof == "proven" and not c.undone else Verdict.UNKNOWN), Cell(c.digest[:16]))
            for c in story.changes
        ])  # fmt: skip

    def timeline(self) -> StepView:
        """All of it in the order of time."""
        title = Text("In which order did it happen?", "时间线")
        columns = (
            Text("time (UTC, by the operator's clock)", "时间（UTC，操作机时钟）"),
            _ENVIRONMENT,
            Text("event", "事件"),
            _WHERE,
        )
        return self._of(title, columns, lambda story: [
            (Cell(event.at), Cell(event.environment or "-"), Cell(event.what), _at(event.place)) for event in story.events
        ])  # fmt: skip

    def questions(self) -> StepView:
        """What the records leave open, and which of them are not as they were sealed."""
        title = Text("What is still open?", "待回答的问题")
        broken = Text("not as it was sealed", "与封存时不一致")
        return self._of(title, (Text("question", "问题"),), lambda story: [
            *((Cell(Text(f"{name}: {broken.en}", f"{name}：{broken.zh}"), Verdict.FAULT),) for name in story.changed),
            *((Cell(question.what),) for question in story.questions),
        ])  # fmt: skip

    def draft(self) -> StepView:
        """Writes the drafts, Markdown and HTML in both languages, and says where they are."""
        title = Text("The draft, to be finished by people", "复盘草稿（由人完成）")
        story = self._story()
        if story is None:
            return self._choose(title)
        folder = self.reports / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for kind, make in (("md", draft_markdown), ("html", draft_html)):
            for language in get_args(Language):
                path = folder / f"{_NAME.sub('_', self.incident)}.{language}.{kind}"
                write_text(path, make(story, folder, language))
                rows.append((Cell(language), Cell(kind), Cell(str(path))))
        return self._shown(title, (Text("language", "语言"), Text("form", "格式"), Text("file", "文件")), rows)

    def _story(self) -> Story | None:
        return tell_story(self.reports, self.incident) if self.incident else None

    def _of(self, title: Text, columns: tuple[Text, ...], rows: _Rows) -> StepView:
        story = self._story()
        return self._choose(title) if story is None else self._shown(title, columns, rows(story))

    def _shown(self, title: Text, columns: tuple[Text, ...], rows: Iterable[tuple[Cell, ...]]) -> StepView:
        found = tuple(rows)
        none = None if found else Text("Nothing.", "无。")
        return StepView(self.incident, "", (), question=title, tables=(Table(title, columns, found, none),))

    def _choose(self, title: Text) -> StepView:
        """Which incidents there are, the newest first."""
        with Index(self.reports) as index:
            rows = index.find(Filter(incident="*"))
        known = {row.incident: row for row in rows}
        columns = (Text("incident", "事件"), Text("last record", "最近的记录"), Text("status", "结果"))
        shown = [(Cell(name), Cell(row.record), Cell(row.status)) for name, row in reversed(known.items())]
        note = Text("Name one in the parameters. A run belongs to one by --incident ID.",
                    "请在参数中填写事件编号。运行时用 --incident 编号 归入事件。")  # fmt: skip
        return StepView("", "", (), question=title, tables=(Table(title, columns, tuple(shown), note),))

    def _said(self, title: Text, text: Text) -> StepView:
        return StepView(self.incident, "", (), question=title, tables=(Table(title, (text,), ()),))


def open_incident(incident: str = "", reports: str = "") -> Postmortem:
    """The postmortem of an incident, for a notebook.

    Raises:
        UsageError: there is no record of that incident.
    """
    opened = Postmortem(incident, Path(reports) if reports else None)
    if opened.incident:
        opened.impact()
    return opened


def _at(place: Place) -> Cell:
    if not place.record:
        return Cell(Text("not sealed", "未封存"))
    cell = f" [{place.cell}]" if place.cell else ""
    evidence = f" {place.evidence}" if place.evidence else ""
    return Cell(f"{place.record}{cell}{evidence} {place.head[:12]}")
