"""Widgets of the notebooks. Each has `value`, and works as plain text where no front end listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views import words

_LABEL = Text("Environment", "环境")
_PASTE = Text("Paste what the client printed", "粘贴客户端的报错")


class Shown(Protocol):
    """What can be shown as HTML and as text."""

    def to_html(self) -> str: ...

    def __str__(self) -> str: ...


class EnvironmentChooser:
    """Chooses an environment; `value` is the choice.

    Args:
        names: those that there are, in the order of the list.
        default: the parameter of the notebook; offered even when the inventory does not have it.
        interactive: False shows plain text, for a notebook that runs without anybody at it.
    """

    def __init__(self, names: Sequence[str], default: str, *, interactive: bool = True) -> None:
        self.names = tuple(names) if default in names or not default else (default, *names)
        self.interactive = interactive
        self._box = ipywidgets.Dropdown(
            options=self.names,
            value=default or (self.names[0] if self.names else None),
            description=f"{_LABEL.en} · {_LABEL.zh}",
            style={"description_width": "initial"},
        )

    @property
    def value(self) -> str:
        return str(self._box.value or "")

    @value.setter
    def value(self, name: str) -> None:
        self._box.value = name

    @property
    def layout(self) -> Any:
        return self._box.layout

    def __repr__(self) -> str:
        return f"{_LABEL.en} · {_LABEL.zh}: {words.one_line(self.value)}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if not self.interactive:
            return {"text/plain": repr(self)}
        return {**self._box._repr_mimebundle_(), "text/plain": repr(self)}


class PasteBox:
    """A box to paste an error text into, with what it says below it; `value` is the text.

    Args:
        text: the parameter of the notebook; stands in the box from the start.
        view: what a text says, asked for again whenever the text changes.
        interactive: False shows only what `text` says, for a notebook that runs without anybody at it.
    """

    def __init__(self, text: str, view: Callable[[str], Shown], *, interactive: bool = True) -> None:
        self.interactive = interactive
        self._view = view
        label = f"{_PASTE.en} · {_PASTE.zh}"
        # By the way of continuous updates every letter that is typed would be explained.
        self._area = ipywidgets.Textarea(
            value=text, placeholder=label, continuous_update=False, rows=5, layout={"width": "100%"}
        )
        self._said = ipywidgets.HTML()
        self._box = ipywidgets.VBox([self._area, self._said])
        self._area.observe(lambda _: self._tell(), names="value")
        self._tell()

    def _tell(self) -> None:
        self._said.value = self._view(self.value).to_html()

    @property
    def value(self) -> str:
        return str(self._area.value)

    @value.setter
    def value(self, text: str) -> None:
        self._area.value = text

    @property
    def layout(self) -> Any:
        return self._box.layout

    def __repr__(self) -> str:
        return str(self._view(self.value))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if not self.interactive:
            return {"text/plain": repr(self), "text/html": self._said.value}
        return {**self._box._repr_mimebundle_(), "text/plain": repr(self)}
