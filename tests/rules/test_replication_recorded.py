"""Replications of real Harbor 1.4.1 installations, judged from what was recorded of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cargo_runbook.findings import Health as Outcome
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.rules.replication.causes import question
from tests.recorded_harbor import at, cases, facts, recording
from tests.rules.replication_facts import diagnose, find, open_codes

CASES = cases()


# Root cause of each recorded case; none for a control, and for a cause that did no harm to the replication.
EXPECTED = {
    "good": (),
    "wrong-password": ("CRG424",),
    "unknown-user": ("CRG424",),
    "guest": ("CRG417",),
    "developer": (),
    "no-role-private": ("CRG416",),
    "no-role-public": ("CRG417",),
    "project-missing-adminonly": ("CRG429",),
    "project-missing-everyone": (),
    "token-not-trusted": ("CRG418",),
    "realm-unresolvable": ("CRG412",),
    "realm-refused": ("CRG412",),
    "realm-of-another-cluster": (),
    "registry-down": ("CRG425",),
    "ui-down": ("CRG426",),
    "token-service-503": ("CRG427",),
    "connection-closed": ("CRG411",),
    "redirect": ("CRG423",),
    "plain-registry": ("CRG430",),
    "x509-unknown-ca": ("CRG407",),
    "no-scheme": ("CRG423",),
    "dns-servfail": ("CRG404",),
    "dns-silent": ("CRG404",),
    "noroute": ("CRG406",),
    "token-own": (),
    "token-of-another-cluster": ("CRG421",),
    "token-of-another-cluster-admin": (),
    "token-alternating": ("CRG422",),
}


def test_every_recorded_case_is_expected_to_be_something() -> None:
    assert set(EXPECTED) == set(CASES)
    assert len(CASES) == 28


@pytest.mark.parametrize("case", EXPECTED)
def test_a_recorded_case_has_its_cause_and_no_other(case: str) -> None:
    diagnosis = diagnose(facts(CASES[case]))
    assert diagnosis.root_causes == EXPECTED[case]
    assert diagnosis.status is (Outcome.FAULT if EXPECTED[case] else Outcome.HEALTHY)
    assert open_codes(diagnosis) == []
    assert {f.code for f in diagnosis.findings} == {c for c, entry in catalog().items() if entry.check == "replication"}


@pytest.mark.parametrize("case", [case for case, roots in EXPECTED.items() if roots])
def test_a_recorded_cause_has_a_chain_and_says_whether_it_is_tried_again(case: str) -> None:
    known = facts(CASES[case])
    diagnosis = diagnose(known)
    for finding in diagnosis.findings:
        if finding.status is Verdict.FAULT:
            assert finding.chain
            assert all(
                link.observation.startswith("E") and link.rule.zh and link.consequence.zh for link in finding.chain
            )
    assert known.jobs is not None
    stuck = known.jobs.latest()[0].status == "retrying"
    assert (find(diagnosis, "CRG401").status is Verdict.FAULT) == stuck
    if case != "token-alternating":
        assert (find(diagnosis, "CRG402").status is Verdict.FAULT) == (not stuck)


# Without anything from the destination but one part: what stays open, and words of the question that decides.
TOKENS = ["CRG416", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422"]
WITHHELD = [
    ("no-role-private", "", TOKENS, "`sub` and `access`"),
    ("token-not-trusted", "", TOKENS, "`kid`"),
    ("token-of-another-cluster", "", TOKENS, "without a scope"),
    ("redirect", "", [*TOKENS, "CRG423"], "redirects"),
    ("no-scheme", "", [*TOKENS, "CRG423"], "redirects"),
    ("guest", "", ["CRG417", "CRG421", "CRG422"], "`sub` and `access`"),
    ("no-role-public", "", ["CRG417", "CRG421", "CRG422"], "`sub` and `access`"),
    ("wrong-password", "", ["CRG424", "CRG434"], "systeminfo"),
    ("unknown-user", "", ["CRG424", "CRG434"], "systeminfo"),
    ("wrong-password", "pings", ["CRG424", "CRG434"], "systeminfo"),
    ("token-not-trusted", "pings", ["CRG418", "CRG419", "CRG420", "CRG421", "CRG422"], "`kid`"),
    ("no-role-private", "registry_logs", ["CRG416", "CRG421", "CRG422"], "`sub` and `access`"),
    ("token-of-another-cluster", "registry_logs", ["CRG416", "CRG421", "CRG422"], "without a scope"),
    ("token-not-trusted", "front_logs", ["CRG418", "CRG419", "CRG420"], "`kid`"),
]


@pytest.mark.parametrize(("case", "kept", "left", "asked"), WITHHELD)
def test_what_the_log_alone_can_t_decide_is_left_open_with_the_question_that_decides(
    case: str, kept: str, left: list[str], asked: str
) -> None:
    known = facts(CASES[case])
    bare = replace(known, pings=(), tokens=(), redirect=None, registry_logs=(), front_logs=())
    diagnosis = diagnose(replace(bare, **{kept: getattr(known, kept)}) if kept else bare)
    assert open_codes(diagnosis) == left
    assert diagnosis.root_causes == ("CRG402",), "that it failed is known, why is not"
    for code in left:
        assert code in find(diagnosis, "CRG402").summary.en
        assert question((code,)).en in find(diagnosis, code).summary.en
    assert asked in find(diagnosis, "CRG402").summary.en


def test_a_token_service_that_varies_is_not_taken_for_a_missing_role_by_one_look() -> None:
    first, second = CASES["token-alternating"][:4], CASES["token-alternating"][4:8]
    assert open_codes(diagnose(facts(first))) == ["CRG416", "CRG422"]
    assert open_codes(diagnose(facts(second))) == ["CRG421", "CRG422"]
    assert diagnose(facts([*first, *second])).root_causes == ("CRG422",)


def test_a_job_that_got_through_by_chance_does_not_hide_a_token_service_that_varies() -> None:
    known = facts(CASES["token-alternating"])
    assert known.jobs is not None
    assert known.jobs.latest()[0].status == "finished"
    for part in ({"pings": (), "tokens": ()}, {"pings": (), "logs": {}}, {"tokens": (), "logs": {}}):
        assert "CRG422" in diagnose(replace(known, **part, front_logs=())).root_causes


SHIPPED = {
    "all right": (),
    "user without a role in the private project": ("CRG416",),
    "developer (role 2)": (),
    "destination registry stopped, its front answers 502": ("CRG425",),
    "all right again": (),
}


@pytest.mark.parametrize("topic", SHIPPED)
def test_the_registry_that_harbor_1_4_ships_is_judged_alike(topic: str) -> None:
    exchanges = [e for e in recording("replication-2.6.2") if e["note"].startswith(f"{topic}: ")]
    known = replace(facts([e for e in exchanges if e["request"]["path"] != "/v2/"]), redirect=None)
    assert diagnose(known).root_causes == SHIPPED[topic]


# Several jobs ran at once there, and the log of the registry was kept without its reasons.
THIN = {
    "wrong password": ["CRG424", "CRG434"],
    "destination registry does not trust the token": ["CRG418", "CRG419", "CRG420", "CRG422"],
}


@pytest.mark.parametrize("topic", THIN)
def test_evidence_that_is_too_thin_leaves_the_candidates(topic: str) -> None:
    exchanges = [e for e in recording("replication-2.6.2") if e["note"].startswith(f"{topic}: ")]
    known = replace(facts([e for e in exchanges if e["request"]["path"] != "/v2/"]), redirect=None)
    diagnosis = diagnose(known)
    assert open_codes(diagnosis) == THIN[topic]
    assert diagnosis.root_causes == ("CRG402",)


def test_a_finished_job_without_anything_new_proves_no_right_to_push() -> None:
    before = diagnose(facts(at("guest-images", 0, 1, 2, 3)))
    assert open_codes(before) == ["CRG401", "CRG402", "CRG417"], "one job of nine was asked for"
    assert "no right to push" in find(before, "CRG417").summary.en
    assert before.status is Outcome.UNKNOWN
    assert {"CRG428", "CRG439"} <= set(before.untested), "neither size nor disk were put to the test"
    assert diagnose(facts(at("guest-images", 4, 5, 6, 7))).root_causes == ("CRG417",)
