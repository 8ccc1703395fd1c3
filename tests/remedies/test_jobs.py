"""A start of a replication: Harbor's job is waited for, and then Cargo-Admin's own record of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cargo_runbook.connections.api_calls import ApiRequest, Service
from cargo_runbook.observations import HttpRequest, Observation, Status
from cargo_runbook.remedies import jobs
from cargo_runbook.remedies.actions import STARTED, ApiCall, Effect, Jobs
from cargo_sandbox.services.cargo_harbor import records_of

START = ApiRequest(
    service=Service.CARGO_ADMIN,
    environment="cargo",
    method="POST",
    path="/api/v2/replications/library-to-devops/action",
    body='{"action": "Start"}',
)
IN_HARBOR = ApiRequest(
    service=Service.HARBOR, environment="cargo", method="POST", path="/api/replications", body='{"policy_id": 3}'
)
EARLIER = {"id": 1, "creation_time": "2026-01-01T10:00:00Z", "status": "error", "repository": "library/tiny"}
NEW = {"id": 2, "creation_time": "2026-01-01T11:00:00Z", "status": "pending", "repository": "library/tiny"}
RIGHT_AFTER = {**NEW, "creation_time": "2026-01-01T10:00:01Z"}


class Apis:
    """A Harbor that has the new job at once, and a Cargo-Admin that takes `looks` looks until it shows it; for ever
    where None. `records` are whole answers instead."""

    def __init__(self, looks: int | None, *, earlier: tuple[Any, ...] = (EARLIER,), new: Any = NEW, gone: bool = False):
        self._left, self._earlier, self._new, self._gone = looks, earlier, new, gone
        self._started = False
        self.looked: list[str] = []

    def send(self, request: ApiRequest) -> None:
        self._started = True

    def look(self, service: Service, environment: str, path: str) -> Observation:
        listed = [*self._earlier, *([self._new] if self._started else [])]
        if service is Service.HARBOR:
            return answer(listed)
        self.looked.append(path)
        if self._gone:
            return answer({"message": "not found"}, 404)
        if self._started and self._left:
            self._left -= 1
        shown = listed if self._started and self._left == 0 else self._earlier
        return answer({"items": records_of(shown)})


def answer(body: Any, status: int = 200) -> Observation:
    return Observation(
        question=HttpRequest(url="https://cargo.test/api/jobs/replication"),
        status=Status.ANSWERED,
        output=json.dumps(body),
        data={"status": status, "headers": {}},
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.1,
        id="E9",
    )


def start(apis: Any, request: ApiRequest = START) -> str:
    waits = Jobs(3, STARTED, 20.0)
    return jobs.send_and_wait(ApiCall(request=request, effect=Effect.REPLICATE, target="policy", waits=waits), apis)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LOOK_AGAIN", 0.001)
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")


def test_a_start_in_cargo_admin_waits_for_its_record_too() -> None:
    apis = Apis(looks=4)
    assert start(apis) == "Cargo-Admin has its record of this start (2026-01-01T11:00:00Z): Syncing"
    assert apis.looked == ["/api/v2/replications/library-to-devops/records"] * 5


def test_the_first_record_of_a_replication_is_one_too() -> None:
    assert "has its record" in start(Apis(looks=2, earlier=()))


def test_a_job_that_cargo_admin_counts_to_the_earlier_start_is_seen_there() -> None:
    said = start(Apis(looks=2, new=RIGHT_AFTER))
    assert said == "Cargo-Admin has its record of this start (2026-01-01T10:00:00Z): Syncing"


def test_a_record_that_does_not_come_is_told_within_a_bound_and_the_replication_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SHOWN", 0.05)
    assert "shows no new record" in start(Apis(looks=None))


def test_records_that_cannot_be_read_are_not_waited_for() -> None:
    apis = Apis(looks=None, gone=True)
    assert start(apis) == ""
    assert len(apis.looked) == 1


def test_a_start_in_harbor_itself_has_no_record_to_wait_for() -> None:
    apis = Apis(looks=None)
    assert start(apis, IN_HARBOR) == ""
    assert apis.looked == []
