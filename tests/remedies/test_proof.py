"""What is tried before and after a fix, and what the two prove."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.connections.client import ClientCall
from cargo_runbook.remedies import proof
from cargo_runbook.remedies.proof import Proof, Tried, conclude, until_silence

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


def test_the_control_is_tried_meanwhile_and_is_given_up_once_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two waits for the other to have begun; what the control may take is what counts as silence."""
    begun, patience = Barrier(2, timeout=10), []

    class Docker:
        def __init__(self, _: object) -> None:
            pass

        def __enter__(self) -> Docker:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def login(self, authority: str, _: object, seconds: float = 120.0) -> ClientCall:
            begun.wait()
            patience.append((authority, seconds))
            return ClientCall(f"docker login {authority}", 0, "")

        def pull(self, image: str, _: str = "") -> ClientCall:
            return ClientCall(f"docker pull {image}", 0, "")

    monkeypatch.setattr(proof, "DockerClient", Docker)
    here, there = environment("here"), environment("there")
    nothing: Any = None

    def logins(_: object) -> Any:
        return SimpleNamespace(username="alice")

    done = proof.try_clients(here, logins, nothing, (there, logins), proof.How(), nothing, nothing)
    assert [call.command for call in (*done.calls, *done.control)] == [
        "docker login here",
        "docker pull here/library/tiny:1",
        "docker login there",
    ]
    assert sorted(patience) == [("here", 120.0), ("there", proof.SILENT)]


def environment(name: str) -> Any:
    account = SimpleNamespace(name="alice", is_docker_login=False)
    about = {"accounts": (account,), "hosts": (1,), "uses": (), "image": "library/tiny:1"}
    return SimpleNamespace(authority=name, domain=name, port=443, **about)
