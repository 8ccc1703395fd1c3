"""What is asked so that a record says who was looked at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cargo_runbook.connections.readonly import ReadOnly
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.observations import KubeCommand, Observation, Question, Status
from cargo_runbook.probes.targets import ask_targets
from cargo_runbook.recordings import load_recording
from tests.views.diagnoses import STARTED


def asked(recording: str, *closed: str) -> list[Question]:
    questions: list[Question] = []

    def ask(question: Question) -> Observation:
        questions.append(question)
        return Observation(question=question, status=Status.ERROR, started=STARTED, duration=0.0)

    environment = load_environment("cargo", load_recording(recording).folder)
    hosts = tuple(
        SimpleNamespace(name=host.name, reason="timeout" * (host.name in closed)) for host in environment.hosts
    )
    scene: Any = SimpleNamespace(ask=ask, environment=environment, hosts=lambda: SimpleNamespace(hosts=hosts))
    assert ask_targets(scene) == {}
    return questions


def test_each_host_and_node_is_asked_for_its_clock_and_the_cluster_for_itself() -> None:
    questions = asked("domain-unresolved-pipeline")
    words = sorted(str(question) for question in questions)
    assert words[0] == "date -u +%s"
    assert [word for word in words if word.startswith("kubectl")] == [
        "kubectl config view --minify -o jsonpath={.clusters[0].cluster.server}",
        "kubectl get namespace kube-system -o jsonpath={.metadata.uid}",
    ]
    places = [str(question.vantage) for question in questions if not isinstance(question, KubeCommand)]
    assert "cargo host cargo" in places
    assert any(place.startswith("node ") for place in places)


def test_a_host_that_does_not_answer_is_not_asked_again() -> None:
    assert asked("healthy", "cargo") == []


def test_none_of_it_changes_anything() -> None:
    reading = ReadOnly(SimpleNamespace())  # type: ignore[arg-type]
    assert all(reading.allows(question) for question in asked("domain-unresolved-pipeline"))
