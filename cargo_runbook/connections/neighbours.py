"""Several environments behind one face: the destination of a replication is asked from its own side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from cargo_runbook.connections.base import Connections
from cargo_runbook.errors import RunbookError
from cargo_runbook.observations import Observation, Question, Status
from cargo_runbook.texts import in_english


class Neighbourhood:
    """Asks each question in the environment that it names.

    Args:
        own: connections of the environment that is looked at.
        open_other: connections of another environment of the inventory, by name; called once for each, when the
            first question for it comes. What it raises (RunbookError) becomes an observation.
    """

    def __init__(self, own: Connections, open_other: Callable[[str], Connections]) -> None:
        self._own = own
        self._open_other = open_other
        self._lock = threading.Lock()
        self._others: dict[str, Connections] = {}

    def ask(self, question: Question) -> Observation:
        """The answer; an environment that can't be opened is an error with reason `unknown_environment`."""
        if not question.environment:
            return self._own.ask(question)
        try:
            # What an observation says is evidence.
            with self._lock, in_english():
                other = self._others.get(question.environment)
                if other is None:
                    other = self._others[question.environment] = self._open_other(question.environment)
        except RunbookError as error:
            return Observation(
                question=question,
                status=Status.ERROR,
                error=error.in_full().en,
                data={"reason": "unknown_environment", "zh": error.in_full().zh},
                started=datetime.now(UTC),
                duration=0.0,
            )
        return other.ask(question)

    def close(self) -> None:
        """Ends the connections of all environments."""
        self._own.close()
        with self._lock:
            others = list(self._others.values())
        for other in others:
            other.close()
