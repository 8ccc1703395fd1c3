"""What a notebook shows of a fix: the plans, and how one that was confirmed ended. And the panel that confirms it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets
from markupsafe import escape
from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.errors import RunbookError
from cargo_runbook.remedies.actions import EFFECTS, place_of
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import View
from cargo_runbook.views.plan import PROOFS, outcome_card, plan_card


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
            "diff": lambda action: self.redactor.redact(action.diff()),
            "proof": PROOFS[self.outcome.proof] if self.outcome else None,
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


class FixPanel:
    """The plans, and what confirms one: the environment's name typed in, a reason, and the button.

    Args:
        view: what is shown.
        apply: does the plan with that digest, for that reason; what it raises as RunbookError is shown as a sentence.
    """

    def __init__(self, view: FixView, apply: Callable[[Plan, str], FixView]) -> None:
        self.view = view
        self._apply = apply
        self._plan = ipywidgets.Dropdown(
            options=[(f"{plan.code}: {plan.remedy}", plan) for plan in view.plans], description="plan · 方案"
        )
        self.name = ipywidgets.Text(placeholder=view.environment, description="name · 环境名")
        self.reason = ipywidgets.Text(description="reason · 原因")
        self.button = ipywidgets.Button(description="Apply · 执行", button_style="danger", disabled=True)
        self.shown = ipywidgets.HTML(view.to_html())
        self.name.observe(self._typed, "value")
        self.reason.observe(self._typed, "value")
        self.button.on_click(self._pressed)
        self._box = ipywidgets.VBox([self.shown, ipywidgets.HBox([self._plan, self.name, self.reason, self.button])])

    @property
    def value(self) -> FixView:
        """What is shown now."""
        return self.view

    @property
    def layout(self) -> Any:
        return self._box.layout

    def _typed(self, _change: object) -> None:
        named = self.name.value.strip() == self.view.environment
        self.button.disabled = not named or (self.view.stage == "production" and not self.reason.value.strip())

    def _pressed(self, _button: object) -> None:
        if self.name.value.strip() != self.view.environment:
            return
        self.button.disabled = True
        try:
            self.view = self._apply(self._plan.value, self.reason.value)
            self.shown.value = self.view.to_html()
        except RunbookError as error:
            self.shown.value = f"{self.view.to_html()}<pre>{escape(words.plain(error))}</pre>"

    def __repr__(self) -> str:
        return str(self.view)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**self._box._repr_mimebundle_(), "text/plain": repr(self)}
