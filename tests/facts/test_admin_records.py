"""Cargo-Admin's replications and their records, in the spellings that they may come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cargo_runbook.facts.admin_records import AdminRecord, read_records, read_replications
from cargo_runbook.observations import HttpRequest, Observation, Status
from cargo_sandbox.services.cargo_harbor import records_of


def answer(body: Any, status: int = 200) -> Observation:
    return Observation(
        question=HttpRequest(url="http://admin.test/api/v2/replications"),
        status=Status.ANSWERED,
        output=body if isinstance(body, str) else json.dumps(body),
        data={"status": status},
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.1,
        id="E9",
    )


def job(number: int, status: str, created: str) -> dict[str, Any]:
    return {"id": number, "status": status, "creation_time": created}


def test_records_are_read_as_the_stand_in_makes_them_from_harbors_jobs() -> None:
    jobs = [
        job(1, "finished", "2026-01-01T10:00:00Z"),
        job(2, "finished", "2026-01-01T10:00:00Z"),
        job(3, "error", "2026-01-01T11:00:00Z"),
        job(4, "finished", "2026-01-01T11:00:01Z"),
        job(5, "retrying", "2026-01-01T12:00:00Z"),
    ]
    assert read_records(answer({"metadata": {"total": 3}, "items": records_of(jobs)})) == (
        AdminRecord("Syncing", "2026-01-01T12:00:00Z", 0, 1),
        AdminRecord("Failed", "2026-01-01T11:00:00Z", 1, 2),
        AdminRecord("Success", "2026-01-01T10:00:00Z", 2, 2),
    )


def test_a_record_in_parts_and_with_other_spellings_is_read_too() -> None:
    item = {"metadata": {"trigger_time": "t"}, "status": {"status": "Failed", "success_count": 1, "total_count": 3}}
    assert read_records(answer({"items": [item]})) == (AdminRecord("Failed", "t", 1, 3),)


@pytest.mark.parametrize("seen", [answer("<html>", 200), answer({"items": []}, 500), answer({"items": None})])
def test_what_is_no_list_could_not_be_read(seen: Observation) -> None:
    assert read_records(seen) is None
    assert read_replications(seen) == ()


def test_a_list_without_records_is_empty_and_not_unread() -> None:
    assert read_records(answer({"items": []})) == ()


def test_a_replication_has_its_name_direction_and_state() -> None:
    item = {
        "metadata": {"name": "cargo-library-to-devops"},
        "spec": {"source": "cargo", "target": "devops", "project": "library"},
        "status": {"status": "Syncing", "isSyncing": True},
    }
    (seen,) = read_replications(answer({"items": [item, "nonsense"]}))
    assert (seen.name, seen.source, seen.target, seen.project) == (
        "cargo-library-to-devops",
        "cargo",
        "devops",
        "library",
    )
    assert (seen.status, seen.evidence, seen.records) == ("Syncing", "E9", None)
