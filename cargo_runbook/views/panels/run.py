"""A step that ran: its result with time and duration, frozen; a button runs it again, another stops it on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views.notebook import View
from cargo_runbook.views.panels.panel import Panel, button, row
from cargo_runbook.views.panels.speech import SPEECH
from cargo_runbook.views.ran import RanNote

_AGAIN = Text("Run again", "重新执行")
_STOP = Text("Stop", "停止")


class RunPanel(Panel):
    """What a step of the notebook shows; `value` is its view, None while it has never come to an end.

    Args:
        again: runs the step anew; called by the button.
        stop: ends it on its way.
    """

    def __init__(self, again: Callable[[], None], stop: Callable[[], None]) -> None:
        self._view: View | None = None
        self._note: RanNote | None = None
        self._shown = ipywidgets.HTML()
        self._below = ipywidgets.HTML()
        self.again = button(icon="repeat")
        self.stop = button(icon="stop")
        self.again.on_click(lambda _: again())
        self.stop.on_click(lambda _: stop())
        SPEECH.label(_AGAIN, lambda label: self.again.set_trait("description", label))
        SPEECH.label(_STOP, lambda label: self.stop.set_trait("description", label))
        self.stop.layout.display = "none"
        super().__init__([self._shown, row(self._below, self.again, self.stop)])

    @property
    def value(self) -> View | None:
        return self._view

    def running(self, note: RanNote) -> None:
        """It goes on; what was shown before stays until there is something new."""
        self._below.value = note.to_html()
        self.again.layout.display, self.stop.layout.display = "none", None

    def show(self, view: View | None, note: RanNote) -> None:
        """It came to an end. What did not change is not drawn anew: nothing flickers, and what was unfolded stays so."""
        self._note = note
        if view is not None and view is not self._view:
            self._view = view
            self._shown.value = view.to_html(live=True)
        if self._below.value != (html := note.to_html()):
            self._below.value = html
        self.stop.layout.display, self.again.layout.display = "none", None

    def to_html(self) -> str:
        below = self._note.to_html() if self._note else ""
        return f"{self._view.to_html() if self._view else ''}{below}"

    def __repr__(self) -> str:
        return "\n".join(str(part) for part in (self._view, self._note) if part)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        own = self._view._repr_mimebundle_() if self._view else {}
        return {**own, **super()._repr_mimebundle_()}
