"""Runs a batch: as many runs at a time as may be, wherever they are done; every end is written down as it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Condition
from typing import Protocol

from cargo_runbook.archive.files import utc
from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.batch.book import FAILED, Book, Outcome
from cargo_runbook.execution.batch.place import Place, PlaceLost
from cargo_runbook.execution.batch.plan import APPROVED, BatchPlan, cells_of
from cargo_runbook.execution.batch.queue import Job, Limits, Queue
from cargo_runbook.execution.watch import Watch
from cargo_runbook.findings import CHECKS, Verdict
from cargo_runbook.texts import Text

SILENT_AFTER = 20.0
"""Seconds without a cell that ends, after which a run gives its slot to another."""
_TICK = 0.25
_PATIENCE = 0.03


class Listener(Protocol):
    """Told what happens; called by one thread at a time."""

    def began(self, environment: str) -> None: ...

    def moved(self, environment: str, done: int, total: int) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...

    def tick(self) -> None: ...


@dataclass(frozen=True)
class Deadlines:
    """Seconds for a run and for the whole batch; 0 for none."""

    run: float = 1800.0
    batch: float = 0.0


@dataclass
class _Running:
    """A run that was taken: its clock starts when it really begins, which on another machine may be later."""

    watch: Watch
    taken: float
    began: float = math.inf
    heard: float = math.inf


@dataclass
class Batch:
    """A batch.

    Args:
        plan: what is to be done.
        book: where it is written down.
        place: where the runs are done.
        listener: told what happens.
        limits, deadlines: bounds.
    """

    plan: BatchPlan
    book: Book
    place: Place
    listener: Listener
    limits: Limits
    deadlines: Deadlines = field(default_factory=Deadlines)

    def __post_init__(self) -> None:
        self._changed = Condition()
        self._queue = Queue(self.plan.jobs, self.limits)
        self._running: dict[Job, _Running] = {}
        self._outcomes: dict[str, Outcome] = {outcome.environment: outcome for outcome in self.plan.known}
        self._why: Text | None = None
        self._looked = 0.0

    def run(self) -> tuple[Outcome, ...]:
        """Runs everything that is left; gives what came of all environments, in their order. May be `stop`ped.

        Raises:
            UsageError: the book can't be written; what runs is stopped first.
        """
        end = time.monotonic() + self.deadlines.batch if self.deadlines.batch else None
        # Silent runs keep their threads, and never are more than there are slots.
        with ThreadPoolExecutor(max_workers=2 * self.limits.at_once, thread_name_prefix="run") as pool, self._changed:
            while self._start(pool) or self._running:
                self._changed.wait(_TICK)
                self._look_after(end)
                self.listener.tick()
        if self._why is None:
            self.book.close()
        names = self.plan.order.environments
        return tuple(self._outcomes[name] for name in names if name in self._outcomes)

    def stop(self, why: Text) -> None:
        """Nothing more begins, and what runs ends at once with a true record. May be called from a signal handler."""
        self._why = self._why or why
        self._queue.drop()
        for running in tuple(self._running.values()):
            running.watch.stop(why)

    def _start(self, pool: ThreadPoolExecutor) -> bool:
        while self._why is None and self._room() and (job := self._queue.take()) is not None:
            self._running[job] = _Running(Watch(), time.monotonic())
            self.listener.began(job.environment)
            pool.submit(self._one, job, self._running[job])
            if not self._queue.waiting:
                self.place.last_began()
        return self._why is None and self._queue.waiting > 0

    def _room(self) -> bool:
        self._looked = time.monotonic()
        return not self._running or not self.place.busy(len(self._running))

    def _look_after(self, end: float | None) -> None:
        now = time.monotonic()
        if end is not None and now > end and self._why is None:
            self.stop(Text("the batch's deadline was over", "批次超时"))
        for job, running in tuple(self._running.items()):
            if self.deadlines.run and now - running.began > self.deadlines.run:
                limit = f"{self.deadlines.run:g}"
                running.watch.stop(Text(f"the run did not end within {limit} s", f"运行未在 {limit} 秒内结束"))
            if now - running.heard > SILENT_AFTER:
                self._queue.silent(job)

    def _one(self, job: Job, running: _Running) -> None:
        name = job.environment
        try:
            outcome = self._outcome(name, job, running)
        except RunbookError as error:
            outcome = self._failed(name, running, error.both)
            if isinstance(error, PlaceLost):
                with self._changed:
                    self.stop(error.why)
        except Exception as error:  # noqa: BLE001 - whatever one run can do must not hide the others
            # Its words may hold anything, but for what the system itself says.
            what = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            reason = Text(f"this should not have happened: {what}", f"不应发生的错误：{what}")
            outcome = self._failed(name, running, reason)
        running.watch.over()
        with self._changed:
            self._queue.done(job)
            self._running.pop(job, None)
            self._outcomes[name] = outcome
            try:
                self.book.end(outcome)
            except RunbookError as error:
                self.stop(error.both)
            self.listener.ended(outcome)
            self._changed.notify_all()

    def _outcome(self, name: str, job: Job, running: _Running) -> Outcome:
        def progress(done: int, total: int) -> None:
            with self._changed:
                running.heard = time.monotonic()
                self._queue.heard(job)
                self.listener.moved(name, done, total)
                # It may wait for something now: then another can begin.
                if self._queue.waiting and time.monotonic() - self._looked > _PATIENCE:
                    self._changed.notify_all()

        def began(record: str) -> None:
            # A run that is done again, because its machine went away, begins again.
            running.began = running.heard = time.monotonic()
            self.book.begin(name, record)

        running.watch.progress, running.watch.began = progress, began
        result = self.place.run(job, running.watch)
        return Outcome(
            environment=name,
            runbook=result.runbook,
            status=result.status,
            record=result.record,
            path=str(result.path),
            root_causes=result.root_causes,
            reason=result.reason,
            reason_zh=result.reason_zh,
            head=result.head,
            replayed=result.replayed,
            seconds=round(time.monotonic() - running.taken, 3),
            ended=utc(datetime.now(UTC)),
            cells=cells_of(result.path, result.status),
            changed=bool(self.plan.parameters.get(APPROVED)) or (result.path / "changes").is_dir(),
        )

    def _failed(self, name: str, running: _Running, reason: Text) -> Outcome:
        return Outcome(
            environment=name,
            runbook=self.plan.order.runbook,
            status=FAILED,
            reason=reason.en.splitlines()[0],
            reason_zh=reason.zh.splitlines()[0],
            seconds=round(time.monotonic() - running.taken, 3),
            ended=utc(datetime.now(UTC)),
            cells=dict.fromkeys(CHECKS, str(Verdict.UNKNOWN)),
        )


def totals(outcomes: tuple[Outcome, ...]) -> Mapping[str, int]:
    """How many runs there are, and how many of each status."""
    count = {status: sum(o.status == status for o in outcomes) for status in ("healthy", "fault", "unknown", FAILED)}
    return {"runs": len(outcomes), **count}
