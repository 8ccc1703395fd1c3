"""All that only reads, one after the other, with progress; it stops before anything that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views.checks import ChecksView
from cargo_runbook.views.panels.panel import Panel, button, row
from cargo_runbook.views.panels.speech import SPEECH

_RUN = Text("Run all checks", "执行全部检查")
_STOP = Text("Stop", "停止")


class ChecksPanel(Panel):
    """The list of the steps with how each ended, and the buttons; `value` is step -> verdict, of those that ran.

    Args:
        view: the list as it is.
        run: runs what has not run.
        stop: ends it on its way.
        interactive: False shows the list alone.
    """

    def __init__(
        self, view: ChecksView, run: Callable[[], None], stop: Callable[[], None], *, interactive: bool = True
    ) -> None:
        self._view = view
        self.run, self.stop = button(style="main", icon="play"), button(icon="stop")
        self.stop.disabled = True
        self._bar = ipywidgets.IntProgress(max=max(len(view.steps), 1), layout={"width": "200px"})
        self._shown = ipywidgets.HTML()
        SPEECH.label(_RUN, lambda label: self.run.set_trait("description", label))
        SPEECH.label(_STOP, lambda label: self.stop.set_trait("description", label))
        self.run.on_click(lambda _: run())
        self.stop.on_click(lambda _: stop())
        super().__init__([row(self.run, self.stop, self._bar), self._shown], interactive=interactive)
        self.show(view)

    @property
    def value(self) -> Mapping[str, str]:
        return {step.name: str(step.verdict or "ran") for step in self._view.steps if step.verdict or step.ran}

    def show(self, view: ChecksView) -> None:
        """How far it is now."""
        self._view = view
        self._bar.value = len(self.value)
        self.run.disabled, self.stop.disabled = bool(view.running), not view.running
        if self._shown.value != (html := view.to_html()):
            self._shown.value = html

    def to_html(self) -> str:
        return self._view.to_html()

    def __repr__(self) -> str:
        return str(self._view)
