"""The record of a notebook that is stepped through by hand: a draft on the disk from the first step on.

After each cell the draft holds all that ran until then, with its evidence and its ledger. It is sealed by `conclude()`,
at the kernel's end, or, where the kernel was killed, when the same runbook is opened for the same environment again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.archive.files import utc, write_json, write_text
from cargo_runbook.archive.ledger import Ledger, StepStatus
from cargo_runbook.archive.record import BY_HAND, NOTE_FILE, NOTEBOOK, Record
from cargo_runbook.archive.sealing.changes import keep_change
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import file_evidence, file_look
from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.session import executed_cells, notebook_name
from cargo_runbook.execution.stepping.origin import origin_now
from cargo_runbook.findings import Diagnosis
from cargo_runbook.investigation import Investigation
from cargo_runbook.observations import Observation
from cargo_runbook.redaction.notebook import redacted_notebook
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.secret import Redactor

NOT_CONCLUDED = "the notebook was not concluded"


@dataclass(frozen=True)
class Seen:
    """All that a draft holds of the look itself: earlier evidence, and the look that the verdict is of."""

    earlier: tuple[Observation, ...]
    investigation: Investigation
    diagnosis: Diagnosis | None


class Keeper:
    """Keeps the draft of one notebook.

    Args:
        reports: folder of all records.
        environment: name.
        steps: names of all steps of the notebook, for the ledger.
        seen: gives what was seen so far.
        outcomes: gives the changes that were made so far.
        incident: what the record belongs to.
        redactor: what everything passes that is kept.
    """

    def __init__(
        self,
        reports: Path,
        environment: str,
        steps: Sequence[str],
        *,
        seen: Callable[[], Seen],
        outcomes: Callable[[], Sequence[Outcome]],
        incident: str,
        redactor: Redactor,
    ) -> None:
        self._reports, self._environment, self._steps = reports, environment, tuple(steps)
        self._seen, self._outcomes = seen, outcomes
        self._incident, self._redactor = incident, redactor
        self._draft: Draft | None = None
        self._ledger: Ledger | None = None
        self._notes = ""
        self._known: dict[str, str] = {}
        # Before Jupyter's server writes outputs into the file.
        self._origin = origin_now()
        self._about_runbook: dict[str, str] = {}
        self._started = datetime.now(UTC)
        self.sealed: Record | None = None

    @property
    def folder(self) -> Path | None:
        """The draft; None while there is nothing to keep."""
        return self._draft.folder if self._draft else None

    def begin(self, step: str) -> None:
        """A step is about to run: from now on there is a draft, and its ledger says so."""
        self._open()
        if self._ledger and step in self._steps:
            self._ledger.begin(self._steps.index(step))

    def end(self, step: str, status: StepStatus, reason: str = "") -> None:
        """A step came to this; what it saw is on the disk when this returns."""
        if self._ledger and step in self._steps:
            self._ledger.end(self._steps.index(step), status, reason)
        self.save()

    def note(self, text: str) -> None:
        """Keeps the engineer's notes, the newest in the place of those before."""
        self._notes = text.strip()
        if self._notes or self._draft:
            self._open()
            self.save()

    def save(self) -> None:
        """Writes evidence, verdict, notes and the cells that ran into the draft; nothing while there is none."""
        if self._draft is None:
            return
        folder, seen = self._draft.folder, self._seen()
        if seen.diagnosis is not None:
            file_look(folder, seen.investigation, seen.diagnosis)
        # Last that of the verdict's own look: judged again, it is this that counts.
        file_evidence(folder, (*seen.earlier, *seen.investigation.evidence))
        for outcome in self._outcomes():
            keep_change(folder, outcome.change)
        if self._notes:
            note = {"at": utc(datetime.now(UTC)), "text": self._redactor.redact(self._notes)}
            write_json(folder / NOTE_FILE, note)
        if cells := executed_cells():
            # Late: it brings nbformat, which the kernel of a run has no use for.
            from cargo_runbook.execution.saving import notebook_text

            notebook = json.loads(cells)
            self._tell_edited([cell["source"] for cell in notebook["cells"]])
            write_text(folder / NOTEBOOK, notebook_text(redacted_notebook(notebook, self._redactor)))

    def seal(self, reason: str = "") -> Record:
        """Seals all that there is; what comes after goes into another record, which names this one."""
        draft = self._open()
        self.save()
        seen = self._seen()
        if self._ledger:
            self._ledger.close(reason)
        diagnosis, about = seen.diagnosis, self._about_runbook
        try:
            self.sealed = draft.seal(
                status=str(diagnosis.status) if diagnosis else "failed",
                domain=seen.investigation.environment.domain,
                root_causes=diagnosis.root_causes if diagnosis else (),
                replayed=seen.investigation.replayed,
                reason=reason,
                redactor=self._redactor,
                runbook_sha256=about.get("runbook_sha256", ""),
                opened_from=about.get("opened_from", ""),
                edited=about.get("edited", ""),
            )
        finally:
            if self._ledger:
                self._ledger.release()
            self._draft = self._ledger = None
        return self.sealed

    def kernel_ends(self) -> None:
        """Seals what was not concluded. Called when the interpreter ends: it can tell nobody of a failure."""
        if self._draft is not None:
            with suppress(RunbookError, OSError):
                self.seal(NOT_CONCLUDED)

    def _open(self) -> Draft:
        if self._draft is None:
            began = datetime.now(UTC) if self.sealed else self._started
            draft = Draft(self._reports, self._environment, notebook_name(), began, incident=self._incident)
            look = self._seen().investigation
            about = {"incident": draft.incident, "domain": look.environment.domain, "replayed": look.replayed}
            self._ledger = Ledger(draft.folder, self._environment, draft.runbook, self._redactor.redact, about)
            self._ledger.run(list(enumerate(self._steps)))
            follows = self.sealed.header.record if self.sealed else ""
            self._known = {"incident": draft.incident, "domain": look.environment.domain, "follows": follows}
            write_json(draft.folder / BY_HAND, {**self._known, **self._about_runbook})
            self._draft = draft
        return self._draft

    def _tell_edited(self, ran: Sequence[str]) -> None:
        """Keeps in the draft whether what ran is what the runbook says, for whoever seals it should the kernel die."""
        if self._draft is None or self._origin is None:
            return
        digest, edited = self._origin.sha256, " ".join(map(str, self._origin.edited(ran)))
        about = {"runbook_sha256": "" if edited else digest, "opened_from": digest if edited else "", "edited": edited}
        if about != self._about_runbook:
            self._about_runbook = about
            write_json(self._draft.folder / BY_HAND, {**self._known, **about})
