"""What is tried before and after a fix, and what the two prove."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.connections import client
from cargo_runbook.connections.base import Failure
from cargo_runbook.connections.client import ClientCall
from cargo_runbook.connections.network.sockets import LookUp
from cargo_runbook.observations import Status
from cargo_runbook.remedies import proof
from cargo_runbook.remedies.proof import Proof, Tried, conclude, until_silence
from cargo_runbook.texts import Text

RED, GREEN = ClientCall("docker login", 1, "i/o timeout"), ClientCall("docker pull", 0, "")


class Clock:
    """A clock that a call moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


def tried(monkeypatch: pytest.MonkeyPatch, *calls: tuple[ClientCall, float]) -> tuple[ClientCall, ...]:
    """Those of the calls, which take so many seconds each, that are made."""
    clock = Clock()
    monkeypatch.setattr(proof, "time", clock)

    def made() -> Iterator[ClientCall]:
        for call, seconds in calls:
            clock.now += seconds
            yield call

    return until_silence(made())


def test_after_a_silence_nothing_more_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried(monkeypatch, (GREEN, 1), (RED, 50), (RED, 50), (GREEN, 1)) == (GREEN, RED)


def test_after_a_quick_refusal_and_after_a_slow_success_the_others_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried(monkeypatch, (RED, 1), (GREEN, 50), (RED, 14), (GREEN, 1)) == (RED, GREEN, RED, GREEN)


@pytest.mark.parametrize(
    ("before", "after", "control", "result"),
    [
        ((RED,), (GREEN, GREEN), (GREEN,), Proof.PROVEN),
        ((GREEN, RED), (GREEN, GREEN), (GREEN,), Proof.PROVEN),
        ((RED,), (GREEN, RED), (GREEN,), Proof.NOT_PROVEN),
        ((RED,), (GREEN,), (RED,), Proof.NOT_PROVEN),
        ((GREEN,), (GREEN,), (GREEN,), Proof.NOT_REPRODUCED),
        ((GREEN,), (RED,), (GREEN,), Proof.NOT_REPRODUCED),
    ],
)
def test_red_before_green_after_and_an_unchanged_control_prove_it(
    before: tuple[ClientCall, ...], after: tuple[ClientCall, ...], control: tuple[ClientCall, ...], result: Proof
) -> None:
    assert conclude(Tried(before, (GREEN,)), Tried(after, control)) is result


class Docker:
    """A docker whose logins wait until as many of them as `begun` has parties have begun."""

    begun: Barrier

    def __init__(self, _: object) -> None:
        pass

    def __enter__(self) -> Docker:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def login(self, authority: str, _: object) -> ClientCall:
        self.begun.wait()
        return ClientCall(f"docker login {authority}", 0, "")

    def pull(self, image: str, _: str = "") -> ClientCall:
        return ClientCall(f"docker pull {image}", 0, "")


def try_clients(monkeypatch: pytest.MonkeyPatch, *, at_once: int) -> Tried:
    monkeypatch.setattr(proof, "DockerClient", Docker)
    monkeypatch.setattr(Docker, "begun", Barrier(at_once, timeout=10), raising=False)
    account = SimpleNamespace(name="alice", is_docker_login=False)
    about = {"accounts": (account,), "hosts": (1,), "uses": (), "image": "library/tiny:1", "port": 443}
    here, there = (SimpleNamespace(authority=name, domain=f"{name}.invalid", **about) for name in ("here", "there"))
    nothing: Any = None

    def logins(_: object) -> Any:
        return SimpleNamespace(username="alice")

    return proof.try_clients(here, logins, nothing, (there, logins), proof.How(), nothing, nothing)  # type: ignore[arg-type]


def test_the_control_is_tried_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two logins waits for the other to have begun."""
    monkeypatch.setattr(proof, "hung_look_up", lambda _: None)
    done = try_clients(monkeypatch, at_once=2)
    assert [call.command for call in done.calls] == ["docker login here", "docker pull here/library/tiny:1"]
    assert [call.command for call in done.control] == ["docker login there"]


def test_a_control_whose_name_hangs_is_not_tried_by_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(name: str, _: object) -> Any:
        raise Failure(Status.TIMEOUT, "timeout", Text(f"looking up {name} had no answer in time", "超时"), phase="name")

    monkeypatch.setattr(client, "look_up", silent)
    done = try_clients(monkeypatch, at_once=1)
    assert [call.command for call in done.calls] == ["docker login here", "docker pull here/library/tiny:1"]
    assert [(call.works, call.output) for call in done.control] == [
        (False, "looking up there.invalid had no answer in time")
    ]


def test_a_name_that_is_not_there_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "look_up", lambda *_: LookUp((), -2, "Name or service not known"))
    assert client.hung_look_up("there.invalid") is None
