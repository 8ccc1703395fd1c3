"""A proxy between Docker and the registry."""

from __future__ import annotations

import pytest

from cargo_runbook.facts.docker_proxy import Docker, ProxyFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.docker_proxy import judge_proxy
from tests.rules.path_facts import DOMAIN, HEALTHY

PROXY = "http://192.0.2.9:3128"
BEHIND = Docker(True, "operator", PROXY, "", "E40")


def proxied(status: int = 0, reason: str = "", said: str = "") -> ProxyFacts:
    return ProxyFacts(BEHIND, PROXY, status, reason, said, "E41")


@pytest.mark.parametrize("facts", [ProxyFacts(Docker(True)), proxied(200)])
def test_no_proxy_or_one_that_lets_through_is_ok(facts: ProxyFacts):
    assert {f.status for f in judge_proxy(HEALTHY, facts)} == {Verdict.OK}


@pytest.mark.parametrize(
    ("facts", "code", "client"),
    [
        (proxied(503), "CRG610", "Service Unavailable"),
        (proxied(502), "CRG610", "Bad Gateway"),
        (proxied(403), "CRG610", "Forbidden"),
        (proxied(407), "CRG612", "Proxy Authentication Required"),
        (proxied(0, "refused", "curl: (7) Failed to connect"), "CRG611", "proxyconnect tcp: …"),
    ],
)
def test_each_refusal_has_its_code_and_the_clients_words(facts: ProxyFacts, code: str, client: str):
    [fault] = [f for f in judge_proxy(HEALTHY, facts) if f.status is Verdict.FAULT]
    assert fault.code == code
    assert fault.chain[-1].consequence.en == f'docker stops with `Get "https://{DOMAIN}/v2/": {client}`'
    assert [link.observation for link in fault.chain] == ["E40", "E41"]


def test_a_proxy_that_does_not_answer_tells_nothing_of_what_it_would_say():
    verdicts = {f.code: f.status for f in judge_proxy(HEALTHY, proxied(0, "timeout", "curl: (28) timed out"))}
    assert verdicts == {"CRG611": Verdict.FAULT, "CRG610": Verdict.SKIPPED, "CRG612": Verdict.SKIPPED}


def test_without_docker_at_the_operator_nothing_is_said():
    assert judge_proxy(HEALTHY, ProxyFacts(Docker(False, evidence="E40"))) == ()
