"""Which question goes which way, and what a diagnosis gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.connections import LiveConnections, open_connections
from cargo_runbook.connections.ssh import container_argv, container_trouble
from cargo_runbook.errors import SecretUnavailable
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment, Host
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Place, Question, Status, Vantage
from cargo_runbook.secret import Redactor, Secret

ENVIRONMENT = Environment(
    name="test",
    domain="cargo.test",
    hosts=(Host(name="cargo1", address="127.0.0.1", root="/opt/cargo"),),
    accounts=(Account(username="alice", password="env:A"), Account(username="bob", password="env:B")),
)


def credentials(account: Account) -> Login:
    if account.username == "bob":
        raise SecretUnavailable("B is not set")
    return Login(account.username, Secret("hunter22"))


def test_every_password_that_can_be_had_is_known_before_anything_is_asked() -> None:
    live = LiveConnections(ENVIRONMENT, credentials, Redactor())
    seen = live.ask(Command(argv=("echo", "alice", "hunter22", "aHVudGVyMjI=", "marker")))
    assert seen.output == "alice ‹secret 1 password› ‹secret 1 password› marker\n"
    assert seen.data["argv"] == ["echo", "alice", "‹secret 1 password›", "‹secret 1 password›", "marker"]
    assert "hunter22" not in repr(seen)


def test_a_container_is_asked_without_a_terminal() -> None:
    assert container_argv("tengine", ("cat", "/etc/hosts"), "m1") == (
        "docker",
        "exec",
        "-e",
        "CARGO_RUNBOOK_MARK=m1",
        "tengine",
        "cat",
        "/etc/hosts",
    )


# Verbatim from docker 20.10 and 28.
@pytest.mark.parametrize(
    ("exit_code", "error", "reason"),
    [
        (1, "Error: No such container: nope\n", "no_container"),
        (1, "Error response from daemon: No such container: nope\n", "no_container"),
        (1, "Error response from daemon: Container 0d3f is not running\n", "container_stopped"),
        (
            1,
            "Error response from daemon: Container 0d3f is restarting, wait until the container is running\n",
            "container_stopped",
        ),
        (1, "Error response from daemon: container 0d3f is not running\n", "container_stopped"),
        (
            1,
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
            "no_dockerd",
        ),
        (1, "cat: /etc/hosts: No such file or directory\n", ""),
        (0, "No such container\n", ""),
        (None, "", ""),
    ],
)
def test_docker_exec_that_failed_is_told_from_the_program_inside(
    exit_code: int | None, error: str, reason: str
) -> None:
    assert container_trouble(exit_code, error) == reason


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (Command(vantage=Vantage(Place.CARGO_HOST, "other"), argv=("true",)), "unknown_host"),
        (Command(vantage=Vantage(Place.CONTAINER, "other", "tengine"), argv=("true",)), "unknown_host"),
        (Command(vantage=Vantage(Place.CLUSTER, "ctx"), argv=("true",)), "no_way"),
        (KubeCommand(args=("version",)), "no_context"),
    ],
)
def test_what_can_not_be_asked_is_an_error_observation(question: Question, reason: str) -> None:
    seen = LiveConnections(ENVIRONMENT, credentials, Redactor()).ask(question)
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, reason)


def test_a_diagnosis_gets_read_only_connections_that_file_evidence(tmp_path: Path) -> None:
    victim = tmp_path / "file"
    victim.touch()
    with open_connections(ENVIRONMENT, credentials) as evidence:
        removed = evidence.ask(Command(argv=("rm", str(victim))))
        posted = evidence.ask(HttpRequest(url="http://127.0.0.1:1/", method="POST"))
        read = evidence.ask(Command(argv=("cat", "/etc/hosts")))
        own = evidence.ask(Command(argv=("cat", "/opt/cargo/none")))
    assert [o.status for o in (removed, posted)] == [Status.WITHHELD] * 2
    assert victim.exists()
    assert (read.id, read.exit_code) == ("E3", 0)
    assert (own.status, own.exit_code) == (Status.ANSWERED, 1)
