"""The contract of all panels.

A panel has a `value` and a `layout`. Where nobody listens (a run by papermill) it shows what the parameters say, as
text and HTML, and nothing of it is a widget. Run again, a cell shows the same panel, or one with the same value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets
from ipywidgets import comm

WIDGET_TYPE = "application/vnd.jupyter.widget-view+json"


class _Made(type):
    """How panels are made: where nobody listens, their widgets are told to nobody. A notebook keeps the states of all
    widgets that it was told of, and forty of them would be an eighth of a record."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        with _heard(named.get("interactive", True)):
            return super().__call__(*arguments, **named)


@contextmanager
def _heard(interactive: bool) -> Iterator[None]:
    way = comm.create_comm
    # Outside of a kernel widgets have the same.
    comm.create_comm = way if interactive else comm.comm.DummyComm
    try:
        yield
    finally:
        comm.create_comm = way


class Panel(metaclass=_Made):
    """Base of the panels; a subclass says what its value is, and how it looks as text and as HTML.

    Args:
        children: widgets, from top to bottom.
        interactive: False where nobody listens.
    """

    def __init__(self, children: list[Any], *, interactive: bool = True) -> None:
        self.interactive = interactive
        self._box = ipywidgets.VBox(children)
        self._box.add_class("crb-panel")

    @property
    def value(self) -> Any:
        raise NotImplementedError

    @property
    def layout(self) -> Any:
        """The layout of the whole panel."""
        return self._box.layout

    def to_html(self) -> str:
        """What stands in a record in its place; empty for text alone."""
        return ""

    def __repr__(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # Both arguments are hints of IPython's display protocol that may be ignored.
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        if html := self.to_html():
            bundle["text/html"] = html
        if self.interactive:
            bundle[WIDGET_TYPE] = self._box._repr_mimebundle_()[WIDGET_TYPE]
        return bundle


class TextPanel(Panel):
    """A panel whose value is the text in a box; a subclass makes the box."""

    _area: ipywidgets.Textarea

    @property
    def value(self) -> str:
        return str(self._area.value)

    @value.setter
    def value(self, text: str) -> None:
        self._area.value = text


def button(*, style: str = "", icon: str = "") -> Any:
    """A button; its label is given by the language (see `speech.py`)."""
    made = ipywidgets.Button(icon=icon, layout={"width": "auto"})
    made.add_class("crb-button")
    if style:
        made.add_class(f"crb-button-{style}")
    return made


def row(*children: Any) -> Any:
    """Widgets beside each other, below each other where there is no room."""
    return ipywidgets.HBox(list(children), layout={"flex_flow": "row wrap", "align_items": "center"})
