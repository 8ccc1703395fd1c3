"""What costs a host the most is asked in few questions: names in containers, and how containers were made."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cargo_runbook.facts.hosts_file import HostsEntry
from cargo_runbook.facts.matrix import Column, Place, Role, Row
from cargo_runbook.facts.names import Lookup
from cargo_runbook.observations import Command, Status
from cargo_runbook.observations import Place as At
from cargo_runbook.probes import matrix
from cargo_runbook.probes.places import Known, places_of, what_they_have
from tests.probes.installation import ENVIRONMENT, Host

OWN, PEER, GONE = ENVIRONMENT.domain, "peer.example", "gone.example"
ADDRESSES = {OWN: "192.0.2.1", PEER: "192.0.2.2"}
TENGINE, JOBSERVICE = Column(Place.TENGINE, "h1"), Column(Place.JOBSERVICE, "h1")
HUNG = {"status": Status.TIMEOUT, "exit_code": None, "data": {"reason": "timeout", "phase": "command"}}


def printed(names: tuple[str, ...]) -> dict[str, Any]:
    """As `getent hosts` of glibc prints several names."""
    lines = [f"{ADDRESSES[name]:15} {name}\n" for name in names if name in ADDRESSES]
    return {"output": "".join(lines), "exit_code": 0 if len(lines) == len(names) else 2}


class Names:
    """Looks names up; hangs at the place `where`, when one of `hanging` is among those that are asked."""

    def __init__(self, where: At | None = None, *hanging: str) -> None:
        self._where, self._hanging = where, set(hanging)

    def __call__(self, question: Command) -> Mapping[str, Any] | None:
        match question.argv:
            case ("getent", "hosts", *names):
                hangs = question.vantage.place is self._where and self._hanging & set(names)
                return HUNG if hangs else printed(tuple(names))
        return None


def look(said: Names, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[tuple[str, Column], Lookup], Host]:
    """How the domain, a peer and a name that nobody knows are looked up everywhere."""
    others = [Row(PEER, Role.PEER), Row(GONE, Role.PEER)]
    monkeypatch.setattr(matrix, "_other_names", lambda _: others)
    host = Host(said)
    scene: Any = type("Scene", (), {"ask": staticmethod(host.ask), "environment": ENVIRONMENT})
    with ThreadPoolExecutor(8) as pool:
        rows, answers = matrix._ask_everywhere(scene, pool, places_of(ENVIRONMENT), Known)
    assert [row.name for row in rows] == [OWN, PEER, GONE]
    return {key: found.lookup for key, (found, _) in answers.items()}, host


def test_a_container_is_asked_for_all_names_at_once_and_one_that_is_unknown_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, host = look(Names(), monkeypatch)
    assert host.words("getent", inside=True) == [f"getent hosts {OWN} {PEER} {GONE}"] * 2
    for column in (TENGINE, JOBSERVICE):
        seen = [found[name, column] for name in (OWN, PEER, GONE)]
        assert seen == [Lookup.RESOLVED, Lookup.RESOLVED, Lookup.NO_SUCH_NAME]


def test_a_name_that_hangs_in_a_container_hides_the_domain_for_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found, host = look(Names(At.CONTAINER, PEER), monkeypatch)
    assert host.words("getent", inside=True)[2:] == [f"getent hosts {OWN}"] * 2 + [f"getent hosts {PEER} {GONE}"] * 2
    assert [found[name, TENGINE] for name in (OWN, PEER)] == [Lookup.RESOLVED, Lookup.SILENT]


def test_where_the_domain_itself_hangs_in_a_container_nothing_else_is_asked_of_that_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, host = look(Names(At.CONTAINER, OWN), monkeypatch)
    assert host.words("getent", inside=True)[2:] == [f"getent hosts {OWN}"] * 2
    assert found[OWN, TENGINE] is Lookup.SILENT
    assert (PEER, TENGINE) not in found


def test_on_a_host_whose_name_server_is_silent_containers_are_asked_for_the_domain_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, host = look(Names(At.CARGO_HOST, OWN), monkeypatch)
    assert host.words("getent") == [f"getent hosts {OWN}"] * 3
    assert found[OWN, Column(Place.HOST, "h1")] is Lookup.SILENT


def test_other_names_that_come_late_keep_no_container_from_being_asked_for_the_domain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matrix, "SOON", 0.0)
    monkeypatch.setattr(matrix, "wait", lambda futures, timeout: type("Waited", (), {"not_done": {*futures}}))
    found, host = look(Names(), monkeypatch)
    assert sorted(host.words("getent", inside=True)) == sorted(
        [f"getent hosts {OWN}", f"getent hosts {PEER} {GONE}"] * 2
    )
    assert found[PEER, TENGINE] is Lookup.RESOLVED


MADE = '/tengine 2026-01-01T00:00:00.1Z ["cargo-admin:203.0.113.20"]\n/harbor-registry 2026-01-01T00:00:00.1Z null\n'


@pytest.mark.parametrize("missing", [False, True])
def test_how_containers_were_made_is_one_question_and_one_that_is_missing_hides_no_other(missing: bool) -> None:
    def said(question: Command) -> Mapping[str, Any] | None:
        if question.argv[:2] != ("docker", "inspect"):
            return None
        lacks = {"exit_code": 1, "error": "Error: No such object: harbor-jobservice"}
        listed = '/harbor-jobservice 2026-01-01T00:00:00.1Z ["b.example:192.0.2.2"]\n'
        return {"output": MADE, **lacks} if missing else {"output": MADE + listed}

    host = Host(said)
    known = what_they_have(host.ask, ENVIRONMENT.hosts, places_of(ENVIRONMENT))
    (asked,) = host.words("docker inspect")
    assert asked.endswith(" tengine harbor-registry harbor-jobservice")
    assert known.extra[TENGINE] == (HostsEntry("203.0.113.20", ("cargo-admin",), 0),)
    assert known.extra[JOBSERVICE] == (() if missing else (HostsEntry("192.0.2.2", ("b.example",), 0),))
