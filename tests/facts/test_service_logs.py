"""Lines of cargo-token and cargo-admin, and what they are taken for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cargo_runbook.facts.service_logs import SERVICES, known_lines, read_service_log
from cargo_runbook.findings import Verdict
from cargo_runbook.observations import KubeCommand, Observation, Status
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.rules.service_logs import ServicesFacts, judge_services
from tests.rules.path_facts import HEALTHY


def log(*lines: str, code: int = 0, error: str = "", status: Status = Status.ANSWERED, **data: object) -> Observation:
    return Observation(
        question=KubeCommand(args=("logs", "deploy/cargo-token")),
        status=status,
        exit_code=code,
        output="".join(f"{line}\n" for line in lines),
        error=error,
        data=data,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        duration=0.01,
        id="E9",
    )


# Lines as the reference has them: what the line speaks for.
LINES = (
    ("cargo-token", "request host: cargo.example", ()),
    ("cargo-token", "anonymous access", ()),
    ("cargo-token", "find registry by domain: old.example, error:not found", ("CRG303", "CRG201", "CRG203")),
    ("cargo-token", "validate user 'bob' failed, fallback to anonymous access", ("CRG501", "CRG506")),
    ("cargo-token", "password incorrect, username: bob", ("CRG501", "CRG506")),
    ("cargo-token", "project 'devops_x' not exist in harbor", ("CRG508",)),
    ("cargo-token", "project 'devops_x' not exist in cargo-admin", ("CRG509",)),
    ("cargo-token", "project: 'p' is not public, set empty permission for anonymous user", ("CRG505",)),
    ("cargo-token", "user 'bob' is inactive", ("CRG501",)),
    ("cargo-token", "user bob does belongs to no tenants in cauth, set empty permission", ("CRG510",)),
    ("cargo-token", "access to project p as tenant a denied, project belongs to tenant b", ("CRG510", "CRG513")),
    ("cargo-token", "grant 'guest' to project 'p' from role 'devops-guest'", ()),
    ("cargo-token", "referring scope 'repository:library/tiny:pull' skipped", ()),
    ("cargo-token", "Health Check for: cargo.example", ()),
    ("cargo-token", "unexpected 500 error from harbor: oops", ("CRG507",)),
    ("cargo-admin", "unexpected 500 error from harbor: oops", ("CRG507",)),
    ("cargo-admin", "access to https://cargo.example as user admin failed", ("CRG507",)),
    ("cargo-admin", "registry https://cargo.example has been used in other Cargo-Admin already", ("CRG303",)),
    (
        "cargo-admin",
        "Get https://cargo.example/api: dial tcp: lookup cargo.example on 10.254.0.100:53: no such host",
        ("CRG801", "CRG802", "CRG803", "CRG805", "CRG807"),
    ),
)


@pytest.mark.parametrize(("service", "line", "codes"), LINES)
def test_each_line_of_the_reference_is_known(service: str, line: str, codes: tuple[str, ...]):
    [said] = read_service_log(service, log(f"2026-01-01T10:00:00.123456789Z {line}")).said
    assert (said.codes, said.count, said.last, said.when) == (codes, 1, line, "2026-01-01T10:00:00Z")


def test_the_table_names_codes_of_the_catalog_and_speaks_both_languages():
    for known in known_lines():
        assert set(known.codes) <= set(catalog())
        assert known.service in ("", *SERVICES)
        assert known.meaning.en
        assert known.meaning.zh


def test_each_row_of_the_table_is_met_by_a_line_of_the_reference():
    met = {next(k for k in known_lines() if k.service in ("", s) and k.pattern.search(line)) for s, line, _ in LINES}
    assert met == set(known_lines())


def test_lines_are_counted_and_what_points_at_a_fault_comes_first():
    read = read_service_log(
        "cargo-token",
        log(
            "2026-01-01T10:00:00Z Health Check for: cargo.example",
            "2026-01-01T10:00:01Z password incorrect, username: bob",
            "2026-01-01T10:00:02Z nothing that is known",
            "2026-01-01T10:00:03Z Health Check for: cargo.example",
            "2026-01-01T10:00:04Z password incorrect, username: carol",
        ),
    )
    assert (read.lines, read.since) == (5, "2026-01-01T10:00:00Z")
    assert [(said.count, said.last) for said in read.said] == [
        (2, "password incorrect, username: carol"),
        (2, "Health Check for: cargo.example"),
    ]


def test_one_of_several_pods_is_said_to_be_one_of_several():
    assert read_service_log("cargo-token", log("x", error="Found 3 pods, using pod/cargo-token-1\n")).pods == 3


def test_a_line_supports_a_cause_and_makes_none():
    facts = ServicesFacts(
        tuple(read_service_log(s, log("2026-01-01T10:00:00Z password incorrect, username: bob")) for s in SERVICES)
    )
    token, admin = judge_services(HEALTHY, facts)
    assert (token.code, token.status) == ("CRG810", Verdict.OK)
    assert token.chain[0].rule.en == "1×, last 2026-01-01T10:00:00Z: password incorrect, username: bob"
    assert token.chain[0].consequence.en == "The password was wrong (speaks for CRG501, CRG506)"
    assert (admin.code, admin.status, admin.chain) == ("CRG811", Verdict.OK, ())


def test_a_log_that_could_not_be_read_is_skipped_and_without_a_cluster_nothing_is_said():
    unread = log(code=1, error='deployments.apps "cargo-token" not found')
    facts = ServicesFacts((read_service_log("cargo-token", unread),))
    [finding] = judge_services(HEALTHY, facts)
    assert finding.status is Verdict.SKIPPED
    assert finding.summary.en == 'the log could not be read: deployments.apps "cargo-token" not found'
    assert judge_services(HEALTHY, ServicesFacts()) == ()
