"""What was changed during an incident, as plans and journals tell it (see `remedies/journal.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.archive.record import Record
from cargo_runbook.remedies.journal import FOLDER, JOURNAL, PLAN


@dataclass(frozen=True)
class Change:
    """One change of an environment.

    Args:
        record: id of the record that its journal is sealed in; empty where there is none.
        targets: files, objects and services that it is about.
        proof: proven, not proven or not reproduced; empty while it had not come to one.
        undone: whether it was taken back.
        events: time and name of each event of the journal, in order.
    """

    id: str
    environment: str
    code: str
    remedy: str
    digest: str
    record: str
    targets: tuple[str, ...]
    operator: str
    reason: str
    begun: str
    ended: str
    proof: str
    undone: bool
    events: tuple[tuple[str, str], ...]


def changes_of(reports: Path, records: Sequence[Record]) -> tuple[Change, ...]:
    """The changes that are sealed in these records, and those of the same environments in the time between them."""
    found = {change.id: change for record in records for change in _in(record.path / FOLDER, record.header.record)}
    environments = {record.header.environment for record in records}
    begin = min((record.header.started for record in records), default="")
    end = max((record.header.ended for record in records), default="")
    for change in _in(reports / FOLDER, ""):
        if change.environment in environments and begin <= change.begun <= end:
            found.setdefault(change.id, change)
    return tuple(sorted(found.values(), key=lambda change: change.begun))


def _in(folder: Path, record: str) -> Iterator[Change]:
    for place in sorted(folder.glob("*/")):
        try:
            plan = json.loads((place / PLAN).read_bytes())
            events = _events(place / JOURNAL)
            yield _change(place.name, record, plan, events)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Being written, or of another version: an incident is told without it.
            continue


def _change(name: str, record: str, plan: dict[str, Any], events: list[dict[str, Any]]) -> Change:
    by_name = {event["event"]: event for event in events}
    confirmed, after = by_name.get("confirmed", {}), by_name.get("after", {})
    shown = plan.get("shown", plan)
    targets = [str(action.get("target") or action.get("path") or action.get("name") or "")
               for action in shown.get("actions", ())]  # fmt: skip
    ended = by_name.get("ended", {})
    return Change(
        id=name,
        environment=str(plan.get("environment") or shown.get("environment", "")),
        code=str(plan.get("code") or shown.get("code", "")),
        remedy=str(plan.get("plan") or shown.get("plan", "")),
        digest=str(confirmed.get("digest", "")),
        record=record,
        targets=tuple(dict.fromkeys(target for target in targets if target)),
        operator=str(confirmed.get("operator", "")),
        reason=str(confirmed.get("reason", "")),
        begun=str(events[0]["at"]) if events else "",
        ended=str(events[-1]["at"]) if events else "",
        proof=str(ended.get("proof") or after.get("proof", "")),
        undone="rolled back" in by_name or bool(ended.get("rolled_back")),
        events=tuple((str(event["at"]), str(event["event"])) for event in events),
    )


def _events(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            # A last line that was cut off is none.
            continue
    return found
