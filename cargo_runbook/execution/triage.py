"""What a notebook calls: look at one check after the other, judge, conclude.

The same calls serve a person in JupyterLab, who chooses and repeats, and a run by papermill, where nobody is there.
"""

from __future__ import annotations

import atexit
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.archive.changes import keep_change
from cargo_runbook.archive.files import write_text
from cargo_runbook.archive.look import file_look
from cargo_runbook.archive.record import NOTEBOOK, RECORD_VARIABLE, Draft, final_folder, reports_folder
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.fix_step import REPLAYED, FixStep
from cargo_runbook.execution.guard import guard_running_kernel
from cargo_runbook.execution.pasting import image_of, proven_causes, understood
from cargo_runbook.execution.session import executed_cells, notebook_name
from cargo_runbook.findings import CHECKS, Diagnosis
from cargo_runbook.inventory.loader import environment_names, find_inventory
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording
from cargo_runbook.redaction.notebook import redacted_notebook
from cargo_runbook.remedies.outcome import Wish
from cargo_runbook.secret import Redactor
from cargo_runbook.steps import SECTIONS, Step
from cargo_runbook.symptoms.answer import Answer
from cargo_runbook.views.fix import FixPanel, FixView
from cargo_runbook.views.notebook import RecordNote, StepView, VerdictCard
from cargo_runbook.views.pasted import PastedView
from cargo_runbook.views.widgets import EnvironmentChooser


