"""The list of the runbooks, which follows the environment that is chosen and the text that is pasted above it."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from cargo_runbook.views.index import IndexView
from cargo_runbook.views.panels.panel import Panel


class IndexPanel(Panel):
    """`value` is the name of the runbook that is suggested; empty when no text was pasted.

    Args:
        look: what is to be shown now.
        interactive: False shows it once.
    """

    def __init__(self, look: Callable[[], IndexView], *, interactive: bool = True) -> None:
        self._look = look
        self._shown = ipywidgets.HTML()
        super().__init__([self._shown], interactive=interactive)
        self.follow()

    def follow(self) -> None:
        """Shows what is so now."""
        self._view = self._look()
        self._shown.value = self._view.to_html(live=True)

    @property
    def value(self) -> str:
        return self._view.suggested

    def to_html(self) -> str:
        return self._view.to_html()

    def __repr__(self) -> str:
        return str(self._view)
