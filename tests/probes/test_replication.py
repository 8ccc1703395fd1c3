"""What is asked about replication: all pages of the lists, and nothing deeper while nothing is in trouble."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cargo_runbook.connections.readonly import ReadOnly
from cargo_runbook.facts.replication import EnvironmentReplication, Reason
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import HttpRequest, Observation, Question, Status
from cargo_runbook.probes.replication import ask_replication
from cargo_runbook.probes.scene import Scene, Wanted

ENVIRONMENT = Environment.model_validate(
    {
        "name": "source",
        "domain": "registry.example",
        "hosts": [{"name": "h1", "address": "192.0.2.1"}],
        "accounts": [{"username": "admin", "kind": "admin", "password": "env:NOBODY"}],
    }
)
INFO = {"auth_mode": "db_auth", "harbor_version": "v1.4.1"}
POLICY = {
    "id": 3,
    "name": "库-to-b",
    "projects": [{"name": "库"}],
    "targets": [{"id": 7, "endpoint": "https://b.example", "username": "bot", "insecure": False}],
    "trigger": {"kind": "Manual"},
}


def job(number: int, status: str = "finished") -> dict[str, Any]:
    times = {"creation_time": "2026-01-01T11:00:00Z", "update_time": "2026-01-01T11:00:00Z"}
    return {
        "id": number,
        "status": status,
        "repository": f"库/{number}",
        "policy_id": 3,
        "operation": "transfer",
        **times,
    }


@dataclass
class Harbor:
    """Answers from a table of paths; what it was asked is kept."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Observation:
        self.asked.append(question)
        if not isinstance(question, HttpRequest):
            return self._answer(question, {}, "", exit_code=1)
        path, _, query = question.url.partition("://registry.example")[2].partition("?")
        status = self.statuses.get(path, 200)
        if path == "/api/jobs/replication" and status == 200:
            page = int(dict(part.split("=") for part in query.split("&"))["page"])
            shown = self.jobs[(page - 1) * 500 : page * 500]
            return self._answer(question, {"x-total-count": [str(len(self.jobs))]}, json.dumps(shown))
        body = {"/api/systeminfo": INFO, "/api/policies/replication": [POLICY]}.get(path, "log")
        return self._answer(question, {}, json.dumps(body) if status == 200 else "", status)

    @staticmethod
    def _answer(
        question: Question, headers: dict[str, list[str]], output: str, status: int = 200, exit_code: int | None = None
    ) -> Observation:
        data = {"status": status, "headers": {"date": ["Thu, 01 Jan 2026 12:00:00 GMT"], **headers}}
        return Observation(
            question=question,
            status=Status.ANSWERED,
            exit_code=exit_code,
            output=output,
            data=data,
            started=datetime(2026, 1, 1, 12, tzinfo=UTC),
            duration=0.0,
            id="E1",
        )

    def close(self) -> None:
        pass

    @property
    def paths(self) -> list[str]:
        return [
            q.url.partition("registry.example")[2].partition("?")[0] for q in self.asked if isinstance(q, HttpRequest)
        ]


def look(harbor: Harbor, environment: Environment = ENVIRONMENT, policy: str = "") -> EnvironmentReplication:
    def unused(*_: object) -> Any:
        raise AssertionError("not needed here")

    nobody: Callable[[str], None] = lambda _: None  # noqa: E731
    wanted = Wanted("库/a", "1", policy=policy)
    ask = ReadOnly(harbor).ask
    return ask_replication(Scene(ask, environment, wanted, lambda: "", unused, unused, unused, unused, nobody))


def test_all_pages_of_the_jobs_are_read_by_the_total_that_harbor_tells() -> None:
    harbor = Harbor([job(number) for number in range(1, 1202)])
    (policy,) = look(harbor).policies
    assert policy.facts.jobs is not None
    assert (len(policy.facts.jobs.jobs or ()), policy.facts.jobs.complete) == (1201, True)
    assert harbor.paths.count("/api/jobs/replication") == 3


def test_while_nothing_is_in_trouble_only_the_lists_are_asked_for() -> None:
    harbor = Harbor([job(1), job(2)])
    (policy,) = look(harbor).policies
    assert not policy.facts.closely
    assert harbor.paths == ["/api/systeminfo", "/api/policies/replication", "/api/jobs/replication"]


def test_in_trouble_the_logs_are_fetched_and_nothing_is_sent_that_is_not_read_only() -> None:
    harbor = Harbor([job(1), job(2, "error")])
    (policy,) = look(harbor).policies
    assert policy.facts.closely
    assert "/api/jobs/replication/2/log" in harbor.paths
    assert {q.method for q in harbor.asked if isinstance(q, HttpRequest)} == {"GET"}


def test_only_the_policy_that_is_wanted_is_looked_at() -> None:
    assert look(Harbor(), policy="库-to-b").policies[0].policy.target == 7
    assert look(Harbor(), policy="别的").reason == Reason.NO_SUCH_POLICY


def test_a_harbor_that_is_not_reached_or_refuses_its_admin_is_told_as_that() -> None:
    assert look(Harbor(statuses={"/api/systeminfo": 502})).reason == Reason.NOT_REACHED
    assert look(Harbor(statuses={"/api/policies/replication": 401})).reason == Reason.REFUSED
    broken = look(Harbor(statuses={"/api/systeminfo": 500}))
    assert (broken.reason, broken.generation and broken.generation.status) == ("", 500)


def test_without_an_admin_in_the_inventory_nothing_is_asked() -> None:
    harbor = Harbor()
    assert look(harbor, ENVIRONMENT.model_copy(update={"accounts": ()})).reason == Reason.NO_ADMIN
    assert harbor.asked == []
