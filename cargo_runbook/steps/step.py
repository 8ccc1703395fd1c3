"""One step of a section notebook, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.inventory.models import Environment
from cargo_runbook.tables import Table
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class Gathered:
    """The facts of all that was asked so far.

    `concerns` holds those of the concerns that the step needs, by name; in the replay of an older recording some
    may be missing.
    """

    environment: Environment
    path: PathFacts
    concerns: Mapping[str, Any]


def no_tables(_: Gathered) -> tuple[Table, ...]:
    return ()


@dataclass(frozen=True)
class Step:
    """A question of a section.

    Args:
        name: what the notebook calls it by; unique in its section.
        title: the question.
        needs: checks of the path and concerns that must have been asked.
        codes: the findings that it shows.
        tables: what it shows beside them, out of the facts; pure.
    """

    name: str
    title: Text
    needs: tuple[str, ...]
    codes: tuple[str, ...] = ()
    tables: Callable[[Gathered], tuple[Table, ...]] = no_tables
