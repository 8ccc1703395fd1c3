"""Answers from recorded evidence, where the real hosts can't be asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from cargo_runbook.observations import Observation, Question, Status


class ReplayConnections:
    """Answers each question as it was answered when `observations` were recorded.

    A question is found by its key, whatever its deadline. One that was not recorded is an error with reason
    `not_recorded`, never an empty answer.
    """

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._recorded = {observation.question.key(): observation for observation in observations}

    def ask(self, question: Question) -> Observation:
        """The recorded answer, with its recorded time."""
        recorded = self._recorded.get(question.key())
        if recorded is not None:
            return replace(recorded, question=question)
        return Observation(
            question=question,
            status=Status.ERROR,
            error=f"the recording holds no answer to: {question}",
            data={"reason": "not_recorded"},
            started=datetime.now(UTC),
            duration=0.0,
        )

    def close(self) -> None:
        """Nothing is open."""
