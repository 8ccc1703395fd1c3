"""Faults of replication on the real sandbox: jobs really run, the cause found from the source, and gone after healing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault
from tests.practice import show

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

ENVIRONMENTS = ("cargo", "devops", "ha")
JOBS = "/api/jobs/replication?policy_id={}"


def diagnose(sandbox: Any, environment: str) -> dict[str, Any]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json")
    assert "Traceback" not in done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    show(body)
    return body


def jobs(sandbox: Any) -> list[tuple[int, str]]:
    """Id and status of all jobs of cargo's Harbor, oldest first."""
    found: list[tuple[int, str]] = []
    for policy in (1, 2, 3):
        config = f'user = "admin:{sandbox.password("cargo-admin")}"\n'
        url = f"https://cargo.caicloudprivatetest.com{JOBS.format(policy)}"
        done = sandbox.run("curl", "-sS", "-K", "-", "--cacert", f"{sandbox.inventory}/ca.crt", url, input=config)
        found += [(job["id"], job["status"]) for job in json.loads(done.stdout) or ()]
    return sorted(found)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_idle_replication_costs_no_finding_but_ok(sandbox: Any, environment: str) -> None:
    body = diagnose(sandbox, environment)
    found = {f["status"] for f in body["findings"] if f["code"].startswith("CRG4")}
    assert (body["status"], found) == ("healthy", {"ok"})


def test_a_look_at_a_broken_replication_changes_nothing_and_posts_nothing_but_pings(sandbox: Any) -> None:
    sandbox.break_("replication-401-no-role")
    before = jobs(sandbox)
    done = sandbox.run("cargo-runbook", "run", "50_replication_failed", "--env", "cargo", "--json", timeout=180)
    record = json.loads(done.stdout)
    assert record["root_causes"] == ["CRG416"]
    assert jobs(sandbox) == before
    asked = [json.loads(line) for line in sandbox.run("cat", f"{record['path']}/evidence.jsonl").stdout.splitlines()]
    posts = {
        (q["url"].partition(".com")[2], q["body"]) for each in asked if (q := each["question"]).get("method") == "POST"
    }
    assert posts == {("/api/targets/ping", '{"id": 1}')}
    assert not [each for each in asked if each["status"] == "withheld"]


def test_both_sides_of_a_refusal_are_named(sandbox: Any) -> None:
    sandbox.break_("replication-401-token-not-trusted")
    (cause,) = (f for f in diagnose(sandbox, "cargo")["findings"] if f["code"] == "CRG418")
    assert cause["vantage"] == "destination devops"
    assert "https://devops.caicloudprivatetest.com" in cause["summary"]
    assert any("root.crt on devops" in link["rule"] for link in cause["chain"])


def test_a_silent_destination_is_named_with_the_jobs_that_hold_the_workers(sandbox: Any) -> None:
    sandbox.break_("replication-silent-destination")
    found = {f["code"]: f for f in diagnose(sandbox, "cargo")["findings"] if f["status"] == "fault"}
    assert "A stop does not end these jobs" in found["CRG414"]["summary"]
    held = [str(number) for number, status in jobs_of_archive(sandbox) if status == "running"]
    assert len(held) == 3
    assert all(number in found["CRG415"]["summary"] for number in held)
    assert "https://203.0.113.20:8443" in found["CRG415"]["summary"]


def jobs_of_archive(sandbox: Any) -> list[tuple[int, str]]:
    config = f'user = "admin:{sandbox.password("cargo-admin")}"\n'
    base = "https://cargo.caicloudprivatetest.com"
    common = ("curl", "-sS", "-K", "-", "--cacert", f"{sandbox.inventory}/ca.crt")
    policies = json.loads(sandbox.run(*common, f"{base}/api/policies/replication", input=config).stdout)
    (number,) = (each["id"] for each in policies if each["name"] == "library-to-archive")
    found = json.loads(sandbox.run(*common, f"{base}{JOBS.format(number)}", input=config).stdout)
    return [(job["id"], job["status"]) for job in found]


def test_a_fault_of_cargos_own_path_is_no_second_cause_through_its_replication(sandbox: Any) -> None:
    for name in ("registry-down", "token-service-builtin"):
        sandbox.break_(name)
        try:
            assert tuple(diagnose(sandbox, "cargo")["root_causes"]) == fault(name).expected_root_causes
        finally:
            sandbox.heal(name)
