"""What an incident is told in: events, causes, impacts and questions, each with the place that it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.archive.reading.cells import FIX, VERDICT, CellPlace, cells_of_steps
from cargo_runbook.archive.record import NOTE, NOTEBOOK, Record
from cargo_runbook.archive.sealing.changes import Change
from cargo_runbook.archive.sharing.notebook import anchor
from cargo_runbook.findings import Diagnosis, Finding
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class Place:
    """Where something stands: a record, its head, the cell of its notebook (its number from 1, 0 for none, and its id),
    the evidence, or another part of the record: a change (its id) or the note.
    """

    record: str = ""
    path: Path = Path()
    head: str = ""
    cell: int = 0
    cell_id: str = ""
    evidence: str = ""
    change: str = ""
    note: bool = False

    @property
    def anchor(self) -> str:
        """Where a link leads on a page of the record."""
        if self.note:
            return NOTE
        return f"change-{self.change}" if self.change else anchor(self.cell) if self.cell else "head"


@dataclass(frozen=True)
class Event:
    """Something at a time (ISO UTC, by the operator's clock)."""

    at: str
    environment: str
    what: Text
    place: Place


@dataclass(frozen=True)
class Cause:
    """A root cause, from the first record that has it."""

    environment: str
    finding: Finding
    chain: tuple[tuple[Text, Text, Place], ...]
    place: Place


@dataclass(frozen=True)
class Impact:
    """From when to when an environment was seen broken; `end` is empty as long as no run found it healthy after that."""

    environment: str
    begin: str
    end: str
    first: Place
    last: Place


@dataclass(frozen=True)
class Question:
    """Something that stays open, and where it comes from."""

    what: Text
    place: Place


@dataclass(frozen=True)
class Story:
    """All that is known of an incident. `changed` names records that are not as they were sealed."""

    incident: str
    events: tuple[Event, ...]
    impacts: tuple[Impact, ...]
    causes: tuple[Cause, ...]
    changes: tuple[Change, ...]
    questions: tuple[Question, ...]
    records: tuple[Record, ...]
    changed: tuple[str, ...]

    def place_of(self, change: Change) -> Place:
        """Where the journal of a change stands."""
        return place_of(change, self.records)


@dataclass(frozen=True)
class Run:
    """A run of the incident, with its verdict where it came to one."""

    record: Record
    diagnosis: Diagnosis | None
    cells: Mapping[str, CellPlace]

    def place(self, check: str = "", evidence: str = "") -> Place:
        record = self.record
        cell = self.cells.get(check) or self.cells.get(VERDICT) or CellPlace(0)
        return Place(record.header.record, record.path, record.head, cell.number, cell.id, evidence)


def place_of(change: Change, records: Iterable[Record]) -> Place:
    """Where the journal of a change is sealed; nowhere as long as it is not."""
    for record in records:
        if record.header.record == change.record:
            cell = cells_of_steps(record.path / NOTEBOOK).get(FIX, CellPlace(0))
            return Place(change.record, record.path, record.head, cell.number, cell.id, change=change.id)
    return Place()
