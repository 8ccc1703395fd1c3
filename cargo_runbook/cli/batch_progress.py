"""What one sees of a batch while it goes on: a live table on a terminal, a line a run elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cargo_runbook.cli.console import err, message, tell
from cargo_runbook.texts import language_from
from cargo_runbook.views.words import HEALTH, one_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from cargo_runbook.execution.batch.book import Outcome
    from cargo_runbook.execution.batch.plan import BatchPlan
    from cargo_runbook.execution.batch.queue import Limits

_MOST = 16
_REDRAWN = 0.5


class Lines:
    """A plain line a run on standard error; with `as_json` its data on standard output as well."""

    def __init__(self, total: int, *, as_json: bool, quiet: bool = False) -> None:
        self.total = total
        self.done = 0
        self._as_json = as_json
        self._quiet = quiet

    def began(self, environment: str) -> None:
        return

    def moved(self, environment: str, done: int, total: int) -> None:
        return

    def ended(self, outcome: Outcome) -> None:
        self.done += 1
        if self._as_json:
            print(json.dumps(outcome.to_json(), ensure_ascii=False), flush=True)
        if not self._quiet:
            width = len(str(self.total))
            word = HEALTH[outcome.status].say(language_from())
            told = " ".join((*outcome.root_causes, one_line(outcome.why.say(language_from())))).strip()
            name = one_line(outcome.environment)
            message(f"[{self.done:>{width}}/{self.total}] {name}  {word}  {told}  {outcome.seconds:.1f} s")

    def tick(self) -> None:
        return


class Table(Lines):
    """The live table: counts, rate and remaining time, and the runs that go on."""

    def __init__(self, total: int, live: Live, *, as_json: bool) -> None:
        super().__init__(total, as_json=as_json, quiet=True)
        self._live = live
        self._began = self._drawn = time.monotonic()
        self._count: Counter[str] = Counter()
        self._running: dict[str, tuple[float, int, int]] = {}

    def began(self, environment: str) -> None:
        self._running[environment] = (time.monotonic(), 0, 0)

    def moved(self, environment: str, done: int, total: int) -> None:
        if environment in self._running:
            self._running[environment] = (self._running[environment][0], done, total)

    def ended(self, outcome: Outcome) -> None:
        super().ended(outcome)
        self._count[outcome.status] += 1
        self._running.pop(outcome.environment, None)

    def tick(self) -> None:
        if time.monotonic() - self._drawn >= _REDRAWN:
            self._drawn = time.monotonic()
            self._live.update(self.table(), refresh=True)

    def table(self) -> RenderableType:
        """The table as it is now."""
        from rich.table import Table as Grid
        from rich.text import Text as RichText

        now = time.monotonic()
        rate = self.done / max(now - self._began, 0.001)
        left = self.total - self.done
        remaining = f"{left / rate:.0f} s" if self.done else "…"
        say = language_from()
        words = {"healthy": "green", "fault": "bold red", "unknown": "yellow", "failed": "bold red"}
        counts = "   ".join(
            f"[{style}]{HEALTH[status].say(say)} {self._count[status]}[/{style}]" for status, style in words.items()
        )
        head = tell(
            f"done {self.done}/{self.total}   running {len(self._running)}   left {left}   {rate:.1f}/s   {remaining}",
            f"完成 {self.done}/{self.total}   运行中 {len(self._running)}   剩余 {left}   {rate:.1f}/s   {remaining}",
        )
        grid = Grid.grid(padding=(0, 2, 0, 0))
        outer = Grid.grid()
        outer.add_row(RichText(head, style="bold"))
        outer.add_row(RichText.from_markup(counts))
        for name, (began, done, total) in list(self._running.items())[:_MOST]:
            bar = "━" * (10 * done // total if total else 0)
            grid.add_row(
                RichText(f"  {one_line(name)}"), RichText(bar.ljust(10, "·")), f"{done}/{total}", f"{now - began:.0f} s"
            )
        outer.add_row(grid)
        return outer


@contextmanager
def progress_of(plan: BatchPlan, limits: Limits, *, as_json: bool) -> Iterator[Lines]:
    """The listener of a batch for the time of a with block."""
    total = len(plan.jobs)
    if not sys.stderr.isatty():
        yield Lines(total, as_json=as_json, quiet=as_json)
        return
    from rich.live import Live

    with Live(console=err(), auto_refresh=False, transient=True) as live:
        yield Table(total, live, as_json=as_json)
