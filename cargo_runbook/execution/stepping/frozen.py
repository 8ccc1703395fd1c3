"""Steps that run once: a cell that is run again shows what it found, with the time; only `again` asks anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from IPython.core.getipython import get_ipython
from IPython.display import clear_output, display

from cargo_runbook.archive.ledger import StepStatus
from cargo_runbook.errors import RunbookError, Stopped
from cargo_runbook.execution.stepping.working import LAST_WORDS, run_stoppably
from cargo_runbook.views import ran
from cargo_runbook.views.notebook import View
from cargo_runbook.views.panels.run import RunPanel
from cargo_runbook.views.ran import RanNote, clock

_PATIENCE = 0.7
"""Seconds after which a step says that it is running; what is faster shows its result alone."""


@dataclass(frozen=True)
class Ran:
    """What a step came to, and when."""

    view: View
    at: datetime
    seconds: float


@dataclass(frozen=True)
class Hooks:
    """What the steps need of the notebook that they stand in.

    Args:
        answers: how many answers there are so far.
        stop, go_on: end what is being asked; ask again.
        ended: waits until nothing is being asked any more; False when it still is after so many seconds.
        new_look: everything is asked anew from now on.
        begin, end: told of each step, for the ledger.
        changed: something ran, or does not count any more.
    """

    answers: Callable[[], int]
    stop: Callable[[], None]
    ended: Callable[[float], bool]
    go_on: Callable[[], None]
    new_look: Callable[[], None]
    begin: Callable[[str], None]
    end: Callable[[str, StepStatus, str], None]
    changed: Callable[[], None]


class FrozenSteps:
    """The steps of one notebook."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._ran: dict[str, Ran] = {}
        self._panels: dict[str, RunPanel] = {}
        self._work: dict[str, Callable[[], View]] = {}
        self._busy = threading.Lock()
        self._look_began = datetime.now(UTC)
        self._change: datetime | None = None
        self._stopped = False
        self.running = ""

    @property
    def stopped(self) -> bool:
        """Whether the last one was stopped."""
        return self._stopped

    def ran(self, name: str) -> Ran | None:
        """What a step came to; None when it has not run."""
        return self._ran.get(name)

    def counts(self, name: str) -> bool:
        """Whether a step ran in the look that goes on, and nothing was changed since."""
        ran = self._ran.get(name)
        return ran is not None and ran.at >= max(self._look_began, self._change or self._look_began)

    def step(self, name: str, work: Callable[[], View], *, again: bool = False) -> RunPanel:
        """Runs a step unless it ran; its panel is the same one each time."""
        panel = self._panel(name, work)
        if again or name not in self._ran:
            self._run(name, shown=False)
        else:
            self._tell(name, again=True)
        return panel

    def run(self, name: str, work: Callable[[], View]) -> bool:
        """Runs a step from a list of them; False when it was stopped or another one is running."""
        self._panel(name, work)
        return self._run(name, shown=True)

    def stop(self) -> None:
        """Ends the step that runs, the processes at the hosts too."""
        if self.running:
            self._stopped = True
            self._hooks.stop()
            self._hooks.changed()

    def look_anew(self) -> None:
        """What was asked so far stays frozen; what runs from now on asks anew."""
        self._hooks.new_look()
        self._look_began = datetime.now(UTC)

    def something_changed(self) -> None:
        """The environment was changed from here: all that ran before is marked."""
        self._change = datetime.now(UTC)
        for name in self._ran:
            self._tell(name)
        self._hooks.changed()

    def _pressed(self, name: str) -> None:
        self._run(name, shown=True)

    def _panel(self, name: str, work: Callable[[], View]) -> RunPanel:
        self._work[name] = work
        if name not in self._panels:
            self._panels[name] = RunPanel(lambda: self._pressed(name), self.stop)
        return self._panels[name]

    def _run(self, name: str, *, shown: bool) -> bool:
        """Runs a step. `shown` says that its panel can be seen already."""
        panel = self._panels[name]
        if not self._busy.acquire(blocking=False):
            panel.show(None, RanNote((ran.BUSY,), warns=True))
            return False
        try:
            # What ran in this look would only be told again; what was asked before a change is no answer any more.
            if self.counts(name) or (self._change and self._look_began < self._change):
                self.look_anew()
            return self._worked(name, panel, shown)
        finally:
            self.running = ""
            self._busy.release()
            self._hooks.changed()

    def _worked(self, name: str, panel: RunPanel, shown: bool) -> bool:
        hooks, before, began = self._hooks, self._hooks.answers(), datetime.now(UTC)
        after_a_stop, self.running, self._stopped = self._stopped, name, False
        hooks.begin(name)
        hooks.changed()
        on_screen = shown

        def tell(seconds: float) -> None:
            nonlocal on_screen
            if seconds < _PATIENCE:
                return
            filled = {"seconds": f"{seconds:.0f}", "count": hooks.answers() - before}
            panel.running(
                RanNote(((ran.STOPPING if self._stopped else ran.RUNNING).fill(filled),), warns=self._stopped)
            )
            if not on_screen and get_ipython() is not None:
                on_screen = True
                display(panel)  # type: ignore[no-untyped-call]

        def work() -> View:
            if after_a_stop:
                # Here, since it waits for what answers to nothing and is still on its way.
                hooks.go_on()
            return self._work[name]()

        def seconds() -> float:
            return (datetime.now(UTC) - began).total_seconds()

        try:
            view = run_stoppably(work, stop=self.stop, stopped=lambda: self._stopped, tell=tell)
        except Stopped:
            said = ran.STOPPED if hooks.ended(LAST_WORDS) else ran.STILL_ENDING
            hooks.end(name, StepStatus.INTERRUPTED, "stopped by hand")
            panel.show(None, RanNote((said.fill({"seconds": f"{seconds():.1f}"}),), warns=True))
            return False
        except RunbookError as error:
            hooks.end(name, StepStatus.FAILED, error.both.en)
            if not shown:
                raise
            panel.show(None, RanNote((error.in_full(),), warns=True))
            return False
        finally:
            if on_screen and not shown:
                # The panel comes back as the cell's result, in the place of what was shown meanwhile.
                clear_output(wait=True)  # type: ignore[no-untyped-call]
        self._ran[name] = Ran(view, datetime.now(UTC), seconds())
        hooks.end(name, StepStatus.OK, "")
        for each in self._ran:
            self._tell(each)
        return True

    def _tell(self, name: str, *, again: bool = False) -> None:
        """Shows a step's result with what is to be said of it now."""
        done = self._ran.get(name)
        if done is None:
            return
        parts = [ran.RAN.fill({"at": clock(done.at), "seconds": f"{done.seconds:.1f}"})]
        warns = True
        if self._change and done.at < self._change:
            parts.append(ran.BEFORE_CHANGE.fill({"since": clock(self._change)}))
        elif done.at < self._look_began:
            parts.append(ran.OLDER.fill({"since": clock(self._look_began)}))
        else:
            warns = False
            if again:
                parts.append(ran.FROZEN)
        self._panels[name].show(done.view, RanNote(tuple(parts), warns))
