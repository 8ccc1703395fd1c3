"""A whole look before the fork, answered by evidence that is shipped: what each kernel would do for the first time.

The first look of an interpreter takes more than twice as long as its second: modules and tables are read when they are first
used, and code becomes fast by being run. Nothing is asked of any host, and nothing of this look is left: it writes into a
folder that goes away, its tokens are made with a key of its own, and its names are forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cargo_runbook.connections import Evidence, ReplayConnections, read_evidence
from cargo_runbook.connections.readonly import ReadOnly
from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.guard import Guard
from cargo_runbook.execution.opening import target_of
from cargo_runbook.execution.triage import Triage
from cargo_runbook.findings import CHECKS
from cargo_runbook.inventory.loader import environment_names, load_environment
from cargo_runbook.investigation import Investigation
from cargo_runbook.recordings import HEALTHY, load_recording
from cargo_runbook.secret import Redactor
from cargo_runbook.steps import SECTIONS
from cargo_runbook.views.panels import SPEECH, EnvironmentPanel, SymptomPanel
from cargo_runbook.views.pasted import PastedView

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
        _investigation() as investigation,
        _guarded(app, redactor),
    ):
        folder = Path(place, _RECORD)
        folder.mkdir()
        triage = Triage(investigation, steps=steps, record=folder, redactor=redactor)
        looks = [f'triage.look("{name}")' for name in (*CHECKS, *(step.name for step in steps))]
        cells = ["paste()", "choose()", "triage.checks()", *looks, "triage.verdict()", "triage.compare()"]
        app.rehearse([*cells, "triage.notes()", "triage.conclude()"], triage=triage, paste=_paste, choose=_choose)
        # Panels wait for another language.
        SPEECH.unobserve_all()
    _threads_are_over()


def _investigation() -> Investigation:
    """As `open_investigation` has it for a replay; and the read-only list is gone through, as for a host."""
    recording = load_recording(HEALTHY)
    environment = load_environment(_ENVIRONMENT, recording.folder)
    answers = ReplayConnections(read_evidence(recording.evidence_file(_ENVIRONMENT)))
    connections = Evidence(ReadOnly(answers, (host.root for host in environment.hosts)))
    return Investigation(environment, connections, replayed=recording.banner, concerns=recording.concerns)


def _paste() -> SymptomPanel:
    return SymptomPanel("", lambda text: PastedView(None), interactive=False)


def _choose() -> EnvironmentPanel:
    folder = load_recording(HEALTHY).folder
    target = partial(target_of, folder=folder, replayed=True)
    return EnvironmentPanel(environment_names(folder), _ENVIRONMENT, target, interactive=False)


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
