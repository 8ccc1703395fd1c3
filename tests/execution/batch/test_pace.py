"""No run begins where it would only take a core from others; and one always goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cargo_runbook.errors import RunFailed
from cargo_runbook.execution.batch.book import Book, Order
from cargo_runbook.execution.batch.plan import BatchPlan
from cargo_runbook.execution.batch.queue import Job, Limits
from cargo_runbook.execution.batch.runner import Batch
from cargo_runbook.execution.run import RunResult
from cargo_runbook.execution.watch import Watch
from tests.execution.batch.test_place_lost import Silent

NAMES = tuple(f"site-{number}" for number in range(6))


class Counted(Silent):
    number = 0

    def began(self, environment: str) -> None:
        self.number += 1


class Place:
    """Each run gives more of them than are `expected` a moment to come."""

    def __init__(self, enough: int, expected: int) -> None:
        self.most = 0
        self.told: list[int] = []
        self.begun: Callable[[], int] = int
        self._enough, self._expected = enough, expected
        self._now = 0
        self._changed = threading.Condition()

    def busy(self, running: int) -> bool:
        return running >= self._enough

    def last_began(self) -> None:
        self.told.append(self.begun())

    def run(self, job: Job, watch: Watch) -> RunResult:
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._now > self._expected, 0.1)
            self._now -= 1
        raise RunFailed("over")


@pytest.mark.parametrize(("enough", "most"), [(0, 1), (2, 2), (99, 4)])
def test_as_many_runs_go_on_as_the_place_has_room_for_and_never_none(enough: int, most: int, tmp_path: Path) -> None:
    order = Order("20260304T100000", "00_triage", "", NAMES)
    plan = BatchPlan(order, tmp_path / "x.ipynb", {}, tuple(map(Job, NAMES)))
    book = Book(tmp_path, order)
    place = Place(enough, most)
    counted = Counted()
    place.begun = lambda: counted.number
    try:
        outcomes = Batch(plan, book, place, counted, Limits(at_once=4)).run()
    finally:
        book.release()
    assert [outcome.environment for outcome in outcomes] == list(NAMES)
    assert place.most == most
    assert place.told == [len(NAMES)], "told once, and when all had begun"
