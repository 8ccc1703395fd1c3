"""Programs of this very computer, asked what they are and what they know: nothing is sent to any other machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cargo_runbook.connections.base import Deadline, Failure, as_text
from cargo_runbook.connections.local import run
from cargo_runbook.texts import say

SECONDS = 5.0


@dataclass(frozen=True)
class Said:
    """What a program said. `exit_code` is None when it is not there (`absent`) or was not done in time."""

    exit_code: int | None
    output: str = ""
    error: str = ""
    absent: bool = False

    @property
    def well(self) -> bool:
        return self.exit_code == 0


def ask_program(argv: Sequence[str], seconds: float = SECONDS) -> Said:
    """Runs a program of this computer until it ends or the time is over."""
    try:
        outcome = run(argv, Deadline(seconds))
    except Failure as failure:
        return Said(None, error=say(failure.sentence), absent=failure.reason == "not_found")
    return Said(outcome.exit_code, as_text(outcome.output).strip(), as_text(outcome.error).strip())
