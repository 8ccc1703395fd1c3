"""One fix from the finding to its proof: preview, apply, prove, roll back. The command line and notebooks call this."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from cargo_runbook.connections.changing import Changing
from cargo_runbook.connections.network.sockets import is_open
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import Diagnosis
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.loader import environment_names, find_inventory, load_environment
from cargo_runbook.inventory.models import Environment, Stage
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.observations import Place
from cargo_runbook.pasteable import pasteable
from cargo_runbook.remedies import applying, journal, proof
from cargo_runbook.remedies.actions import Action
from cargo_runbook.remedies.applying import Tell
from cargo_runbook.remedies.choice import draft_for, fault_of
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.outcome import Outcome, Wish
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.proof import Proof, Tried
from cargo_runbook.remedies.storing import keep_files, plan_to_json, restore, store
from cargo_runbook.remedies.workbench import Workbench
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import tell

COMES_UP = 10.0
"""Seconds for the port of a front that was started again."""


class Fixing:
    """The fix of one environment.

    Args:
        environment: name in the inventory.
        inventory: its folder; default as `find_inventory` has it.
        reports: folder of records, which changes lie beside.
        tell: told of each action and each phase.
    """

    def __init__(
        self,
        environment: str,
        *,
        inventory: Path | None = None,
        reports: Path,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = find_inventory(inventory)
        self.environment: Environment = load_environment(environment, self._folder)
        self.redactor = Redactor()
        other = partial(load_environment, folder=self._folder)
        self._changing = Changing(self.environment, open_other=other, redactor=self.redactor)
        self._reports = reports
        self._tell = tell

    def diagnose(self, wish: Wish) -> tuple[Investigation, Diagnosis]:
        """A look at the environment; the investigation is still open."""
        opened = open_investigation(
            wish.environment, inventory=self._folder, image=wish.image, account=wish.account, action=wish.action,
            replay="", redactor=self.redactor,
        )  # fmt: skip
        try:
            return opened, opened.diagnose()
        except BaseException:
            opened.close()
            raise

    def preview(self, wish: Wish, remedy: str = "") -> Plan:
        """The plan for a finding, made from what stands there now; without actions where nothing is to be done.

        Raises:
            NoRemedy: nothing can be offered for it, and why.
            UsageError: there is no such finding here, or no such remedy for it.
        """
        self._tell("diagnose")
        investigation, diagnosis = self.diagnose(wish)
        with investigation:
            return self.plan(wish.code, investigation, diagnosis, remedy)

    def plan(self, code: str, investigation: Investigation, diagnosis: Diagnosis, remedy: str = "") -> Plan:
        """The plan for a finding of a look that is still open; what it would change is read anew.

        Raises:
            NoRemedy, UsageError: as `preview` has them.
        """
        finding = fault_of(diagnosis, code)
        if finding is None:
            return self._plan(code, "", ())
        self._tell("plan")
        bench = Workbench(
            environment=self.environment,
            finding=finding,
            roots=tuple(diagnosis.root_causes),
            gathered=investigation.gathered(),
            ask=investigation.ask,
            changing=self._changing,
        )
        chosen, draft = draft_for(finding, remedy, bench)
        return self._plan(code, chosen.name, tuple(draft.actions), draft.notes)

    def apply(self, wish: Wish, digest: str, *, reason: str = "", keep: bool = False, remedy: str = "") -> Outcome:
        """Makes the plan again, compares it with what was confirmed, does it, and proves it.

        Args:
            digest: of the plan that was read, or at least its first 12 digits.
            reason: why; a production environment asks for it.
            keep: leave it as it is where the proof fails, instead of taking it back.

        Raises:
            StaleState: the plan is another one now.
            UsageError: no reason for production, or nothing to do.
        """
        self._ask_for_reason(self.environment, reason)
        plan = self.preview(wish, remedy)
        for name in plan.elsewhere:
            self._ask_for_reason(load_environment(name, self._folder), reason)
        if not plan.actions:
            raise UsageError(
                tell(
                    f"there is nothing to do for {wish.code} on {self.environment.name}",
                    f"{self.environment.name} 上的 {wish.code} 无需修复",
                )
            )
        plan.confirm(digest)
        change = journal.begin(self._reports, self.environment.name, wish.code, self._stored(plan, wish))
        keep_files(change, plan)
        change.note("confirmed", digest=plan.digest, reason=reason, keep=keep, **journal.who())
        self._tell("before")
        before = self._try(plan)
        change.note("before", **before.to_json())
        return self._finish(change, plan, wish, before, keep=keep)

    @staticmethod
    def _ask_for_reason(environment: Environment, reason: str) -> None:
        if environment.stage is Stage.PRODUCTION and not reason.strip():
            raise UsageError(
                tell(f"{environment.name} is a production environment", f"{environment.name} 是生产环境"),
                next_step=tell("Say why: --reason 'INC-7, approved by …'", "请说明原因：--reason 'INC-7，已由 … 批准'"),
            )

    def resume(self, name: str) -> Outcome:
        """Finishes a change that was cut off, and proves it."""
        change, body = journal.find(self._reports, name)
        plan = self._restored(change, body)
        events = change.events()
        seen = next((event for event in events if event["event"] == "before"), None)
        if seen is None:
            anew = pasteable(f"cargo-runbook fix {plan.code} --env {plan.environment}")
            raise UsageError(
                tell(f"{name} was cut off before anything was done", f"{name} 在执行任何操作之前就中断了"),
                next_step=tell(f"Start anew: {anew}", f"请重新开始：{anew}"),
            )
        if any(event["event"] in ("undo", "ended") for event in events):
            raise UsageError(
                tell(
                    f"{name} can't be finished: it has ended or is being undone",
                    f"{name} 无法继续：它已结束，或正在撤销",
                ),
                next_step=tell("Use --rollback.", "请使用 --rollback。"),
            )
        change.note("resumed", **journal.who())
        keep = bool(next(event for event in events if event["event"] == "confirmed")["keep"])
        return self._finish(change, plan, Wish(**body["wish"]), proof.tried_from(seen), keep=keep)

    def rollback(self, name: str) -> Outcome:
        """Takes a change back: bytes, mode and owner of each file are what they were."""
        change, body = journal.find(self._reports, name)
        plan = self._restored(change, body)
        change.note("rollback", **journal.who())
        self._undo(change, plan)
        return Outcome(change=change, plan=plan, applied=False, proof=Proof.NOT_PROVEN, rolled_back=True)

    def shown(self, plan: Plan) -> dict[str, Any]:
        """The plan as JSON, masked."""
        return plan_to_json(plan, self.redactor)

    def close(self) -> None:
        """Ends all connections."""
        self._changing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan(self, code: str, remedy: str, actions: tuple[Action, ...], notes: Any = ()) -> Plan:
        environment = self.environment
        machines = sorted({action.vantage for action in actions if action.vantage.place is Place.CARGO_HOST})
        return Plan(
            environment=environment.name,
            stage=str(environment.stage),
            code=code,
            remedy=remedy,
            actions=actions,
            notes=tuple(notes),
            made=journal.now(),
            host_keys={machine.host: self._changing.host_key(machine) for machine in machines},
        )

    def _stored(self, plan: Plan, wish: Wish) -> dict[str, Any]:
        return {**store(plan, self.redactor), "wish": vars(wish)}

    def _restored(self, change: Change, body: dict[str, Any]) -> Plan:
        plan = restore(change, body)
        if plan.environment != self.environment.name:
            raise UsageError(
                tell(
                    f"{change.id} is a change of {plan.environment}, not of {self.environment.name}",
                    f"{change.id} 是 {plan.environment} 的变更，而不是 {self.environment.name} 的",
                )
            )
        return plan

    def _finish(self, change: Change, plan: Plan, wish: Wish, before: Tried, *, keep: bool) -> Outcome:
        self._tell(f"change {change.id}")
        try:
            applying.do(plan, change, self._changing, self._told)
        except RunbookError as error:
            change.note("failed", error=self.redactor.redact(error.in_full().en))
            resume = pasteable(f"cargo-runbook fix --env {plan.environment} --resume {change.id}")
            ways = tell(f"{resume} finishes it, --rollback undoes it.", f"{resume} 可继续完成，--rollback 可撤销。")
            error.next_step = "\n  ".join(part for part in (error.next_step, ways) if part)
            raise
        self._tell("after")
        after, result = self._settled(before, plan)
        investigation, diagnosis = self.diagnose(wish)
        investigation.close()
        if result is Proof.PROVEN and fault_of(diagnosis, wish.code) is not None:
            result = Proof.NOT_PROVEN
        change.note("after", proof=str(result), status=str(diagnosis.status), **after.to_json())
        rolled_back = False
        if result is Proof.NOT_PROVEN and not keep:
            self._undo(change, plan)
            rolled_back = True
        change.note("ended", proof=str(result), rolled_back=rolled_back)
        return Outcome(
            change=change,
            plan=plan,
            applied=not rolled_back,
            proof=result,
            rolled_back=rolled_back,
            before=before,
            after=after,
            diagnosis=diagnosis,
        )

    def _settled(self, before: Tried, plan: Plan) -> tuple[Tried, Proof]:
        """Tries until it works or the time is over: what was restarted needs a moment. A replication that has ended
        does not get better by waiting."""
        how = proof.how_to_prove(plan.code)
        until = time.monotonic() + how.settles
        while True:
            after = self._try(plan)
            result = proof.conclude(before, after)
            if after.works or time.monotonic() > until or (how.replication and not after.under_way):
                return after, result
            time.sleep(1.0)

    def _undo(self, change: Change, plan: Plan) -> None:
        self._tell("undo")
        applying.undo(plan, change, self._changing, self._told)
        self._wait_for_fronts()
        change.note("rolled back")

    def _wait_for_fronts(self) -> None:
        """What was started again needs a moment until its port is open; some faults keep it closed for good."""
        until = time.monotonic() + COMES_UP
        while time.monotonic() < until:
            if all(is_open(host.address, self.environment.port) for host in self.environment.hosts):
                return
            time.sleep(0.5)

    @property
    def _told(self) -> Tell:
        return lambda phase, what: self._tell(f"{phase} {what}")

    def _try(self, plan: Plan) -> Tried:
        environment, how = self.environment, proof.how_to_prove(plan.code)
        logins = partial(login_of, environment)
        return proof.try_clients(environment, logins, self.redactor, self._control(), how, plan, self._changing)

    def _control(self) -> tuple[Environment, proof.Logins] | None:
        """Another environment of the inventory, which this change has nothing to do with."""
        for name in environment_names(self._folder):
            if name != self.environment.name:
                other = load_environment(name, self._folder)
                return other, partial(login_of, other)
        return None
