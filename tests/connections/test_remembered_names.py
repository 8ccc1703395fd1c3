"""The names of one look: asked once, however many requests go there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.connections.network import sockets
from cargo_runbook.connections.network.sockets import LookUp, Names
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

FOUND = LookUp(("127.0.0.1",))
NOTHING = LookUp(code=-2, text="Name or service not known")


class Resolver:
    """Answers in turn; counts how often it was asked."""

    def __init__(self, *answers: LookUp | Failure) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.may_answer = Event()
        self.may_answer.set()

    def __call__(self, name: str, _deadline: Deadline, _family: int = 0) -> LookUp:
        self.asked.append(name)
        self.may_answer.wait(10)
        answer = self.answers.pop(0)
        if isinstance(answer, Failure):
            raise answer
        return answer


def resolver(monkeypatch: pytest.MonkeyPatch, *answers: LookUp | Failure) -> Resolver:
    made = Resolver(*answers)
    monkeypatch.setattr(sockets, "look_up", made)
    return made


def test_a_name_is_looked_up_once_for_all_who_come_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolver(monkeypatch, FOUND)
    asked.may_answer.clear()
    names, together = Names(), Barrier(9)

    def look() -> LookUp:
        together.wait()
        return names("registry.example", Deadline(10))

    with ThreadPoolExecutor(8) as pool:
        looking = [pool.submit(look) for _ in range(8)]
        together.wait()
        asked.may_answer.set()
        assert {each.result() for each in looking} == {FOUND}
    assert names("registry.example", Deadline(10)) == FOUND
    assert asked.asked == ["registry.example"]


def test_a_name_that_did_not_resolve_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, NOTHING, FOUND)
    names = Names()
    assert names("registry.example", Deadline(10)) == NOTHING
    assert names("registry.example", Deadline(10)) == FOUND


def test_a_look_up_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, Failure(Status.TIMEOUT, "timeout", Text("no answer", "没有应答")), FOUND)
    names = Names()
    with pytest.raises(Failure, match="no answer"):
        names("registry.example", Deadline(10))
    assert names("registry.example", Deadline(10)) == FOUND


def test_who_waits_for_anothers_look_up_waits_no_longer_than_its_own_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolver(monkeypatch, FOUND)
    asked.may_answer.clear()
    names = Names()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(names, "registry.example", Deadline(10))
        while not asked.asked:
            pass
        with pytest.raises(Failure) as late:
            names("registry.example", Deadline(0.05))
        asked.may_answer.set()
        assert first.result() == FOUND
    assert late.value.reason == "timeout"
