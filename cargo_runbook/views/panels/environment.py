"""Which environment, and who that is: what one is about to touch, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.panels.panel import Panel, row
from cargo_runbook.views.panels.speech import SPEECH, language_switch
from cargo_runbook.views.target import TargetView

_LABEL = Text("Environment", "环境")


class EnvironmentPanel(Panel):
    """A list to choose from, with the identity of what was chosen below it; `value` is the name.

    Args:
        names: those that there are, in the order of the list.
        default: the parameter of the notebook; offered even when the inventory does not have it.
        target: the identity of an environment, read without asking any host.
        interactive: False shows the choice alone.
    """

    def __init__(
        self,
        names: Sequence[str],
        default: str,
        target: Callable[[str], TargetView] | None = None,
        *,
        interactive: bool = True,
    ) -> None:
        self.names = tuple(names) if default in names or not default else (default, *names)
        self._target = target
        self._list = ipywidgets.Dropdown(
            options=self.names,
            value=default or (self.names[0] if self.names else None),
            style={"description_width": "initial"},
        )
        self._identity = ipywidgets.HTML()
        self._shown: TargetView | None = None
        SPEECH.label(_LABEL, lambda label: self._list.set_trait("description", label))
        super().__init__([row(self._list, language_switch()), self._identity], interactive=interactive)
        self._list.observe(lambda _: self._tell(), "value")
        self._tell()

    def _tell(self) -> None:
        self._shown = self._target(self.value) if self._target and self.value else None
        self._identity.value = self._shown.to_html() if self._shown else ""

    def on_change(self, follow: Callable[[], None]) -> None:
        """Calls `follow` whenever another one is chosen."""
        self._list.observe(lambda _: follow(), "value")

    @property
    def value(self) -> str:
        return str(self._list.value or "")

    @value.setter
    def value(self, name: str) -> None:
        self._list.value = name

    def to_html(self) -> str:
        return str(self._identity.value)

    def __repr__(self) -> str:
        chosen = f"{_LABEL.en} · {_LABEL.zh}: {words.one_line(self.value)}"
        return f"{chosen}\n{self._shown}" if self._shown else chosen
