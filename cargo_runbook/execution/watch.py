"""One run as it goes on: what it tells, how it is stopped, and why it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cargo_runbook.texts import Text

CELL_DEADLINE = 120
"""Seconds that a cell may take."""


class Killable(Protocol):
    """What a run can be ended by: its kernel."""

    def kill(self) -> None: ...


class Kernels(Protocol):
    """Where kernels come from: gives what nbclient takes for a kernel manager, and what a run can be ended by."""

    def kernel(self) -> Any: ...


class RunStopped(BaseException):
    """The run was told to stop. Not an Exception, so that nothing on the way takes it for a failing cell."""


def _nobody(*_: Any) -> None: ...


@dataclass
class Watch:
    """What one run tells while it goes on, and how it can be stopped from another thread.

    `progress` gets the number of code cells that are done and how many there are, `began` the id that the record will
    have; `reason` says why a run did not come to its end, and is empty for one that did.
    """

    progress: Callable[[int, int], None] = _nobody
    began: Callable[[str], None] = _nobody
    reason: Text | None = None
    kernel: Killable | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _why: Text | None = None

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def why(self) -> Text | None:
        """Why the run was told to stop."""
        return self._why

    def stop(self, why: Text) -> None:
        """Ends the run at once: the cell that runs is failed, those after it stay pending."""
        if not self.stopped:
            self._why = why
            self._stopped.set()
        if self.kernel is not None:
            self.kernel.kill()

    def failed(self, reason: Text) -> None:
        """Notes the first reason; what follows from it does not count."""
        if self.reason is None:
            self.reason = self._why or reason

    def over(self) -> None:
        """Nothing more is told. Who listened often knows the watch: both would stay until garbage is looked for."""
        self.progress = self.began = _nobody
