"""Where one begins: the incident that this belongs to, and what the client printed, explained at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views.panels.panel import TextPanel
from cargo_runbook.views.panels.speech import SPEECH

_PASTE = Text("Paste what the client printed", "粘贴客户端的报错")
_INCIDENT = Text("Incident", "事件编号")


class Shown(Protocol):
    """What can be shown as HTML and as text."""

    def to_html(self) -> str: ...

    def __str__(self) -> str: ...


class SymptomPanel(TextPanel):
    """A box for the text, with what it says below it; `value` is the text, `incident` the id that was typed.

    Args:
        text, incident: the parameters of the notebook; they stand in the fields from the start.
        view: what a text says, asked for again whenever the text changes.
        interactive: False shows only what `text` says.
    """

    def __init__(
        self, text: str, view: Callable[[str], Shown], *, incident: str = "", interactive: bool = True
    ) -> None:
        self._view = view
        self.field = ipywidgets.Text(value=incident, style={"description_width": "initial"})
        # By the way of continuous updates every letter that is typed would be explained.
        self._area = ipywidgets.Textarea(value=text, continuous_update=False, rows=5, layout={"width": "auto"})
        self._said = ipywidgets.HTML()
        SPEECH.label(_INCIDENT, lambda label: self.field.set_trait("description", label))
        SPEECH.label(_PASTE, lambda label: self._area.set_trait("placeholder", label))
        super().__init__([self.field, self._area, self._said], interactive=interactive)
        self._area.observe(lambda _: self._tell(), names="value")
        self._tell()

    def _tell(self) -> None:
        self._said.value = self._view(self.value).to_html()

    def on_change(self, follow: Callable[[], None]) -> None:
        """Calls `follow` whenever another text was given."""
        self._area.observe(lambda _: follow(), "value")

    @property
    def incident(self) -> str:
        return str(self.field.value).strip()

    def to_html(self) -> str:
        return str(self._said.value)

    def __repr__(self) -> str:
        return str(self._view(self.value))
