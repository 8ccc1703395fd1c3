"""What a notebook shows of a fix: the plans with their diffs, or how one that was confirmed ended, red beside green."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.remedies.actions import EFFECTS, place_of
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import View
from cargo_runbook.views.plan import PROOFS, outcome_card, plan_card
from cargo_runbook.views.target import stage_word

_CHANGES = Text("CHANGES", "会修改")
_BEFORE, _AFTER = Text("before", "修复前"), Text("after", "修复后")
_TAKEN_BACK = Text("taken back", "已回滚")
_WORDS = {
    "change": Text("change", "变更"),
    "downtime": Text("downtime", "停机"),
    "undone": Text("undone by", "撤销方式"),
    "digest": Text("digest", "摘要"),
    "works": Text("works", "成功"),
    "fails": Text("fails", "失败"),
    "output": Text("what it printed", "输出"),
    "control": Text("control, must not change", "对照，不应变化"),
}


class _Once:
    """True at the first call: of many outputs the first one is unfolded."""

    def __init__(self) -> None:
        self._taken = False

    def take(self) -> bool:
        taken, self._taken = self._taken, True
        return not taken


@dataclass(frozen=True, repr=False)
class FixView(View):
    """The plans for the root causes of a verdict, sentences where there is none, and the outcome of one that was done.

    Args:
        without: code -> why nothing is offered.
        redactor: masks what is shown.
    """

    environment: str
    stage: str
    plans: tuple[Plan, ...]
    without: Mapping[str, str]
    redactor: Redactor
    outcome: Outcome | None = None
    note: Text | None = None

    template = "fix.html.j2"

    def _values(self) -> Mapping[str, Any]:
        return {
            "fix": self,
            "effects": EFFECTS,
            "place_of": place_of,
            "stage_of": stage_word,
            "diff": lambda action: self.redactor.redact(action.diff()),
            "proof": PROOFS[self.outcome.proof] if self.outcome else None,
            "CHANGES": _CHANGES,
            "BEFORE": _BEFORE,
            "AFTER": _AFTER,
            "TAKEN_BACK": _TAKEN_BACK,
            "say": _WORDS,
            "first": _Once(),
        }

    def _text(self) -> RenderableType:
        parts: list[RenderableType] = []
        if self.note is not None:
            parts.append(RichText(f"{self.note.en} · {self.note.zh}"))
        if self.outcome is not None:
            parts.append(outcome_card(self.outcome, "en"))
        else:
            parts += [plan_card(plan, self.redactor, "en") for plan in self.plans]
        parts += [RichText(words.one_line(f"{code}: {why}")) for code, why in self.without.items()]
        return Group(*parts)