class Triage:
    """The look at one environment, as a notebook takes it.

    Args:
        investigation: where questions go.
        steps: those of the section that the notebook is about, beside the checks of the path.
        record: draft of the runner that this run is kept in; None when stepping through by hand.
        reports: where a record goes that is made by hand.
        wish: what is looked for, as a fix takes it; empty for a replay, which nothing can be fixed in.
        inventory: folder of the inventory.
        said: what the error text says that was pasted; None when there is none.
        redactor: what everything passes that is kept.
    """

    def __init__(
        self,
        investigation: Investigation,
        *,
        steps: tuple[Step, ...] = (),
        record: Path | None = None,
        reports: Path | None = None,
        wish: Wish | None = None,
        inventory: Path | None = None,
        said: Answer | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.investigation = investigation
        self._said = said
        self._redactor = redactor or Redactor()
        self._wish = wish
        self._inventory = inventory
        self._fixes: FixStep | None = None
        self._steps = {step.name: step for step in steps}
        self._record = record
        self._reports = reports
        self._asked: dict[str, tuple[str, ...]] = {}
        self._started = datetime.now(UTC)
        self._diagnosis: Diagnosis | None = None

    def look(self, name: str) -> StepView:
        """Asks what one step of the section or one check of the path needs, and shows what was found.

        Raises:
            UsageError: there is no step and no check of that name.
        """
        investigation = self.investigation
        before = {observation.id for observation in investigation.evidence}
        step = self._steps.get(name)
        if step is not None:
            findings, tables = investigation.look(step)
        elif name in CHECKS or not self._steps:
            findings, tables = investigation.check(name), ()
        else:
            known = ", ".join((*self._steps, *CHECKS))
            raise UsageError(f"there is no step named {name!r}", next_step=f"Steps and checks: {known}.")
        now = {observation.id for observation in investigation.evidence}
        shown = {link.observation for finding in findings for link in finding.chain}
        shown |= {cell.evidence for table in tables for row in table.rows for cell in row}
        # A cell that is run again shows the same evidence, though nothing new was asked.
        asked = set(self._asked.get(name, ())) | (now - before) | (shown & now)
        self._asked[name] = tuple(asked)
        return StepView(
            environment=investigation.environment.name,
            check=name,
            findings=findings,
            evidence=tuple(o for o in investigation.evidence if o.id in asked),
            replayed=investigation.replayed,
            question=step.title if step else None,
            tables=tables,
        )

    def verdict(self) -> VerdictCard:
        """All checks judged together: the root causes with their chains, what was ruled out, what was not tested."""
        self._diagnosis = self.investigation.diagnose()
        contact = self.investigation.environment.contact
        shown = f"{contact.name} {contact.how}".strip() if contact else ""
        return VerdictCard(self._diagnosis, self.investigation.evidence, shown)

    def compare(self) -> PastedView:
        """What the pasted error text says beside what was proven here."""
        if self._said is None:
            return PastedView(None)
        diagnosis = self._diagnosis or self.verdict().diagnosis
        return PastedView(self._said, proven_causes(self._said, diagnosis))

    def fix(self, approved: str = "", reason: str = "") -> FixView | FixPanel:
        """The plans for the root causes. Nothing is changed unless the digest of one was approved, or a person types
        the environment's name and presses the button.

        Args:
            approved: digest of a plan, or at least its first 12 digits; several for a batch, with spaces between them.
            reason: why; a production environment asks for it.

        Raises:
            StaleState: no plan has that digest (any more).
        """
        diagnosis = self._diagnosis or self.verdict().diagnosis
        if self._wish is None:
            return FixView(diagnosis.environment, "", (), {}, Redactor(), note=REPLAYED)
        reports = self._reports or reports_folder()
        self._fixes = FixStep(diagnosis, self._wish, inventory=find_inventory(self._inventory), reports=reports)
        return self._fixes.run(approved.strip(), reason, interactive=self._record is None)

    def conclude(self) -> RecordNote:
        """Keeps verdict and evidence in the record of the run; stepping through by hand, in a record of its own."""
        diagnosis = self._diagnosis or self.verdict().diagnosis
        if self._record is not None:
            file_look(self._record, self.investigation, diagnosis)
            self._keep_changes(self._record)
            return _note(diagnosis, self._record.name, str(final_folder(self._record)))
        draft = Draft(self._reports or reports_folder(), diagnosis.environment, notebook_name(), self._started)
        file_look(draft.folder, self.investigation, diagnosis)
        self._keep_changes(draft.folder)
        # Late: it brings nbformat, which the kernel of a run has no use for.
        from cargo_runbook.execution.saving import notebook_text

        cells = redacted_notebook(json.loads(executed_cells()), self._redactor)
        write_text(draft.folder / NOTEBOOK, notebook_text(cells))
        record = draft.seal(
            status=str(diagnosis.status),
            domain=diagnosis.domain,
            root_causes=diagnosis.root_causes,
            replayed=diagnosis.replayed,
            redactor=self._redactor,
        )
        return _note(diagnosis, record.header.record, str(record.path), record.head)

    def _keep_changes(self, folder: Path) -> None:
        """Copies plan and journal of what was done into the record; not the files, which may hold secrets."""
        for outcome in self._fixes.outcomes if self._fixes else ():
            keep_change(folder, outcome.change)


def open_environment(
    name: str,
    *,
    runbook: str = "",
    inventory: Path | None = None,
    image: str = "",
    account: str = "",
    action: str = "",
    policy: str = "",
    error_text: str = "",
    replay: str | None = None,
    reports: Path | None = None,
) -> Triage:
    """Opens an environment of the inventory for a triage or for one section; nothing is sent yet.

    Args:
        name: name of the environment.
        runbook: name of the section's notebook, whose steps are wanted (`60_permission`).
        inventory: folder of the inventory (default: as everywhere).
        image: repository:tag to look for instead of the inventory's.
        account, action: who wants to pull or push it, instead of all that the inventory says must work.
        policy: name of the replication policy to look at (default: all).
        error_text: what a client printed; the image that it names is looked for, where it is this registry's.
        replay: name of a shipped recording (default: CARGO_RUNBOOK_REPLAY).
        reports: folder for a record that is made by hand (default: CARGO_RUNBOOK_REPORTS, else ./reports).

    Raises:
        InventoryError, UnknownEnvironment, UsageError: as their sentences say.
    """
    if runbook and runbook not in SECTIONS:
        raise UsageError(f"there is no runbook {runbook!r} with steps", next_step=f"There are: {', '.join(SECTIONS)}.")
    said = understood(error_text) if error_text.strip() else None
    if said is not None and not image:
        with open_investigation(name, inventory=inventory, replay=replay) as opened:
            image = image_of(said, opened.environment)
    redactor = guard_running_kernel() or Redactor()
    investigation = open_investigation(
        name,
        inventory=inventory,
        image=image,
        account=account,
        action=action,
        policy=policy,
        replay=replay,
        redactor=redactor,
    )
    atexit.register(investigation.close)
    record = os.environ.get(RECORD_VARIABLE)
    return Triage(
        investigation,
        steps=SECTIONS.get(runbook, ()),
        record=Path(record) if record else None,
        reports=reports,
        wish=None if investigation.replayed else Wish("", name, image, account, action),
        inventory=inventory,
        said=said,
        redactor=redactor,
    )


def choose_environment(default: str = "") -> EnvironmentChooser:
    """A list of the inventory's environments, `default` chosen; plain text in a run without anybody at it."""
    try:
        replay = os.environ.get(REPLAY_VARIABLE)
        names = environment_names(load_recording(replay).folder if replay else find_inventory())
    except UsageError:
        # Opening the environment will say it with all that belongs to it.
        names = ()
    return EnvironmentChooser(names, default, interactive=RECORD_VARIABLE not in os.environ)


def _note(diagnosis: Diagnosis, record: str, path: str, head: str = "") -> RecordNote:
    return RecordNote(
        record=record,
        path=path,
        head=head,
        status=str(diagnosis.status),
        root_causes=diagnosis.root_causes,
        replayed=diagnosis.replayed,
        sections=tuple(dict.fromkeys(root.section for root in diagnosis.roots() if root.section)),
    )
