"""The plans, and what confirms one: the environment's name typed in, a reason, and the button."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
from markupsafe import escape

from cargo_runbook.errors import RunbookError
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.fix import FixView
from cargo_runbook.views.panels.panel import Panel, button, row
from cargo_runbook.views.panels.speech import SPEECH

_PLAN, _REASON, _APPLY = Text("Plan", "方案"), Text("Reason", "原因"), Text("Apply", "执行")
_NAME = Text("Environment's name, to confirm", "输入环境名称以确认")
_OTHER = Text("{typed} is not {name}: nothing is changed", "{typed} 不是 {name}：不会修改任何东西")
_REASON_WANTED = Text("production: say why", "生产环境：请填写原因")
_GOES_ON = Text("do not close this: {what}", "执行中，请勿关闭：{what}")
_CUT_OFF = Text(
    "stopped on its way. cargo-runbook fix --env {name} --resume ID finishes it, --rollback undoes it",
    "中途停止。使用 cargo-runbook fix --env {name} --resume ID 完成，或用 --rollback 撤销",
)
Tell = Callable[[str], None]


class FixPanel(Panel):
    """`value` is what is shown: the plans, later the outcome of the one that was done.

    Args:
        view: the plans.
        apply: does a plan for a reason, and tells of each phase; what it raises as RunbookError is shown as a sentence.
    """

    def __init__(self, view: FixView, apply: Callable[[Plan, str, Tell], FixView]) -> None:
        self._view = view
        self._apply = apply
        wide = {"description_width": "initial"}
        plans = [(f"{plan.code}: {plan.remedy}", plan) for plan in view.plans]
        self._plan = ipywidgets.Dropdown(options=plans, style=wide)
        self.name = ipywidgets.Text(placeholder=view.environment, style=wide, layout={"width": "auto"})
        self.reason = ipywidgets.Text(style=wide)
        self.button = button(style="danger", icon="wrench")
        self.button.disabled = True
        self.shown = ipywidgets.HTML(view.to_html(live=True))
        self.said = ipywidgets.HTML()
        labels = ((_PLAN, self._plan), (_NAME, self.name), (_REASON, self.reason), (_APPLY, self.button))
        for text, widget in labels:
            SPEECH.label(text, lambda label, widget=widget: widget.set_trait("description", label))  # type: ignore[misc]
        self.name.observe(self._typed, "value")
        self.reason.observe(self._typed, "value")
        self.button.on_click(self._pressed)
        self._asks = row(self._plan, self.name, self.reason, self.button)
        super().__init__([self.shown, self._asks, self.said])

    @property
    def value(self) -> FixView:
        return self._view

    def _typed(self, _change: object) -> None:
        typed, name = self.name.value.strip(), self._view.environment
        unreasoned = self._view.stage == "production" and not self.reason.value.strip()
        self.button.disabled = typed != name or unreasoned
        # While the name is being typed it is not wrong yet.
        if typed and not name.startswith(typed):
            self._say(_OTHER.fill({"typed": words.one_line(typed), "name": name}))
        else:
            self._say(_REASON_WANTED if typed == name and unreasoned else None)

    def _pressed(self, _button: object) -> None:
        # A press that was on its way when the name was changed, or the second of two.
        if self.name.value.strip() != self._view.environment or self.button.disabled:
            return
        self.button.disabled = True
        try:
            self._view = self._apply(
                self._plan.value,
                self.reason.value,
                lambda what: self._say(_GOES_ON.fill({"what": words.one_line(what)})),
            )
            self._asks.layout.display = "none"
            self._say(None)
            self.shown.value = self._view.to_html(live=True)
        except RunbookError as error:
            self.said.value = f'<div class="crb"><pre class="crb-error">{escape(words.plain(error))}</pre></div>'
        except KeyboardInterrupt:
            self._say(_CUT_OFF.fill({"name": self._view.environment}))

    def _say(self, text: Text | None) -> None:
        said = escape(SPEECH.say(text)) if text else ""
        self.said.value = f'<div class="crb crb-warns" role="status">{said}</div>' if said else ""

    def to_html(self) -> str:
        return self._view.to_html()

    def __repr__(self) -> str:
        return str(self._view)
