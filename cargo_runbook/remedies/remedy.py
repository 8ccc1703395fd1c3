"""What a remedy is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cargo_runbook.remedies.workbench import Draft, Workbench
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class Remedy:
    """One remedy. `build` makes the actions; without it a person does it, and `how` says what."""

    name: str
    title: Text
    how: Text
    effect: Text
    durability: Text
    inverse: Text
    build: Callable[[Workbench], Draft] | None = None
