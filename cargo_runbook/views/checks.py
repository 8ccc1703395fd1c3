"""The steps of a notebook that only read, as a list: which ran, how each ended, which one is running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.findings import Verdict
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import View

READS_ONLY = Text(
    "These only look. What changes something is never run from here: it stands below, with a button of its own.",
    "以下步骤只读。会修改环境的步骤不会在此执行，它在下方，有单独的按钮。",
)
RUNNING, WAITING, SHOWN = Text("running", "执行中"), Text("not run yet", "尚未执行"), Text("ran", "已执行")


@dataclass(frozen=True)
class CheckLine:
    """One step; `verdict` is None until it ran, or where it only shows something."""

    name: str
    question: Text
    verdict: Verdict | None = None
    answer: Text | None = None
    seconds: float = 0.0
    ran: bool = False


@dataclass(frozen=True, repr=False)
class ChecksView(View):
    """The list. `running` is the name of the step that goes on; `note` says why it stopped; `listed` shows the
    questions alone, where each step runs in its own cell anyway."""

    steps: tuple[CheckLine, ...]
    running: str = ""
    note: Text | None = None
    listed: bool = False

    template = "checks.html.j2"

    def _values(self) -> Mapping[str, Any]:
        return {"checks": self, "READS_ONLY": READS_ONLY, "RUNNING": RUNNING, "WAITING": WAITING, "SHOWN": SHOWN}

    def _text(self) -> RenderableType:
        lines = []
        for step in self.steps:
            sign = words.SIGNS[step.verdict] if step.verdict else " "
            lines.append(f"{sign} {step.question.en} {step.question.zh}")
        return Group(*map(RichText, lines))
