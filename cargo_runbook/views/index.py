"""Where one begins: which runbook for which symptom, and what was recorded of this environment lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import View

_WORDS = {
    "runbook": Text("runbook", "runbook"),
    "about": Text("what it is about", "内容"),
    "symptoms": Text("it is for", "适用现象"),
    "suggested": Text("for the text above", "对应上方的报错"),
    "records": Text("Recent records of {name}", "{name} 的近期记录"),
    "none": Text("No record yet.", "暂无记录。"),
    "at": Text("time (UTC)", "时间（UTC）"),
    "result": Text("result", "结果"),
    "record": Text("record", "记录"),
}


@dataclass(frozen=True)
class Entry:
    """A runbook: its file's name without the suffix, its title, and the texts that lead there."""

    name: str
    title: Text
    symptoms: str = ""


@dataclass(frozen=True)
class Recent:
    """A record of the environment."""

    record: str
    at: str
    runbook: str
    status: str
    root_causes: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class IndexView(View):
    """The list of runbooks, the one for the pasted text marked, and the records. `live` links open a runbook."""

    environment: str
    entries: tuple[Entry, ...]
    records: tuple[Recent, ...]
    suggested: str = ""

    template = "index.html.j2"

    def _values(self) -> Mapping[str, Any]:
        heading = _WORDS["records"].fill({"name": self.environment})
        return {"index": self, "say": {**_WORDS, "records": heading}}

    def _text(self) -> RenderableType:
        lines = [
            f"{'→' if entry.name == self.suggested else ' '} {entry.name}   {entry.title.en} {entry.title.zh}"
            for entry in self.entries
        ]
        lines += [f"  {each.at} {each.runbook} {each.status} {', '.join(each.root_causes)}" for each in self.records]
        return Group(*(RichText(words.one_line(line)) for line in lines))
