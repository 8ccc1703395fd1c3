"""One thing that a workstation must have, and how it stands with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cargo_runbook.texts import Text


class State(StrEnum):
    """`lacks` stands in the way of a diagnosis; a `note` costs some comfort or some part of it."""

    OK = "ok"
    NOTE = "note"
    LACKS = "lacks"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """How it stands with one thing.

    Args:
        name: what is looked at; stable, for machines.
        seen: what was found, as a phrase.
        do: what to type or do, where something is to be done.
        environment: the one that needs it; empty for the workstation itself.
    """

    name: str
    state: State
    seen: Text
    do: Text | None = None
    environment: str = ""


def worst(checks: Iterable[Check]) -> State:
    """What the whole is: lacks before unknown; notes do no harm."""
    states = {check.state for check in checks}
    return next((state for state in (State.LACKS, State.UNKNOWN) if state in states), State.OK)


def same(text: str) -> Text:
    """A phrase that is the same in both languages: a command, a version, a path."""
    return Text(text, text)
