"""What runs against what is written: the cause behind a wrong challenge or a wrong token service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cargo_runbook.facts.challenge import read_realm
from cargo_runbook.facts.installation import HostInstallation, InstallationFacts, Made, Place
from cargo_runbook.facts.nginx_conf import Upstream
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.findings import Finding, Verdict
from cargo_runbook.rules.installation import judge_installation
from cargo_runbook.rules.token_setting import SAMPLE
from cargo_runbook.rules.triage import explain, judge
from tests.rules.path_facts import DEAD_HOST, DOMAIN, HEALTHY, but, challenge, login, settings, token, token_service

RIGHT, WRONG = f"https://{DOMAIN}/service/token", "https://old-cargo.example/service/token"
CONFIG = "config/registry/config.yml"
COMPOSE = "config/docker-compose-single.yml"
VIP = "192.0.2.20"


def host(**changes: Any) -> HostInstallation:
    whole = HostInstallation(
        host="cargo-1",
        root="/compass/cargo-ansible/cargo",
        compose=(Place(COMPOSE, 48, "cargo-admin", VIP),),
        settings=(Place("env-single.yml", 4, "cargo_token_service", VIP),),
        files_evidence="E20",
        auth="token",
        realm=Place(CONFIG, 29, "realm", RIGHT),
        config_evidence="E8",
        upstreams=(Upstream("cargo-admin", 30099, 22, False), Upstream("ui", 8080, 23, True)),
        nginx_evidence="E14",
        modified={CONFIG: 1000.0},
        stat_evidence="E21",
        containers=(Made("harbor-registry", 2000.0, ()), Made("tengine", 2000.0, (("cargo-admin", VIP),))),
        containers_evidence="E22",
    )
    return replace(whole, **changes)


def facts(*hosts: HostInstallation, **changes: Any) -> InstallationFacts:
    return replace(InstallationFacts(hosts or (host(),), version="v1.4.1", version_evidence="E23"), **changes)


def judged(path: PathFacts, seen: InstallationFacts) -> tuple[Finding, ...]:
    return explain((*judge(path), *judge_installation(path, seen)))


def roots(path: PathFacts, seen: InstallationFacts) -> list[str]:
    return [f.code for f in judged(path, seen) if f.status is Verdict.FAULT and not f.consequence_of]


BASE = replace(HEALTHY, token_port=30099)
SENT_AWAY = replace(but(challenge=challenge(WRONG)), token_port=30099)
REFUSED = (login("admin", "admin", 200), login("alice", "platform", 401))


def built_in(address: str, answer: int | None) -> PathFacts:
    seen = token_service(Issuer.BUILT_IN, address=address, answer=answer)
    return replace(but(token_service=seen, logins=REFUSED), token_port=30099)


FIXED_LATER = host(modified={CONFIG: 3000.0})
OLD_NAME = host(compose=(Place(COMPOSE, 48, "cargo-admin.example", VIP),), not_found="cargo-admin", log_evidence="E30")
NOT_RUNNING = replace(
    but(settings=(replace(settings(), containers=()),), token_service=None, logins=(), token=None, manifest=None),
    token_port=30099,
)
CASES = [
    ("healthy", BASE, facts(), []),
    ("the wrong realm stands in the file", SENT_AWAY, facts(host(realm=Place(CONFIG, 29, "realm", WRONG))), ["CRG201"]),
    ("corrected and not restarted", SENT_AWAY, facts(FIXED_LATER), ["CRG204"]),
    ("restarted since, cause unknown", SENT_AWAY, facts(), ["CRG201"]),
    ("the front rewrites it", SENT_AWAY, facts(direct=read_realm(RIGHT)), ["CRG206"]),
    ("the registry itself says it", SENT_AWAY, facts(direct=read_realm(WRONG)), ["CRG201"]),
    ("Harbor 2.x by its version", SENT_AWAY, facts(version="v2.5.0"), ["CRG205"]),
    ("Harbor 2.x by htpasswd", SENT_AWAY, facts(host(auth="htpasswd", realm=None), version=""), ["CRG205"]),
    ("Harbor 2.x, file edited in vain", SENT_AWAY, facts(FIXED_LATER, version="v2.5.0"), ["CRG205"]),
    (
        "compose corrected, container as before",
        built_in("127.0.0.1", None),
        facts(host(offered={VIP: (200, "E31")})),
        ["CRG307"],
    ),
    (
        "compose corrected, container still has a dead address",
        built_in("192.0.2.99", 0),
        facts(host(offered={VIP: (200, "E31")})),
        ["CRG307"],
    ),
    (
        "compose corrected, container still has another cluster's",
        built_in("192.0.2.17", 400),
        facts(host(offered={VIP: (200, "E31")})),
        ["CRG307"],
    ),
    (
        "compose names a dead one too",
        built_in("192.0.2.99", 0),
        facts(host(offered={VIP: (0, "E31")})),
        ["CRG302"],
    ),
    ("compose file and container agree on 127.0.0.1", built_in("127.0.0.1", None),
     facts(host(compose=(Place(COMPOSE, 48, "cargo-admin", "127.0.0.1"),))), ["CRG301"]),
    (
        "compose edited to something else, while all works",
        BASE,
        facts(host(compose=(Place(COMPOSE, 48, "cargo-admin", "192.0.2.77"),), offered={"192.0.2.77": (200, "E31")})),
        [],
    ),
    ("tengine has 127.0.0.1, and cargo-token answers all the same",
     replace(but(token_service=token_service(Issuer.CARGO_TOKEN, address="127.0.0.1", answer=None)), token_port=30099),
     facts(host(offered={VIP: (200, "E31")})), []),
    ("env file differs from the rest", BASE,
     facts(host(settings=(Place("env-single.yml", 4, "cargo_token_service", "192.0.2.77"),))), []),
    ("wrong port in nginx.conf", built_in(VIP, 200),
     facts(host(upstreams=(Upstream("cargo-admin", 30098, 22, False),))), ["CRG310"]),
    ("another port than the inventory's, and cargo-token answers", BASE,
     facts(host(upstreams=(Upstream("cargo-admin", 31000, 22, False),))), []),
    ("two names for one thing", NOT_RUNNING, facts(OLD_NAME), ["CRG308"]),
    ("another upstream is lost", BASE, facts(host(not_found="elsewhere")), []),
    ("the public sample key", replace(BASE, token=token("pull", key=SAMPLE), settings=(settings(key=SAMPLE),)),
     facts(), ["CRG309"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "seen", "codes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_root_cause(path: PathFacts, seen: InstallationFacts, codes: list[str]) -> None:
    assert roots(path, seen) == codes


def test_what_would_take_effect_at_the_next_restart_is_said_and_not_accused() -> None:
    seen = facts(host(compose=(Place(COMPOSE, 48, "cargo-admin", "192.0.2.77"),)))
    found = next(f for f in judge_installation(BASE, seen) if f.code == "CRG307")
    assert found.status is Verdict.OK
    assert "line 48 of config/docker-compose-single.yml says 192.0.2.77, tengine has 192.0.2.20" in found.summary.en
    assert "next restart.sh" in found.summary.en


def test_where_nothing_could_be_looked_at_all_is_skipped() -> None:
    assert {f.status for f in judge_installation(DEAD_HOST, InstallationFacts())} == {Verdict.SKIPPED}


def test_two_hosts_of_which_one_was_not_made_anew_name_that_one() -> None:
    path = built_in("127.0.0.1", None)
    seen = facts(host(host="cargo-0", compose=()), host(offered={VIP: (200, "E31")}))
    found = next(f for f in judge_installation(path, seen) if f.code == "CRG307")
    assert (found.status, found.vantage) == (Verdict.FAULT, "cargo host cargo-1")
