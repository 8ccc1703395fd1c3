"""What was changed, as plans and journals tell it (see `remedies/journal.py`): sealed, and read back for an incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.archive.files import parse, write_bytes, write_json
from cargo_runbook.archive.record import FIX, VERDICT, Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.findings import diagnosis_to_json
from cargo_runbook.remedies import journal
from cargo_runbook.secret import Redactor

if TYPE_CHECKING:
    from cargo_runbook.remedies.outcome import Outcome


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


def seal_change(reports: Path, outcome: Outcome, redactor: Redactor) -> Record:
    """Seals plan, journal and proof of a change that was made outside a notebook.

    The files before and after stay beside the records: they are what undoing takes, and may hold secrets.

    Raises:
        UsageError: the archive can't be written.
        SecretInRecord: a secret stands in one of the files.
    """
    plan, diagnosis = outcome.plan, outcome.diagnosis
    draft = Draft(reports, plan.environment, f"fix_{plan.code}")
    keep_change(draft.folder, outcome.change)
    if diagnosis is not None:
        write_json(draft.folder / VERDICT, diagnosis_to_json(diagnosis))
    return draft.seal(
        status=str(diagnosis.status) if diagnosis else "unknown",
        root_causes=diagnosis.root_causes if diagnosis else (),
        reason=f"{outcome.proof}{', taken back' if outcome.rolled_back else ''}",
        kind=FIX,
        redactor=redactor,
    )


def keep_change(folder: Path, change: journal.Change) -> None:
    """Copies plan and journal of a change into a draft; not the files, which may hold secrets."""
    target = folder / journal.FOLDER / change.id
    target.mkdir(parents=True, exist_ok=True)
    for name in (journal.PLAN, journal.JOURNAL):
        write_bytes(target / name, change.kept(name) or b"")


def changes_of(reports: Path, records: Sequence[Record]) -> tuple[Change, ...]:
    """The changes that are sealed in these records, and those of the same environments in the time between them."""
    found = {
        change.id: change for record in records for change in _in(record.path / journal.FOLDER, record.header.record)
    }
    environments = {record.header.environment for record in records}
    begin = min((record.header.started for record in records), default="")
    end = max((record.header.ended for record in records), default="")
    for change in _in(reports / journal.FOLDER, ""):
        if change.environment in environments and begin <= change.begun <= end:
            found.setdefault(change.id, change)
    return tuple(sorted(found.values(), key=lambda change: change.begun))


def _in(folder: Path, record: str) -> Iterator[Change]:
    for place in sorted(folder.glob("*/")):
        try:
            plan = parse((place / journal.PLAN).read_bytes())
            events = journal.Change(place).events()
            yield _change(place.name, record, plan, events)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Being written, or of another version: an incident is told without it.
            continue


def _change(name: str, record: str, plan: dict[str, Any], events: Sequence[dict[str, Any]]) -> Change:
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
