"""Asking several things at once, and the addresses that the questions of one environment share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cargo_runbook.observations import Observation, Question

Ask = Callable[[Question], Observation]

# The most questions that one diagnosis has under way; sshd allows ten sessions on a connection by default.
AT_ONCE = 8

DEADLINE = 8.0
"""Seconds for one question, connecting included."""


def not_recorded(observation: Observation) -> bool:
    """Whether evidence is judged again that was recorded when something else was asked in place of this question."""
    return observation.data.get("reason") == "not_recorded"


def together(ask: Ask, questions: Sequence[Question]) -> list[Observation]:
    """Asks all questions at the same time; the answers stand in the order of the questions."""
    if len(questions) < 2:
        return [ask(question) for question in questions]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(questions))) as pool:
        return list(pool.map(ask, questions))
