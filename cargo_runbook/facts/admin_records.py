"""Replications and their records as Cargo-Admin shows them (`/api/v2/replications`).

The names of its fields are known from structures in Go, not from answers: each is read in the spellings that these
allow, and a record of which nothing can be read is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.facts.answers import read_json
from cargo_runbook.observations import Observation


@dataclass(frozen=True)
class AdminRecord:
    """One start of a replication. `status` is Syncing, Failed or Success; `done` of `total` images went through."""

    status: str
    time: str
    done: int | None
    total: int | None


@dataclass(frozen=True)
class AdminReplication:
    """A replication of Cargo-Admin with its records, newest first; None when they could not be read."""

    name: str
    source: str
    target: str
    project: str
    status: str
    evidence: str
    records: tuple[AdminRecord, ...] | None = None
    records_evidence: str = ""


def read_replications(observation: Observation) -> tuple[AdminReplication, ...]:
    """The replications in a list."""
    found = []
    for item in _items(observation) or ():
        meta, spec, status = (_part(item, key) for key in ("metadata", "spec", "status"))
        found.append(
            AdminReplication(
                name=str(meta.get("name", "")),
                source=str(spec.get("source", "")),
                target=str(spec.get("target", "")),
                project=str(spec.get("project", "")),
                status=str(status.get("status", "")),
                evidence=observation.id,
            )
        )
    return tuple(found)


def read_records(observation: Observation) -> tuple[AdminRecord, ...] | None:
    """The records of one replication; None when there is no list."""
    items = _items(observation)
    if items is None:
        return None
    found = []
    for item in items:
        fields = {**_part(item, "metadata"), **_part(item, "spec"), **_part(item, "status"), **_own(item)}
        status = fields.get("status", fields.get("phase", ""))
        if isinstance(status, str) and status:
            time = str(fields.get("triggerTime", fields.get("trigger_time", fields.get("creationTime", ""))))
            done, total = (_count(fields, name) for name in ("success", "total"))
            found.append(AdminRecord(status, time, done, total))
    return tuple(found)


def _items(observation: Observation) -> list[Mapping[str, Any]] | None:
    body = read_json(observation)
    items = body.get("items") if isinstance(body, Mapping) else None
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else None


def _part(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = item.get(key)
    return part if isinstance(part, Mapping) else {}


def _own(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in item.items() if not isinstance(value, Mapping)}


def _count(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(f"{name}Count", fields.get(f"{name}_count"))
    return value if isinstance(value, int) else None
