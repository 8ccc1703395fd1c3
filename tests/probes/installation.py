"""A Cargo installation of one host for tests of what is asked there: answers by the words of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cargo_runbook.facts.containers import Container
from cargo_runbook.facts.path import HostSettings
from cargo_runbook.facts.transport import HostFacts
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Command, Observation, Place, Question, Status
from cargo_runbook.probes.hosts import HostProbe
from cargo_runbook.texts import Text

ENVIRONMENT = Environment.model_validate(
    {"name": "here", "domain": "registry.example", "hosts": [{"name": "h1", "address": "192.0.2.1"}]}
)
CONTAINERS = ("tengine", "harbor-registry", "harbor-jobservice")

Said = Callable[[Command], Mapping[str, Any] | None]


def probe(*containers: str) -> HostProbe:
    """What the path knows of the host: that it can be asked, and which containers run there."""
    running = tuple(Container(name, "Up 1 minute") for name in containers or CONTAINERS)
    settings = HostSettings("h1", None, "E1", (), "E1", containers=running)
    return HostProbe((HostFacts("h1", True, "", Text("", ""), "E1"),), (settings,), {})


@dataclass
class Host:
    """Answers what `said` gives for a command (fields of an observation; None: nothing printed); keeps what was asked."""

    said: Said
    asked: list[Command] = field(default_factory=list)

    def ask(self, question: Question) -> Observation:
        known: dict[str, Any] = {"status": Status.ANSWERED, "exit_code": 0}
        if isinstance(question, Command):
            self.asked.append(question)
            known |= self.said(question) or {}
        number = f"E{len(self.asked)}"
        return Observation(
            question=question, started=datetime(2026, 1, 1, tzinfo=UTC), duration=0.01, id=number, **known
        )

    def words(self, program: str, *, inside: bool | None = None) -> list[str]:
        """The command lines that begin so, in order; inside of containers, outside, or both."""
        return [
            str(question)
            for question in self.asked
            if str(question).startswith(program) and inside in (None, question.vantage.place is Place.CONTAINER)
        ]
