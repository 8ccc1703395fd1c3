"""Facts in, root cause out."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from cargo_runbook.concerns import CONCERNS
from cargo_runbook.facts.names import Answer, Lookup
from cargo_runbook.facts.path import HostSettings, PathFacts
from cargo_runbook.facts.registry import ManifestFacts
from cargo_runbook.facts.token_service import Issuer
from cargo_runbook.facts.transport import Handshake, HostFacts
from cargo_runbook.findings import CHECKS, Diagnosis, Health, Verdict, diagnosis_from_json, diagnosis_to_json
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.rules.triage import ON_PATH, conclude, judge
from cargo_runbook.texts import Text
from tests.rules.path_facts import (
    DEAD_HOST,
    HEALTHY,
    NOW,
    but,
    challenge,
    handshake,
    login,
    names,
    settings,
    token,
    token_service,
    unasked,
)

# Codes of the pull; those of a concern beside it are told by rules of their own.
# Docker's proxy (CRG61x) and the address before several hosts (CRG712) break a station of it, and are such concerns all
# the same.
ON_THE_PATH = {c for c, entry in catalog().items() if entry.check in ON_PATH and not c.startswith(("CRG61", "CRG712"))}


def diagnose(facts: PathFacts) -> Diagnosis:
    return conclude("cargo", facts.domain, judge(facts), started="2026-01-01T00:00:00Z", seconds=1.0)


WRONG = "https://old-cargo.example/service/token"
REFUSED = (login("admin", "admin", 200), login("alice", "platform", 401))
BUILT_IN = but(token_service=token_service(Issuer.BUILT_IN, address="127.0.0.1", answer=None), logins=REFUSED)
ELSEWHERE = replace(names(Lookup.RESOLVED), system=Answer("", Lookup.RESOLVED, ("192.0.2.99",), "E1"))
FRONT_DOWN = but(
    challenge=challenge(status=502),
    logins=(),
    token=None,
    manifest=None,
    token_service=token_service(Issuer.BROKEN),
)
TLS = {"challenge": unasked("tls"), "logins": (), "token": None, "manifest": None, "token_service": None}

CASES = [
    ("NXDOMAIN everywhere", but(names=names(Lookup.NO_SUCH_NAME, Lookup.NO_SUCH_NAME)), "CRG101"),
    ("no address", but(names=names(Lookup.NO_ADDRESS, Lookup.NO_ADDRESS)), "CRG101"),
    ("NXDOMAIN, no server listed", but(names=names(Lookup.NO_SUCH_NAME)), "CRG101"),
    ("only the operator does not know it", but(names=names(Lookup.NO_SUCH_NAME, Lookup.RESOLVED)), "CRG101"),
    ("one server silent, one says no", but(names=names(Lookup.SILENT, Lookup.SILENT, Lookup.NO_SUCH_NAME)), "CRG101"),
    ("the operator is told no, a server is silent", but(names=names(Lookup.NO_SUCH_NAME, Lookup.SILENT)), "CRG101"),
    ("servers silent", but(names=names(Lookup.SILENT, Lookup.SILENT)), "CRG102"),
    ("servers fail", but(names=names(Lookup.SILENT, Lookup.SERVER_FAILURE, Lookup.REFUSED)), "CRG102"),
    ("silent, none listed", but(names=names(Lookup.SILENT)), "CRG102"),
    ("other host in the realm", but(challenge=challenge(WRONG), settings=(settings(WRONG),)), "CRG201"),
    ("other port in the realm", but(challenge=challenge("https://cargo.example:8443/service/token")), "CRG201"),
    ("realm without https", but(challenge=challenge("http://cargo.example/service/token")), "CRG202"),
    ("realm is no address", but(challenge=challenge("/service/token")), "CRG202"),
    ("/v2/ is open", but(challenge=challenge(status=200)), "CRG202"),
    ("address of another machine", but(names=ELSEWHERE, handshake=handshake(Handshake.REFUSED), **TLS), "CRG103"),
    (
        "certificate of another machine",
        but(names=ELSEWHERE, handshake=handshake(Handshake.WRONG_NAME), **TLS),
        "CRG103",
    ),
    ("built-in token service", BUILT_IN, "CRG301"),
    (
        "token service dead",
        but(token_service=token_service(Issuer.BUILT_IN, address="192.0.2.99", answer=0), logins=REFUSED),
        "CRG302",
    ),
    (
        "another cluster's, built-in answers",
        but(token_service=token_service(Issuer.BUILT_IN, address="192.0.2.99", answer=400), logins=REFUSED),
        "CRG303",
    ),
    (
        "another cluster's answers",
        but(token_service=token_service(Issuer.CARGO_TOKEN, address="192.0.2.99", answer=400), logins=REFUSED),
        "CRG303",
    ),
    (
        "health check for another domain",
        but(
            token_service=token_service(Issuer.BUILT_IN),
            settings=(settings(checked="old-cargo.example"),),
            logins=REFUSED,
        ),
        "CRG203",
    ),
    ("token too early", but(token=token("pull", issued=NOW + 600), manifest=ManifestFacts(401, "", "E12")), "CRG306"),
    ("token too old", but(token=token("pull", issued=NOW - 600), manifest=ManifestFacts(401, "", "E12")), "CRG306"),
    ("harbor-ui stopped", but(settings=(settings(ui="Exited (137) 5 seconds ago"),)), "CRG710"),
    (
        "tengine stopped, port closed",
        but(settings=(settings(ui="Created"),), handshake=handshake(Handshake.REFUSED), **TLS),
        "CRG710",
    ),
    ("another cluster's key", but(token=token("pull", key="CCCC")), "CRG304"),
    ("another issuer", but(token=token("pull", issuer="registry-token-issuer")), "CRG305"),
    ("no role", but(token=token()), "CRG502"),
    ("tag missing", but(manifest=ManifestFacts(404, "", "E12")), "CRG503"),
    ("token refused", but(manifest=ManifestFacts(401, "", "E12")), "CRG504"),
    ("CA unknown", but(handshake=handshake(Handshake.UNKNOWN_CA), **TLS), "CRG601"),
    ("other name in the certificate", but(handshake=handshake(Handshake.WRONG_NAME), **TLS), "CRG602"),
    ("certificate expired", but(handshake=handshake(Handshake.NOT_VALID_NOW), **TLS), "CRG603"),
    ("no TLS", but(handshake=handshake(Handshake.NOT_TLS), **TLS), "CRG604"),
    ("port closed", but(handshake=handshake(Handshake.REFUSED), **TLS | {"challenge": unasked("refused")}), "CRG701"),
    ("port silent, SSH lives", but(handshake=handshake(Handshake.NO_ANSWER), **TLS), "CRG701"),
    ("front answers 502", FRONT_DOWN, "CRG702"),
]


@pytest.mark.parametrize(("facts", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_fault_alone_is_the_only_root_cause(facts: PathFacts, code: str) -> None:
    diagnosis = diagnose(facts)
    assert diagnosis.root_causes == (code,)
    assert diagnosis.status is Health.FAULT
    assert code not in diagnosis.refuted


def test_a_healthy_path_has_nothing_but_ok() -> None:
    diagnosis = diagnose(HEALTHY)
    assert {f.status for f in diagnosis.findings} == {Verdict.OK}
    assert diagnosis.status.exit_code == 0
    assert diagnosis.root_causes == diagnosis.untested == ()
    assert set(diagnosis.refuted) == ON_THE_PATH


def test_two_faults_that_do_not_explain_each_other_are_both_root_causes() -> None:
    both = but(names=names(Lookup.NO_SUCH_NAME, Lookup.NO_SUCH_NAME), challenge=challenge(WRONG))
    assert diagnose(both).root_causes == ("CRG101", "CRG201")


def test_an_address_that_nobody_wrote_down_is_no_fault_while_a_registry_answers_there() -> None:
    diagnosis = diagnose(but(names=ELSEWHERE))
    assert diagnosis.status is Health.HEALTHY
    assert "CRG103" in diagnosis.refuted


def test_a_minute_between_two_clocks_is_allowed() -> None:
    assert diagnose(but(token=token("pull", issued=NOW + 59))).status is Health.HEALTHY


def test_what_follows_from_a_fault_is_marked_as_its_consequence() -> None:
    (refused,) = [f for f in diagnose(BUILT_IN).findings if f.code == "CRG501"]
    assert refused.status is Verdict.FAULT
    assert refused.consequence_of == ("CRG301",)


def test_a_dead_host_makes_its_own_cells_unknown_and_is_no_fault() -> None:
    diagnosis = diagnose(DEAD_HOST)
    assert diagnosis.status.exit_code == 3
    assert diagnosis.root_causes == ()
    cells = diagnosis.cells()
    assert cells["dns"] is Verdict.OK
    assert {cells[check] for check in CHECKS[1:]} == {Verdict.UNKNOWN}


def test_a_refused_password_is_not_held_against_cargo() -> None:
    diagnosis = diagnose(but(logins=(login("admin", "admin", 200), login("alice", "platform", 401))))
    assert diagnosis.status.exit_code == 3
    (refused,) = [f for f in diagnosis.findings if f.code == "CRG501"]
    assert "alice" in refused.summary.en
    assert "inventory" in refused.summary.en


def test_without_ssh_the_rest_is_still_judged_and_the_whole_is_not_called_healthy() -> None:
    closed = but(
        hosts=(
            HostFacts(
                "cargo-1",
                True,
                "host_key_unknown",
                Text("the host key is not in known_hosts", "known_hosts 中没有主机密钥"),
                "E8",
            ),
        ),
        settings=(HostSettings("cargo-1", None, "E8", (), "E9"),),
    )
    diagnosis = diagnose(closed)
    assert diagnosis.status is Health.UNKNOWN
    assert "CRG704" in diagnosis.untested
    assert "CRG304" in diagnosis.refuted, "the registry took the token, so it trusts its key"


def test_what_lies_behind_a_fault_is_not_shown_as_working() -> None:
    cells = diagnose(but(challenge=challenge(WRONG))).cells()
    assert [str(cells[check]) for check in CHECKS] == ["ok", "ok", "fault", "skipped", "skipped", "skipped", "skipped"]


def test_a_built_in_service_is_as_it_should_be_where_the_inventory_names_no_other() -> None:
    assert "CRG301" in diagnose(but(has_token_service=False, token_service=token_service(Issuer.BUILT_IN))).refuted


@pytest.mark.parametrize("facts", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_every_fault_has_a_chain_whose_links_point_at_evidence(facts: PathFacts) -> None:
    for finding in diagnose(facts).findings:
        if finding.status is Verdict.FAULT:
            assert finding.chain
            assert all(re.fullmatch(r"E\d+", link.observation) for link in finding.chain)
            assert all(link.rule.zh and link.consequence.zh for link in finding.chain)


def test_the_machine_interface_has_the_fields_of_the_design() -> None:
    body = diagnosis_to_json(diagnose(BUILT_IN))
    assert {"environment", "status", "root_causes", "findings", "refuted", "untested"} <= set(body)
    finding = next(f for f in body["findings"] if f["code"] == "CRG301")
    assert {"code", "status", "severity", "vantage", "summary", "chain", "remedies"} <= set(finding)
    assert {"observation", "rule", "consequence"} <= set(finding["chain"][0])
    assert finding["severity"] == "critical"


@pytest.mark.parametrize("facts", [HEALTHY, BUILT_IN, DEAD_HOST], ids=["healthy", "built-in", "dead host"])
def test_a_diagnosis_survives_being_written_and_read(facts: PathFacts) -> None:
    diagnosis = diagnose(facts)
    assert diagnosis_from_json(json.loads(json.dumps(diagnosis_to_json(diagnosis)))) == diagnosis


def test_no_code_of_the_catalog_is_beyond_the_rules() -> None:
    told = {f.code for case in CASES for f in diagnose(case[1]).findings} | {
        f.code for f in diagnose(DEAD_HOST).findings
    }
    assert told == ON_THE_PATH


def test_every_code_has_texts_in_both_languages_and_a_check_of_its_own() -> None:
    for code, entry in catalog().items():
        assert re.fullmatch(r"CRG\d{3}", code)
        assert entry.check in (*ON_PATH, *CONCERNS, "replication")
        for text in (entry.title, entry.explanation):
            assert text.en
            assert re.search(r"[\u4e00-\u9fff]", text.zh), code
        assert set(entry.follows_from) <= set(catalog())
