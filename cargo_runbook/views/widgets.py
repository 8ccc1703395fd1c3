"""Widgets of the notebooks. Each has `value`, and works as plain text where no front end listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views import words

_LABEL = Text("Environment", "环境")


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
