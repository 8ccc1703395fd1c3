"""The destination's name as the source's places see it, while a name server is silent."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.facts.replication import NameSeen, SavedPolicy
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command, Observation, Place, Question, Status
from cargo_runbook.probes.destination import _names

NAME = "b.example"
ENVIRONMENT = Environment.model_validate(
    {"name": "a", "domain": "a.example", "hosts": [{"name": "h1", "address": "192.0.2.1"}]}
)
POLICY = SavedPolicy(3, "p", "library", 7, f"https://{NAME}", "bot", False, "Manual", "E1")


class SilentNameServer:
    """`getent hosts` waits in vain everywhere; the Cargo host has the name in its hosts file, and clients get it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Place, str]] = []

    def ask(self, question: Question) -> Observation:
        assert isinstance(question, Command)
        here = question.vantage.place is Place.CARGO_HOST
        match question.argv:
            case ("cat", "/etc/hosts"):
                return self._answer(question, output=f"198.51.100.7 {NAME}\n" if here else "127.0.0.1 localhost\n")
            case ("getent", database, _):
                self.asked.append((question.vantage.place, database))
                if database == "ahostsv4":
                    return self._answer(question, output=f"198.51.100.7 STREAM {NAME}\n198.51.100.7 DGRAM\n")
        data = {"reason": "timeout", "phase": "command"}
        return Observation(question=question, status=Status.TIMEOUT, data=data, started=NOW, duration=5.0)

    def _answer(self, question: Question, **fields: Any) -> Observation:
        return Observation(question=question, status=Status.ANSWERED, exit_code=0, started=NOW, duration=0.01, **fields)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def seen() -> tuple[SilentNameServer, tuple[NameSeen, ...]]:
    server = SilentNameServer()
    scene: Any = SimpleNamespace(ask=server.ask, environment=ENVIRONMENT)
    return server, _names(scene, POLICY, [])


def test_a_place_whose_hosts_file_has_the_name_resolves_it_although_getent_hosts_waits(
    seen: tuple[SilentNameServer, tuple[NameSeen, ...]],
) -> None:
    host, *containers = seen[1]
    assert (host.addresses, host.source) == (("198.51.100.7",), "hosts")
    assert [(each.addresses, each.source) for each in containers] == [(None, "timeout")] * 2


def test_no_place_is_asked_again_what_would_hang_as_well(
    seen: tuple[SilentNameServer, tuple[NameSeen, ...]],
) -> None:
    assert [place for place, database in seen[0].asked if database == "ahostsv4"] == [Place.CARGO_HOST]
