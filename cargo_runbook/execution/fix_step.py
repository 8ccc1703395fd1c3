"""The fix step of a notebook: plans shown; one done where its digest was approved, or a person confirms it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cargo_runbook.errors import RunbookError, StaleState
from cargo_runbook.findings import Diagnosis
from cargo_runbook.investigation import Investigation
from cargo_runbook.remedies.fixing import Fixing
from cargo_runbook.remedies.outcome import Outcome, Wish
from cargo_runbook.remedies.plan import SHORTEST, Plan
from cargo_runbook.remedies.workbench import NoRemedy
from cargo_runbook.texts import Text, tell
from cargo_runbook.views.fix import FixView
from cargo_runbook.views.panels.fix import FixPanel, Tell

NOTHING = Text("There is nothing to fix.", "没有需要修复的问题。")
REPLAYED = Text("This is replayed evidence: nothing can be changed from here.", "这是回放的证据，无法进行任何修改。")


def is_approved(plan: Plan, digests: Sequence[str]) -> bool:
    """Whether one of the digests, or at least its first 12 digits, is that of the plan."""
    return any(len(digest) >= SHORTEST and plan.digest.startswith(digest) for digest in digests)


def _not_made(error: RunbookError) -> str:
    return tell(f"no plan could be made: {error}", f"无法生成方案：{error}")


class FixStep:
    """Makes the plans for the root causes of a diagnosis, and does one.

    Args:
        diagnosis: the verdict.
        wish: image, account and action as the notebook has them; its code is not used.
        inventory, reports: folders.
        look: what the verdict came from, still open, where it was given just now: no one waited in between. Without it
            the plans are made from a look of their own.
    """

    def __init__(
        self, diagnosis: Diagnosis, wish: Wish, *, inventory: Path, reports: Path, look: Investigation | None = None
    ) -> None:
        self._diagnosis = diagnosis
        self._look = look
        self._wish = wish
        self._inventory = inventory
        self._reports = reports
        self.outcomes: list[Outcome] = []
        self.done: Callable[[], None] = lambda: None
        """Called when a plan was done."""

    def run(self, approved: str, reason: str, *, interactive: bool) -> FixView | FixPanel:
        """The plans; with `approved`, the outcome of the plan with that digest.

        Several digests (with spaces or commas between them) are for a batch: each run does the plan of its own
        environment that is among them.

        Raises:
            StaleState: no plan has such a digest (any more).
        """
        with self._fixing() as fixing:
            plans, without = self._plans(fixing)
            view = self._view(fixing, plans, without)
            digests = approved.replace(",", " ").lower().split()
            if not digests:
                return FixPanel(view, self._confirmed) if interactive and plans else view
            chosen = next((plan for plan in plans if is_approved(plan, digests)), None)
            if chosen is None and not self._diagnosis.root_causes and len(digests) > 1:
                # Those are for other environments of the batch.
                return view
            if chosen is None:
                said = ", ".join(digest[:16] for digest in digests[:8])
                raise StaleState(
                    tell(
                        f"no plan for {self._diagnosis.environment} has the digest that was approved ({said})",
                        f"{self._diagnosis.environment} 没有摘要为所批准值（{said}）的方案",
                    ),
                    seen="; ".join(f"{plan.code}: {plan.digest[:16]}" for plan in plans)
                    or tell("there is nothing to fix", "没有需要修复的"),
                    next_step=tell(
                        "Something changed since: look at the plan, and have it approved again.",
                        "此后有变化：请查看方案并重新批准。",
                    ),
                )
            return self._done(fixing, chosen, reason)

    def _plans(self, fixing: Fixing) -> tuple[tuple[Plan, ...], dict[str, str]]:
        codes = self._diagnosis.root_causes
        if not codes:
            return (), {}
        if self._look is not None:
            return self._plans_from(fixing, self._look, self._diagnosis)
        try:
            investigation, diagnosis = fixing.diagnose(self._wish)
        except RunbookError as error:
            return (), dict.fromkeys(codes, _not_made(error))
        with investigation:
            return self._plans_from(fixing, investigation, diagnosis)

    def _plans_from(
        self, fixing: Fixing, investigation: Investigation, diagnosis: Diagnosis
    ) -> tuple[tuple[Plan, ...], dict[str, str]]:
        plans, without = [], {}
        for code in self._diagnosis.root_causes:
            try:
                plan = fixing.plan(code, investigation, diagnosis)
            except NoRemedy as why:
                without[code] = str(why)
                continue
            except RunbookError as error:
                without[code] = _not_made(error)
                continue
            if plan.actions:
                plans.append(plan)
        return tuple(plans), without

    def _confirmed(self, plan: Plan, reason: str, tell: Tell) -> FixView:
        with self._fixing(tell) as fixing:
            return self._done(fixing, plan, reason)

    def _done(self, fixing: Fixing, plan: Plan, reason: str) -> FixView:
        outcome = fixing.apply(self._for(plan.code), plan.digest, reason=reason)
        self.outcomes.append(outcome)
        self.done()
        return self._view(fixing, (plan,), {}, outcome)

    def _view(
        self, fixing: Fixing, plans: tuple[Plan, ...], without: dict[str, str], outcome: Outcome | None = None
    ) -> FixView:
        environment = fixing.environment
        note = None if plans or without else NOTHING
        return FixView(environment.name, str(environment.stage), plans, without, fixing.redactor, outcome, note)

    def _for(self, code: str) -> Wish:
        wish = self._wish
        return Wish(code, wish.environment, wish.image, wish.account, wish.action)

    def _fixing(self, tell: Tell = lambda _: None) -> Fixing:
        return Fixing(self._diagnosis.environment, inventory=self._inventory, reports=self._reports, tell=tell)
