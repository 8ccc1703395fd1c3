"""A whole look before the fork, answered by evidence that is shipped: what each kernel would do for the first time.

The first look of an interpreter takes more than twice as long as its second: modules and tables are read when they are first
used, and code becomes fast by being run. Nothing is asked of any host, and nothing of this look is left: it writes into a
folder that goes away, its tokens are made with a key of its own, and its names are forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.guard import Guard
from cargo_runbook.execution.triage import Triage
from cargo_runbook.findings import CHECKS
from cargo_runbook.investigation import open_investigation
from cargo_runbook.recordings import HEALTHY
from cargo_runbook.secret import Redactor
from cargo_runbook.steps import SECTIONS

if TYPE_CHECKING:
    from cargo_runbook.execution.warm.shell import ForkedApp

_RUNBOOK = "00_triage"
_ENVIRONMENT = "cargo"
_RECORD = f"20260101T000000Z-{_ENVIRONMENT}-{_RUNBOOK}-000000"
_THREADS_END = 2.0
"""Seconds that threads which were joined may take until the system has forgotten them."""


def rehearse_look(app: ForkedApp) -> None:
    """Takes the look of a triage in the shell, shown and looked through for secrets as in a kernel.

    Where it can't be taken (no folder to write to, say) kernels do without.
    """
    redactor = Redactor(token_hex())
    steps = SECTIONS[_RUNBOOK]
    with (
        suppress(OSError, RunbookError),
        TemporaryDirectory(prefix="cargo-runbook-") as place,
        open_investigation(_ENVIRONMENT, replay=HEALTHY, redactor=redactor) as investigation,
        _guarded(app, redactor),
    ):
        folder = Path(place, _RECORD)
        folder.mkdir()
        triage = Triage(investigation, steps=steps, record=folder, redactor=redactor)
        looks = [f'triage.look("{name}")' for name in (*CHECKS, *(step.name for step in steps))]
        cells = [
            "triage.checks()",
            *looks,
            "triage.verdict()",
            "triage.compare()",
            "triage.notes()",
            "triage.conclude()",
        ]
        app.rehearse(cells, triage=triage)
    _threads_are_over()


@contextmanager
def _guarded(app: ForkedApp, redactor: Redactor) -> Iterator[None]:
    """What is shown passes a guard, as it will in each kernel with one of its own."""
    session = app.session
    session.send = Guard(session.send, redactor)
    try:
        yield
    finally:
        del session.send


def _threads_are_over() -> None:
    """A thread is there for a moment after it was joined, and whoever has two can't be forked from."""
    end = time.monotonic() + _THREADS_END
    while len(list(Path("/proc/self/task").iterdir())) > 1 and time.monotonic() < end:
        time.sleep(0.001)
