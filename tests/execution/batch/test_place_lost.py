"""A place where nothing can be run any more ends the other runs too; their records give the reason in English."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cargo_runbook.errors import RunFailed
from cargo_runbook.execution.batch.book import Book, Order, Outcome
from cargo_runbook.execution.batch.place import PlaceLost
from cargo_runbook.execution.batch.plan import BatchPlan
from cargo_runbook.execution.batch.queue import Job, Limits
from cargo_runbook.execution.batch.runner import Batch
from cargo_runbook.execution.run import RunResult
from cargo_runbook.execution.watch import Watch
from cargo_runbook.texts import Text

LOST = Text("the machines went away", "机器已断开")


class LostAtTheSecond:
    """The first run goes on until it is stopped; the second finds that the place is gone."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.why: Text | None = None

    def busy(self, running: int) -> bool:
        return False

    def last_began(self) -> None: ...

    def run(self, job: Job, watch: Watch) -> RunResult:
        if job.environment == "second":
            assert self.began.wait(10)
            raise PlaceLost(LOST)
        self.began.set()
        assert watch._stopped.wait(10)
        self.why = watch.why
        raise RunFailed("stopped")


class Silent:
    def began(self, environment: str) -> None: ...

    def moved(self, environment: str, done: int, total: int) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...

    def tick(self) -> None: ...


def test_the_reason_of_the_other_runs_is_known_in_both_languages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    place = LostAtTheSecond()
    order = Order("20260304T100000", "00_triage", "", ("first", "second"))
    plan = BatchPlan(order, tmp_path / "x.ipynb", {}, (Job("first"), Job("second")))
    book = Book(tmp_path, order)
    try:
        first, second = Batch(plan, book, place, Silent(), Limits(at_once=2)).run()
    finally:
        book.release()
    assert place.why == LOST
    assert (first.reason, second.reason, second.why) == ("stopped", LOST.en, LOST)
