"""Where the runs of a batch are done: on this machine, or wherever else (see `execution/remote`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.batch.plan import BatchPlan
from cargo_runbook.execution.batch.queue import Job
from cargo_runbook.execution.watch import CELL_DEADLINE, Watch
from cargo_runbook.recordings import load_recording
from cargo_runbook.texts import Text, tell

if TYPE_CHECKING:
    from cargo_runbook.execution.run import RunResult
    from cargo_runbook.execution.warm.kernels import WarmKernels

SAVE_EVERY = 5.0
"""Seconds that the file of a notebook may be behind its run; the ledger never is."""


class PlaceLost(RunbookError):
    """Nothing can be run there any more. `why` says so in both languages: it becomes the reason of other runs."""

    exit_code = 3

    def __init__(self, why: Text) -> None:
        super().__init__(tell(why.en, why.zh))
        self.why = why


class Place(Protocol):
    """Does one run, and leaves its record in the archive; called from many threads."""

    def run(self, job: Job, watch: Watch) -> RunResult:
        """Tells `watch` when it begins and how far it is; ends early when that is stopped.

        Raises:
            RunbookError: there is no record, as the sentence says; `PlaceLost` when no other run can be done either.
        """
        ...

    def busy(self, running: int) -> bool:
        """Whether one more run than those that go on would only take the cores from them."""
        ...

    def last_began(self) -> None:
        """Told when there is nothing left to begin."""
        ...


@dataclass
class ThisMachine:
    """Runs here, each in a kernel of its own.

    Args:
        plan: what is to be done.
        kernels: where kernels come from.
        reports, inventory: folders.
        cell_deadline: seconds for a cell.
    """

    plan: BatchPlan
    kernels: WarmKernels
    reports: Path
    inventory: Path | None = None
    cell_deadline: int = CELL_DEADLINE
    _banner: str = field(init=False)

    def __post_init__(self) -> None:
        self._banner = load_recording(self.plan.order.replay).banner if self.plan.order.replay else ""

    def busy(self, running: int) -> bool:
        """As `Place` has it; runs that wait for answers take no core."""
        return self.kernels.crowded(running)

    def last_began(self) -> None:
        """As `Place` has it."""
        self.kernels.end_together()

    def run(self, job: Job, watch: Watch) -> RunResult:
        """As `Place` has it."""
        from cargo_runbook.execution.run import Opened, run_notebook

        order, parameters = self.plan.order, self.plan.parameters
        return run_notebook(
            str(self.plan.source),
            job.environment,
            inventory=self.inventory,
            reports=self.reports,
            parameters=parameters,
            replay=order.replay,
            watch=watch,
            deadline=self.cell_deadline,
            kernels=self.kernels,
            save_every=SAVE_EVERY,
            incident=order.incident,
            # An image is looked at by whoever opens the environment.
            opened=None if parameters.get("image") or not job.domain else Opened(job.domain, self._banner),
        )
