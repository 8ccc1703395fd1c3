"""What a notebook calls: look at one check after the other, judge, conclude.

The same calls serve a person in JupyterLab, who chooses and repeats, and a run by papermill, where nobody is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cargo_runbook.archive.files import utc, write_json, write_text
from cargo_runbook.archive.record import NOTE_FILE, NOTEBOOK, Record, reports_folder
from cargo_runbook.archive.sealing.changes import keep_change
from cargo_runbook.archive.sealing.draft import Draft, final_folder
from cargo_runbook.archive.sealing.look import file_look
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.fix_step import REPLAYED, FixStep
from cargo_runbook.execution.pasting import proven_causes
from cargo_runbook.execution.session import executed_cells, notebook_name
from cargo_runbook.findings import CHECKS, Diagnosis
from cargo_runbook.inventory.loader import find_inventory
from cargo_runbook.investigation import Investigation
from cargo_runbook.redaction.notebook import redacted_notebook
from cargo_runbook.remedies.outcome import Outcome, Wish
from cargo_runbook.secret import Redactor
from cargo_runbook.steps import Step
from cargo_runbook.symptoms.answer import Answer
from cargo_runbook.texts import Text, tell
from cargo_runbook.views import words
from cargo_runbook.views.checks import CheckLine, ChecksView
from cargo_runbook.views.fix import FixView
from cargo_runbook.views.notebook import RecordNote, StepView, VerdictCard
from cargo_runbook.views.pasted import PastedView
from cargo_runbook.views.plan import PROOFS

if TYPE_CHECKING:
    from cargo_runbook.execution.stepping.by_hand import ByHand
    from cargo_runbook.views.panels import ChecksPanel, ConcludePanel, FixPanel, NotesPanel, RunPanel
    from cargo_runbook.views.ran import RanNote


class Triage:
    """The look at one environment, as a notebook takes it.

    With a person in front of it (`reopen` is given) each call gives a panel: what ran is frozen, shown as it was when
    its cell runs again, and asked anew only by the panel's button or with `again=True`.

    Args:
        investigation: where questions go.
        steps: those of the section that the notebook is about, beside the checks of the path.
        record: draft of the runner that this run is kept in; None when stepping through by hand.
        reports: where a record goes that is made by hand.
        wish: what is looked for, as a fix takes it; empty for a replay, which nothing can be fixed in.
        inventory: folder of the inventory.
        said: what the error text says that was pasted; None when there is none.
        redactor: what everything passes that is kept.
        incident: what a record belongs to that is made by hand.
        reopen: opens another look, for a person who wants to ask again.
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
        incident: str = "",
        reopen: Callable[[], Investigation] | None = None,
    ) -> None:
        self._first = investigation
        self._said = said
        self._redactor = redactor or Redactor()
        self._wish = wish
        self._inventory = inventory
        self._fixes: FixStep | None = None
        self._steps = {step.name: step for step in steps}
        self._record = record
        self._reports = reports
        self._incident = incident
        self._asked: dict[str, tuple[str, ...]] = {}
        self._started = datetime.now(UTC)
        self._diagnosis: Diagnosis | None = None
        self._hand = self._by_hand(reopen) if reopen else None

    @property
    def investigation(self) -> Investigation:
        """The look that goes on."""
        return self._hand.investigation if self._hand else self._first

    def checks(self) -> ChecksPanel | ChecksView:
        """All steps that only read: a list with a button that runs them; without a person, the questions alone."""
        if self._hand:
            return self._hand.checks()
        return ChecksView(tuple(CheckLine(*each) for each in self._questions().items()), listed=True)

    def look(self, name: str, *, again: bool = False) -> StepView | RunPanel:
        """Asks what one step of the section or one check of the path needs, and shows what was found.

        Args:
            again: ask anew, where it ran before.

        Raises:
            UsageError: there is no step and no check of that name.
        """
        if name not in self._steps and name not in CHECKS:
            if not self._steps:
                raise UsageError(
                    tell(f"there is no check named {name!r}", f"没有名为 {name!r} 的检查"),
                    next_step=tell(f"Checks: {', '.join(CHECKS)}.", f"检查：{', '.join(CHECKS)}。"),
                )
            known = ", ".join((*self._steps, *CHECKS))
            raise UsageError(
                tell(f"there is no step named {name!r}", f"没有名为 {name!r} 的步骤"),
                next_step=tell(f"Steps and checks: {known}.", f"步骤和检查：{known}。"),
            )
        return self._hand.look(name, again=again) if self._hand else self._looked(name)

    def verdict(self, *, again: bool = False) -> VerdictCard | RunPanel:
        """All checks judged together: the root causes with their chains, what was ruled out, what was not tested."""
        return self._hand.verdict(again=again) if self._hand else self._judged()

    def compare(self) -> PastedView | RanNote:
        """What the pasted error text says beside what was proven here."""
        if self._said is None:
            return PastedView(None)
        if self._hand and self._diagnosis is None:
            from cargo_runbook.execution.stepping.by_hand import NEEDS_VERDICT

            return NEEDS_VERDICT
        return PastedView(self._said, proven_causes(self._said, self._diagnosis or self._judged().diagnosis))

    def fix(self, approved: str = "", reason: str = "") -> FixView | FixPanel | RanNote:
        """The plans for the root causes. Nothing is changed unless the digest of one was approved, or a person types
        the environment's name and presses the button.

        Args:
            approved: digest of a plan, or at least its first 12 digits; several for a batch, with spaces between them.
            reason: why; a production environment asks for it.

        Raises:
            StaleState: no plan has that digest (any more).
        """
        if self._wish is None:
            return FixView(self.investigation.environment.name, "", (), {}, Redactor(), note=REPLAYED)
        if self._hand:
            return self._hand.fix(self._fix_step, approved.strip(), reason)
        self._fixes = self._fix_step()
        return self._fixes.run(approved.strip(), reason, interactive=self._record is None)

    def notes(self, text: str = "") -> NotesPanel:
        """What the engineer wants to say, kept with the record."""
        if self._hand:
            return self._hand.notes(text)
        from cargo_runbook.views.panels import NotesPanel

        return NotesPanel(text, self._keep_note, interactive=False)

    def conclude(self) -> RecordNote | ConcludePanel:
        """Keeps verdict and evidence in the record of the run; stepping through by hand, in a record of its own."""
        if self._hand:
            if self._diagnosis is None:
                self.verdict()
            return self._hand.conclude()
        diagnosis = self._diagnosis or self._judged().diagnosis
        if self._record is not None:
            file_look(self._record, self.investigation, diagnosis)
            self._keep_changes(self._record)
            return _note(diagnosis, self._record.name, str(final_folder(self._record)))
        draft = Draft(
            self._reports or reports_folder(), diagnosis.environment, notebook_name(), self._started,
            incident=self._incident,
        )  # fmt: skip
        file_look(draft.folder, self.investigation, diagnosis)
        self._keep_changes(draft.folder)
        if cells := executed_cells():
            # Late: it brings nbformat, which the kernel of a run has no use for.
            from cargo_runbook.execution.saving import notebook_text

            write_text(draft.folder / NOTEBOOK, notebook_text(redacted_notebook(json.loads(cells), self._redactor)))
        record = draft.seal(
            status=str(diagnosis.status),
            domain=diagnosis.domain,
            root_causes=diagnosis.root_causes,
            replayed=diagnosis.replayed,
            redactor=self._redactor,
        )
        return _note(diagnosis, record.header.record, str(record.path), record.head)

    def _looked(self, name: str) -> StepView:
        investigation = self.investigation
        before = {observation.id for observation in investigation.evidence}
        step = self._steps.get(name)
        if step is not None:
            findings, tables = investigation.look(step)
        else:
            findings, tables = investigation.check(name), ()
        now = {observation.id for observation in investigation.evidence}
        shown = {link.observation for finding in findings for link in finding.chain}
        shown |= {cell.evidence for table in tables for row in table.rows for cell in row}
        # A step that is looked at again shows the same evidence, though nothing new was asked.
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

    def _judged(self) -> VerdictCard:
        self._diagnosis = self.investigation.diagnose()
        if self._hand:
            self._hand.judged(self._diagnosis)
        contact = self.investigation.environment.contact
        shown = f"{contact.name} {contact.how}".strip() if contact else ""
        return VerdictCard(self._diagnosis, self.investigation.evidence, shown)

    def _fix_step(self) -> FixStep:
        diagnosis = self._diagnosis or self._judged().diagnosis
        assert self._wish is not None
        reports = self._reports or reports_folder()
        # Where no run keeps a record there is a person, who may have waited since the verdict, or changed something.
        look = None if self._record is None else self._first
        return FixStep(diagnosis, self._wish, inventory=find_inventory(self._inventory), reports=reports, look=look)

    def _by_hand(self, reopen: Callable[[], Investigation]) -> ByHand:
        # Late: a run without anybody at it needs none of the panels.
        from cargo_runbook.execution.stepping.by_hand import ByHand

        return ByHand(
            self._first,
            reopen=reopen,
            questions=self._questions(),
            looked=self._looked,
            judged=self._judged,
            note=lambda record, follows, outcomes: _note_of(self._diagnosis, record, follows, outcomes),
            reports=self._reports or reports_folder(),
            incident=self._incident,
            redactor=self._redactor,
        )

    def _questions(self) -> dict[str, Text]:
        """The steps that only read: those of the section; in the triage the path comes first."""
        own = {name: step.title for name, step in self._steps.items()}
        path = {name: words.QUESTIONS[name] for name in CHECKS}
        return {**path, **own} if not own or ("logs" in own and len(own) == 1) else own

    def _keep_note(self, text: str) -> Text:
        """In a run by papermill the note lies in the draft of the run."""
        if self._record is not None:
            note = {"at": utc(datetime.now(UTC)), "text": self._redactor.redact(text.strip())}
            write_json(self._record / NOTE_FILE, note)
        return Text("", "")

    def _keep_changes(self, folder: Path) -> None:
        """Copies plan and journal of what was done into the record; not the files, which may hold secrets."""
        for outcome in self._fixes.outcomes if self._fixes else ():
            keep_change(folder, outcome.change)


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


def _note_of(diagnosis: Diagnosis | None, record: Record, follows: str, outcomes: Sequence[Outcome]) -> RecordNote:
    header = record.header
    roots = diagnosis.roots() if diagnosis else ()
    return RecordNote(
        record=header.record,
        path=str(record.path),
        head=record.head,
        status=header.status,
        root_causes=header.root_causes,
        replayed=header.replayed,
        sections=tuple(dict.fromkeys(root.section for root in roots if root.section)),
        follows=follows,
        fixes=tuple((outcome.plan.code, PROOFS[outcome.proof]) for outcome in outcomes),
    )
