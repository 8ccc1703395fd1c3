"""The diagnosis on the real sandbox: the fault really there, found as the only root cause, and gone after healing."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from cargo_runbook.findings import CHECKS
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.symptoms import explain
from cargo_runbook.symptoms.causes import cause_of
from cargo_sandbox.faults.catalog import Fault, faults
from cargo_sandbox.topology import SITES
from tests.practice import show

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

FAULTS = [
    pytest.param(each, id=each.name, marks=pytest.mark.cluster if each.needs == "cluster" else ())
    for each in faults()
    if each.expected_root_causes
]
# Its client is a script, whose words are no client's.
OWN_WORDS = "harbor-database-down"
ENVIRONMENTS = [site.name for site in SITES]


def diagnose(sandbox: Any, environment: str) -> tuple[int, dict[str, Any]]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json")
    assert "Traceback" not in done.stderr
    body = json.loads(done.stdout)
    show(body)
    return done.returncode, body


def diagnose_all(sandbox: Any) -> dict[str, list[str]]:
    """Root causes of every environment."""
    options = [word for name in ENVIRONMENTS for word in ("--env", name)]
    done = sandbox.run("cargo-runbook", "diagnose", *options, "--json")
    bodies = json.loads(done.stdout)
    for each in bodies:
        show(each)
    return {each["environment"]: each["root_causes"] for each in bodies}


def run(sandbox: Any, runbook: str, environment: str) -> list[str]:
    """Root causes by a notebook."""
    done = sandbox.run("cargo-runbook", "run", runbook, "--env", environment, "--json")
    assert "Traceback" not in done.stderr
    body = json.loads(done.stdout)
    roots: list[str] = body["root_causes"]
    # Seen where a test fails: an observation that was otherwise than expected is looked for in the record.
    print(on_operator(sandbox, f"cat {shlex.quote(body['path'])}/evidence.jsonl").stdout)
    return roots


def said(sandbox: Any, fault: Fault) -> str:
    done = sandbox.client(fault.client)
    return str(done.stdout + done.stderr)


def assert_explained(printed: str, codes: list[str]) -> None:
    """What a client printed names the fault: alone, or among what the text may mean."""
    named = [candidate.cause for candidate in explain(printed).candidates]
    assert {cause_of(code, named) for code in codes} <= set(named)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_as_the_only_root_cause_and_is_gone_after_healing(
    request: pytest.FixtureRequest, fault: Fault
) -> None:
    sandbox = request.getfixturevalue("cluster_sandbox" if fault.needs == "cluster" else "sandbox")
    expected = list(fault.expected_root_causes)
    assert fault.client.text not in said(sandbox, fault)
    sandbox.break_(fault.name)
    try:
        printed = said(sandbox, fault)
        assert fault.client.text in printed
        if fault.name != OWN_WORDS:
            assert_explained(printed, expected)
        found = diagnose_all(sandbox)
        assert found[fault.environment] == expected
        for other in set(ENVIRONMENTS) - {fault.environment}:
            there = expected if other in fault.also else list(fault.elsewhere.get(other, ()))
            assert found[other] == there, other
        assert run(sandbox, NOTEBOOKS[fault.section], fault.environment) == expected
    finally:
        sandbox.heal(fault.name)
    code, body = diagnose(sandbox, fault.environment)
    assert (code, body["status"], body["root_causes"]) == (0, "healthy", [])
    assert fault.client.text not in said(sandbox, fault)


@pytest.mark.parametrize("environment", ["cargo", "devops", "ha"])
def test_a_healthy_environment_has_no_finding_but_ok(sandbox: Any, environment: str) -> None:
    code, body = diagnose(sandbox, environment)
    assert code == 0
    assert {finding["status"] for finding in body["findings"]} == {"ok"}
    assert body["untested"] == []


def test_a_dead_host_makes_its_own_cells_unknown_and_nothing_else(sandbox: Any) -> None:
    sandbox.break_("host-down")
    try:
        code, body = diagnose(sandbox, "devops")
        assert (code, body["status"], body["root_causes"]) == (3, "unknown", [])
        assert {body["cells"][check] for check in CHECKS[1:]} == {"unknown"}
        done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo", "--env", "devops", "--json")
        results = {entry["environment"]: entry["status"] for entry in json.loads(done.stdout)}
        assert results == {"cargo": "healthy", "devops": "unknown"}
        assert done.returncode == 3
    finally:
        sandbox.heal("host-down")


def test_what_the_client_prints_is_explained_tested_live_and_kept_with_the_triage(sandbox: Any) -> None:
    wrong_domain = next(each for each in faults() if each.name == "wrong-domain")
    sandbox.break_(wrong_domain.name)
    try:
        printed = said(sandbox, wrong_domain)
        explained = sandbox.run("cargo-runbook", "explain", "-", "--env", "cargo", "--json", input=printed)
        assert explained.returncode == 1
        body = json.loads(explained.stdout)
        assert (body["cause"], body["proven"]) == ("wrong-domain", [{"code": "CRG201", "cause": "wrong-domain"}])
        parameter = ("-p", f"error_text={printed}")
        run_there = sandbox.run("cargo-runbook", "run", "00_triage", "--env", "cargo", "--json", *parameter)
        assert json.loads(run_there.stdout)["root_causes"] == ["CRG201"]
        notebook = shlex.quote(json.loads(run_there.stdout)["path"] + "/notebook.ipynb")
        assert "Proven, as the text suggests" in on_operator(sandbox, f"cat {notebook}").stdout
    finally:
        sandbox.heal(wrong_domain.name)


def on_operator(sandbox: Any, script: str) -> Any:
    return sandbox.run("bash", "-euc", script)


def test_an_unknown_host_key_is_refused_with_its_fingerprint_and_the_run_is_not_called_healthy(sandbox: Any) -> None:
    on_operator(
        sandbox,
        "cp ~/.ssh/known_hosts ~/known_hosts.kept && grep -v -e cargo -e 203.0.113.14 ~/known_hosts.kept > ~/.ssh/known_hosts || true",
    )
    try:
        done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo")
        assert done.returncode == 3
        assert "SHA256:" in done.stdout + done.stderr
        assert "known_hosts" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    finally:
        on_operator(sandbox, "cp ~/known_hosts.kept ~/.ssh/known_hosts")


def test_a_changed_host_key_stops_the_run_with_one_sentence(sandbox: Any) -> None:
    other = "ssh-keygen -q -t ed25519 -N '' -f ~/other <<<y >/dev/null"
    swap = (
        "cp ~/.ssh/known_hosts ~/known_hosts.kept; key=$(cut -d' ' -f1,2 ~/other.pub); "
        'while read -r host kind rest; do case "$host" in *cargo*|*203.0.113.14*) echo "$host $key";; '
        '*) echo "$host $kind $rest";; esac; done < ~/known_hosts.kept > ~/.ssh/known_hosts'
    )
    on_operator(sandbox, f"{other}; {swap}")
    try:
        done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo")
        assert done.returncode == 3
        assert "is not the one that known_hosts has" in done.stderr
        assert done.stderr.count("SHA256:") == 2
        assert "Traceback" not in done.stderr
    finally:
        on_operator(sandbox, "cp ~/known_hosts.kept ~/.ssh/known_hosts")


def test_a_wrong_password_is_one_sentence_and_no_fault_of_cargo(sandbox: Any) -> None:
    on_operator(
        sandbox,
        "rm -rf ~/inventory && cp -a $CARGO_RUNBOOK_INVENTORY ~/inventory && printf wrong > ~/inventory/passwords/alice",
    )
    done = on_operator(sandbox, "cargo-runbook diagnose --env cargo --inventory ~/inventory")
    assert done.returncode == 3
    said = " ".join((done.stdout + done.stderr).split())
    assert "refuses name or password of alice" in said
    assert "Traceback" not in said


def test_an_unknown_environment_and_a_wrong_key_are_sentences_with_exit_code_2(sandbox: Any) -> None:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", "carg")
    assert done.returncode == 2
    assert "cargo" in done.stderr
    done = on_operator(
        sandbox,
        "rm -rf ~/wrong && cp -a $CARGO_RUNBOOK_INVENTORY ~/wrong && sed -i s/^domain:/domian:/ ~/wrong/cargo.yml; "
        "cargo-runbook diagnose --env cargo --inventory ~/wrong",
    )
    assert done.returncode == 2
    assert "cargo.yml:4: domian is not a key here" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_password_stands_in_evidence_records_or_process_lists(sandbox: Any) -> None:
    secrets = on_operator(sandbox, "cat $CARGO_RUNBOOK_INVENTORY/passwords/*").stdout.split()
    assert len(secrets) >= 3
    done = sandbox.run("cargo-runbook", "run", "00_triage", "--env", "cargo", "--json")
    record = json.loads(done.stdout)["path"]
    found = on_operator(sandbox, f"cat {shlex.quote(record)}/*").stdout
    assert "cargo.caicloudprivatetest.com" in found, "the harmless marker must survive"
    assert not [secret for secret in secrets if secret in found]
