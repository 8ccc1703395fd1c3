"""What a fix is for, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from cargo_runbook.findings import Diagnosis
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.proof import Proof, Tried


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a fix ended. `error` says why it stopped; what was done until then is in the journal of the change."""

    change: Change
    plan: Plan
    applied: bool
    proof: Proof
    rolled_back: bool
    before: Tried | None = None
    after: Tried | None = None
    diagnosis: Diagnosis | None = None

    @property
    def exit_code(self) -> int:
        return 0 if self.proof is Proof.PROVEN and not self.rolled_back else 4


@dataclass(frozen=True)
class Wish:
    """What is to be fixed, as `diagnose` takes it."""

    code: str
    environment: str
    image: str = ""
    account: str = ""
    action: str = ""
