"""Progress bars, one an environment, on standard error and only where a terminal shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cargo_runbook.cli.console import err
from cargo_runbook.texts import language_from
from cargo_runbook.views.words import HEALTH, one_line

if TYPE_CHECKING:
    from rich.progress import Progress

_STYLES = {"healthy": "green", "fault": "bold red", "unknown": "yellow", "failed": "bold red"}


class Bars:
    """A bar for each name; may be moved from several threads. Without `progress` nothing is shown."""

    def __init__(self, progress: Progress | None, names: Sequence[str]) -> None:
        self._progress = progress
        if progress is None:
            return
        width = max(len(name) for name in names)
        self._tasks = {name: progress.add_task(one_line(name).ljust(width), total=None, status="") for name in names}

    def move(self, name: str, done: int, total: int) -> None:
        """`done` of `total` steps are behind us."""
        if self._progress is not None:
            self._progress.update(self._tasks[name], completed=done, total=total)

    def end(self, name: str, status: str) -> None:
        """The bar stands still and says how it ended."""
        if self._progress is None:
            return
        word = HEALTH[status].say(language_from())
        style = _STYLES[status]
        self._progress.update(self._tasks[name], completed=1, total=1, status=f"[{style}]{word}[/{style}]")
        self._progress.stop_task(self._tasks[name])


@contextmanager
def bars(names: Sequence[str]) -> Iterator[Bars]:
    """Bars for the time of a with block; nothing at all is shown where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield Bars(None, names)
        return
    # Late: a command that prints JSON for a machine need not wait for it.
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = err()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("{task.fields[status]}"), console=console, disable=not console.is_terminal
    ) as shown:
        yield Bars(shown, names)
