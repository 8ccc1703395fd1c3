"""What a notebook does when a person steps through it: panels, frozen steps, and a record that loses nothing."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import get_args

from IPython.core.getipython import get_ipython

from cargo_runbook.archive.ledger import StepStatus
from cargo_runbook.archive.record import Record
from cargo_runbook.execution.fix_step import FixStep
from cargo_runbook.execution.stepping.frozen import FrozenSteps, Hooks
from cargo_runbook.execution.stepping.keeping import Keeper, Seen
from cargo_runbook.findings import CHECKS, Diagnosis, Health, Verdict
from cargo_runbook.investigation import Investigation
from cargo_runbook.observations import Observation
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Language, Text
from cargo_runbook.views import ran, words
from cargo_runbook.views.checks import CheckLine, ChecksView
from cargo_runbook.views.fix import FixView
from cargo_runbook.views.notebook import RecordNote, StepView, VerdictCard, View
from cargo_runbook.views.panels import ChecksPanel, ConcludePanel, FixPanel, NotesPanel, RunPanel

VERDICT, FIX = "verdict", "fix"
_STOPPING = Text("being stopped", "正在停止")
_WHAT_IS_BROKEN = Text("Verdict: what is broken?", "结论：故障在哪里？")
_VERDICTS = {Health.HEALTHY: Verdict.OK, Health.FAULT: Verdict.FAULT, Health.UNKNOWN: Verdict.UNKNOWN}
_STOPPED = Text("stopped; what ran until then is kept", "已停止；此前的结果已保存")
_NOTES_KEPT = Text("kept in the draft at {at} UTC", "已于 {at} UTC 保存到草稿")
_NOTES_SEALED = Text("sealed in a record of their own: {record}", "已封存为新的记录：{record}")
_LATER = "what came after the record before"


class ByHand:
    """The notebook of one environment, with a person in front of it.

    Args:
        investigation: the first look.
        reopen: opens another one.
        questions: the steps that only read: name -> question; the verdict is added.
        looked: what a step shows, by its name; `judged`: what the verdict shows.
        note: says of a record what is to be said at the end of the notebook.
        reports, incident, redactor: of the record.
    """

    def __init__(
        self,
        investigation: Investigation,
        *,
        reopen: Callable[[], Investigation],
        questions: dict[str, Text],
        looked: Callable[[str], View],
        judged: Callable[[], View],
        note: Callable[[Record, str, Sequence[Outcome]], RecordNote],
        reports: Path,
        incident: str,
        redactor: Redactor,
    ) -> None:
        self.investigation = investigation
        self.diagnosis: Diagnosis | None = None
        self.fixes: FixStep | None = None
        self._judged_look = investigation
        self._looks = [investigation]
        self._reopen, self._looked, self._judged, self._note = reopen, looked, judged, note
        self._questions = {**questions, VERDICT: _WHAT_IS_BROKEN}
        self._keeper = Keeper(
            reports,
            investigation.environment.name,
            tuple(dict.fromkeys((*questions, *CHECKS, VERDICT, FIX))),
            seen=self._seen,
            outcomes=self._outcomes,
            incident=incident,
            redactor=redactor,
        )
        self.steps = FrozenSteps(
            Hooks(
                answers=lambda: len(self.investigation.evidence),
                stop=lambda: self.investigation.stop(),
                ended=lambda seconds: self.investigation.ended(seconds),
                go_on=lambda: self.investigation.go_on(),
                new_look=self._new_look,
                begin=self._keeper.begin,
                end=self._keeper.end,
                changed=self._changed,
            )
        )
        self._checks: ChecksPanel | None = None
        self._notes: NotesPanel | None = None
        self._fix: tuple[Diagnosis, FixPanel | FixView] | None = None
        self._concluded: ConcludePanel | None = None
        self._sealed_at = ""
        atexit.register(self._keeper.kernel_ends)
        if (shell := get_ipython()) is not None:
            shell.events.register("post_run_cell", lambda _result: self._keeper.save())

    def look(self, name: str, *, again: bool) -> RunPanel:
        """A step of the section, or a check."""
        return self.steps.step(name, lambda: self._looked(name), again=again)

    def verdict(self, *, again: bool) -> RunPanel:
        """The verdict."""
        return self.steps.step(VERDICT, self._judged, again=again)

    def judged(self, diagnosis: Diagnosis) -> None:
        """The verdict came to this, by the look that goes on."""
        self.diagnosis, self._judged_look = diagnosis, self.investigation

    def checks(self) -> ChecksPanel:
        """The list of all steps that only read."""
        if self._checks is None:
            self._checks = ChecksPanel(self._list(), self._run_all, self.steps.stop)
        self._checks.show(self._list())
        return self._checks

    def fix(self, make: Callable[[], FixStep], approved: str, reason: str) -> FixView | FixPanel | ran.RanNote:
        """The plans for the verdict as it is now; run again, the same ones, or what became of the one that was done."""
        if self.diagnosis is None:
            return NEEDS_VERDICT
        if self._fix is None or self._fix[0] is not self.diagnosis:
            self._keeper.begin(FIX)
            made, before = make(), self._outcomes()
            self.fixes = made
            made.outcomes[:0] = before
            made.done = self._done
            shown = made.run(approved, reason, interactive=True)
            self._keeper.end(FIX, StepStatus.OK)
            self._fix = (self.diagnosis, shown)
        return self._fix[1]

    def notes(self, text: str) -> NotesPanel:
        """The engineer's notes; run again, the box with what stands in it."""
        if self._notes is None:
            self._notes = NotesPanel(text, self._noted)
        return self._notes

    def conclude(self) -> ConcludePanel:
        """Seals what there is. Run again, it seals what came since, or shows the record again."""
        if self._concluded is None or self._keeper.folder is not None:
            self._seal()
        assert self._concluded is not None
        return self._concluded

    def _seal(self) -> Record:
        before = self._keeper.sealed
        record = self._keeper.seal(_LATER if before else "")
        note = self._note(record, before.header.record if before else "", self._outcomes())
        if self._concluded is None:
            self._concluded = ConcludePanel(note)
        else:
            self._concluded.show(note)
        return record

    def _noted(self, text: str) -> Text:
        self._keeper.note(text)
        if self._concluded is not None and self._keeper.folder is not None:
            return _NOTES_SEALED.fill({"record": self._seal().header.record})
        return _NOTES_KEPT.fill({"at": ran.clock(datetime.now(UTC))})

    def _done(self) -> None:
        """A plan was done: what ran before does not count any more, and it gets into a record whatever comes next."""
        self.steps.something_changed()
        self._keeper.begin(FIX)
        self._keeper.end(FIX, StepStatus.OK)
        if self._concluded is not None:
            self._seal()

    def _outcomes(self) -> Sequence[Outcome]:
        return tuple(self.fixes.outcomes) if self.fixes else ()

    def _seen(self) -> Seen:
        judged = self._judged_look
        earlier: list[Observation] = []
        for look in self._looks:
            if look is not judged:
                earlier += look.evidence
        return Seen(tuple(earlier), judged, self.diagnosis)

    def _new_look(self) -> None:
        opened = self._reopen()
        opened.follow(self.investigation)
        self.investigation.close()
        self.investigation = opened
        self._looks.append(opened)

    def _list(self, note: Text | None = None) -> ChecksView:
        lines = []
        for name, question in self._questions.items():
            done = self.steps.ran(name) if self.steps.counts(name) else None
            if done is not None and isinstance(done.view, StepView):
                view = done.view
                verdict, answer = (view.verdict, view.answer) if view.findings else (None, None)
                lines.append(CheckLine(name, question, verdict, answer, done.seconds, ran=True))
            elif done is not None and isinstance(done.view, VerdictCard):
                lines.append(CheckLine(name, question, *_told(done.view.diagnosis), done.seconds, ran=True))
            else:
                lines.append(CheckLine(name, question))
        return ChecksView(tuple(lines), running=self.steps.running, note=note)

    def _changed(self) -> None:
        if self._checks is not None:
            going = self.steps.running and self.steps.stopped
            self._checks.show(self._list(_STOPPING if going else None))

    def _run_all(self) -> None:
        # In a thread: the button's own call has to end before the kernel listens to the next one.
        threading.Thread(target=self._all_in_turn, daemon=True).start()

    def _all_in_turn(self) -> None:
        if all(self.steps.counts(name) for name in self._questions):
            self.steps.look_anew()
        for name in self._questions:
            work = self._judged if name == VERDICT else partial(self._looked, name)
            if not self.steps.counts(name) and not self.steps.run(name, work):
                if self._checks is not None and self.steps.stopped:
                    self._checks.show(self._list(_STOPPED))
                return


def _told(diagnosis: Diagnosis) -> tuple[Verdict, Text]:
    """A verdict in a line."""
    roots = diagnosis.roots()
    if not roots:
        sentence = words.without_roots(diagnosis)
        return _VERDICTS[diagnosis.status], sentence
    en, zh = (", ".join(f"{root.code} {root.title.say(say)}" for root in roots) for say in get_args(Language))
    return Verdict.FAULT, Text(en, zh)


NEEDS_VERDICT = ran.RanNote(
    (
        Text(
            "this needs the verdict, which has not come to its end yet: run that cell first",
            "需要先得出结论：请先执行结论单元",
        ),
    ),
    warns=True,
)
