"""Several hosts behind one address: what differs from host to host is named with its host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cargo_runbook.facts.nodes import NodeFacts, NodesFacts
from cargo_runbook.facts.path import HostSettings, PathFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.facts.transport import Handshake, HostFacts
from cargo_runbook.findings import Finding, Health, Verdict
from cargo_runbook.rules.nodes import judge_nodes
from cargo_runbook.rules.triage import conclude, explain, judge
from cargo_runbook.texts import Text
from tests.rules.path_facts import HEALTHY, challenge, handshake, settings, token, token_service, unasked

WRONG = "https://old-cargo.example/service/token"
HOSTS = ("ha-1", "ha-2")


def host(name: str, **changes: Any) -> HostSettings:
    return replace(settings(**changes), host=name)


def path(**second: Any) -> PathFacts:
    """The healthy path looked at on ha-1; `second` changes the settings of ha-2."""
    return replace(
        HEALTHY,
        looked_at="ha-1",
        hosts=tuple(HostFacts(name, True, "", Text("", ""), "E8") for name in HOSTS),
        settings=(host("ha-1"), host("ha-2", **second)),
    )


def node(name: str, **changes: Any) -> NodeFacts:
    whole = NodeFacts(
        name,
        "192.0.2.31",
        handshake(Handshake.SECURE),
        challenge(),
        token_service(Issuer.CARGO_TOKEN),
        token("pull"),
        ManifestFacts(200, "", "E12"),
    )
    return replace(whole, **changes)


def closed(name: str, kind: Handshake, reason: str) -> NodeFacts:
    return NodeFacts(name, "192.0.2.32", handshake(kind), unasked(reason))


def faults(seen: PathFacts, facts: NodesFacts) -> dict[str, Finding]:
    findings = explain((*judge(seen), *judge_nodes(seen, facts)))
    return {f.code: f for f in findings if f.status is Verdict.FAULT}


def roots(seen: PathFacts, facts: NodesFacts) -> tuple[str, ...]:
    findings = explain((*judge(seen), *judge_nodes(seen, facts)))
    return conclude("ha", "cargo.example", findings, started="2026-01-01T00:00:00Z", seconds=1.0).root_causes


UP = (challenge(),)
FIFTY = (challenge(), unasked("reset"))


def both(second: NodeFacts, front: tuple[ChallengeFacts, ...] = UP) -> NodesFacts:
    return NodesFacts((node("ha-1"), second), front)


def test_a_cargo_of_one_host_has_no_finding_about_hosts() -> None:
    assert judge_nodes(HEALTHY, NodesFacts()) == ()


def test_hosts_that_answer_alike_are_healthy() -> None:
    seen = path()
    findings = judge_nodes(seen, both(node("ha-2")))
    assert {f.code for f in findings} == {"CRG711", "CRG712", "CRG713", "CRG714"}
    assert {f.status for f in findings} == {Verdict.OK}
    whole = explain((*judge(seen), *findings))
    assert conclude("ha", "x", whole, started="", seconds=1.0).status is Health.HEALTHY


CASES = [
    ("realm", path(realm=WRONG), node("ha-2", challenge=challenge(WRONG)), ("CRG201",)),
    ("5xx", path(), node("ha-2", challenge=challenge(status=502)), ("CRG702",)),
    ("certificate", path(), NodeFacts("ha-2", "a", handshake(Handshake.WRONG_NAME), unasked("tls")), ("CRG602",)),
    ("built-in", path(), node("ha-2", token_service=token_service(Issuer.BUILT_IN)), ("CRG301",)),
    ("key", path(key="CCCC:DDDD"), node("ha-2", manifest=ManifestFacts(401, "", "E12")), ("CRG304",)),
    ("image", path(), node("ha-2", manifest=ManifestFacts(404, "", "E12")), ("CRG503",)),
    ("no right", path(), node("ha-2", token=token()), ("CRG502",)),
    ("clock", path(), node("ha-2", token=token("pull", issued=1.0)), ("CRG306",)),
]


@pytest.mark.parametrize(("seen", "second", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_fails_on_one_host_is_the_root_cause_and_sometimes_works_its_consequence(
    seen: PathFacts, second: NodeFacts, expected: tuple[str, ...]
) -> None:
    facts = both(second)
    assert roots(seen, facts) == expected
    found = faults(seen, facts)
    assert found[expected[0]].vantage == "cargo host ha-2"
    assert found["CRG711"].consequence_of
    assert "ha-2" in found["CRG711"].summary.en
    assert "ha-2" in found["CRG711"].summary.zh


def test_a_code_that_is_at_fault_on_one_host_is_not_refuted_by_the_other() -> None:
    findings = explain((*judge(path()), *judge_nodes(path(), both(node("ha-2", challenge=challenge(WRONG))))))
    diagnosis = conclude("ha", "x", findings, started="", seconds=1.0)
    assert "CRG201" in diagnosis.root_causes
    assert "CRG201" not in diagnosis.refuted


def test_what_fails_on_the_host_that_the_path_was_looked_at_is_named_with_it_and_told_once() -> None:
    seen = replace(path(), challenge=challenge(WRONG))
    facts = NodesFacts((node("ha-1", challenge=challenge(WRONG)), node("ha-2")), UP)
    findings = explain((*judge(seen), *judge_nodes(seen, facts)))
    told = [f.vantage for f in findings if f.code == "CRG201" and f.status is Verdict.FAULT]
    assert told == ["operator, at ha-1"]
    assert roots(seen, facts) == ("CRG201",)


def test_what_fails_on_all_hosts_is_no_difference() -> None:
    seen = replace(path(realm=WRONG), challenge=challenge(WRONG))
    facts = NodesFacts(tuple(node(name, challenge=challenge(WRONG)) for name in HOSTS), UP)
    assert "CRG711" not in faults(seen, facts)


def test_a_stopped_front_on_one_host_explains_that_it_takes_no_connections() -> None:
    stopped = replace(path(), settings=(host("ha-1"), host("ha-2", ui="Exited (137) 5 seconds ago")))
    facts = both(closed("ha-2", Handshake.REFUSED, "refused"), FIFTY)
    assert roots(stopped, facts) == ("CRG710",)
    assert faults(stopped, facts)["CRG713"].consequence_of == ("CRG710",)


def test_a_silent_host_is_a_fault_where_clients_are_still_sent_there() -> None:
    facts = both(closed("ha-2", Handshake.NO_ANSWER, "timeout"), FIFTY)
    assert roots(path(), facts) == ("CRG713",)
    assert "1/2" in faults(path(), facts)["CRG713"].summary.en


@pytest.mark.parametrize(("alive", "status"), [(True, Verdict.SKIPPED), (False, Verdict.UNKNOWN)])
def test_a_host_that_only_the_operator_cannot_reach_is_no_fault(alive: bool, status: Verdict) -> None:
    seen = path()
    seen = replace(
        seen, hosts=(seen.hosts[0], HostFacts("ha-2", alive, "no_route", Text("no route", "没有路由"), "E8"))
    )
    facts = both(closed("ha-2", Handshake.NO_ANSWER, "timeout"), (challenge(),) * 6)
    (finding,) = (f for f in judge_nodes(seen, facts) if f.code == "CRG713")
    assert finding.status is status
    assert roots(seen, facts) == ()


def test_the_address_before_the_hosts_is_at_fault_where_no_turn_is_answered_and_hosts_are_well() -> None:
    facts = both(node("ha-2"), (unasked("refused"),) * 6)
    assert roots(path(), facts) == ("CRG712",)


def test_where_no_host_answers_nothing_is_said_about_differences() -> None:
    facts = NodesFacts(tuple(closed(name, Handshake.NO_ANSWER, "timeout") for name in HOSTS), (unasked("timeout"),))
    assert {f.status for f in judge_nodes(path(), facts)} == {Verdict.SKIPPED}


@pytest.mark.parametrize(
    ("changes", "file"),
    [({"key": "CCCC:DDDD"}, "root.crt"), ({"realm": WRONG}, "config.yml"), ({"checked": "old.example"}, "nginx.conf")],
)
def test_hosts_that_are_set_up_differently_are_told_with_the_file(changes: dict[str, str], file: str) -> None:
    seen = path(**changes)
    assert file in faults(seen, both(node("ha-2")))["CRG714"].summary.en


def test_another_line_for_the_token_service_on_one_host_is_told() -> None:
    entries = token_service(Issuer.CARGO_TOKEN).entries[0][1]
    service = replace(
        token_service(Issuer.CARGO_TOKEN),
        entries=(("ha-1", entries), ("ha-2", replace(entries, address="192.0.2.99"))),
        entries_evidence=("E20", "E21"),
    )
    found = faults(replace(path(), token_service=service), both(node("ha-2")))["CRG714"]
    assert [link.observation for link in found.chain] == ["E20", "E21"]
    assert roots(replace(path(), token_service=service), both(node("ha-2"))) == ("CRG714",)
