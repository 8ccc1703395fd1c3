"""The end of a notebook: what the engineer wants to say, and the sealed record."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.notebook import RecordNote
from cargo_runbook.views.panels.panel import Panel, TextPanel
from cargo_runbook.views.panels.speech import SPEECH

_NOTES = Text("Notes: what you saw, decided or did", "备注：看到、决定或做了什么")


class NotesPanel(TextPanel):
    """A box for notes, which are kept with the record; `value` is the text.

    Args:
        text: what stands there from the start.
        keep: called with the text whenever it was changed; gives what is to be said about it.
        interactive: False shows the text alone.
    """

    def __init__(self, text: str, keep: Callable[[str], Text], *, interactive: bool = True) -> None:
        self._area = ipywidgets.Textarea(value=text, continuous_update=False, rows=4, layout={"width": "auto"})
        self._said = ipywidgets.Label()
        SPEECH.label(_NOTES, lambda label: self._area.set_trait("placeholder", label))
        super().__init__([self._area, self._said], interactive=interactive)

        def kept(_: object = None) -> None:
            said = keep(self.value)
            self._said.value = SPEECH.say(said) if said.en else ""

        if text:
            kept()
        self._area.observe(kept, "value")

    def __repr__(self) -> str:
        return words.plain(self.value) or f"{_NOTES.en} · {_NOTES.zh}"


class ConcludePanel(Panel):
    """The record that was sealed last; `value` is the note about it."""

    def __init__(self, note: RecordNote) -> None:
        self._note = note
        self._shown = ipywidgets.HTML(note.to_html(live=True))
        super().__init__([self._shown])

    @property
    def value(self) -> RecordNote:
        return self._note

    def show(self, note: RecordNote) -> None:
        """Another record was sealed, of what came after the first."""
        if note != self._note:
            self._note = note
            self._shown.value = note.to_html(live=True)

    def to_html(self) -> str:
        return self._note.to_html()

    def __repr__(self) -> str:
        return str(self._note)
