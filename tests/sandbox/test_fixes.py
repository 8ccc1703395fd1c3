"""Fixes on the real sandbox: broken, planned, confirmed, proven, taken back byte for byte, and broken again."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

REPORTS = "/tmp/fixes"


@dataclass(frozen=True)
class Case:
    """A fault and the finding that is fixed. `comes_back`: a rollback brings the fault back."""

    fault: str
    code: str
    remedy: str
    comes_back: bool = True


CASES = (
    Case("wrong-domain", "CRG201", "change-domain"),
    Case("wrong-domain-nginx-only", "CRG203", "change-domain"),
    Case("wrong-domain-not-restarted", "CRG204", "restart-cargo", comes_back=False),
    Case("token-service-builtin", "CRG301", "set-token-service"),
    Case("token-service-loopback", "CRG301", "set-token-service"),
    Case("token-service-old-host-name", "CRG301", "set-token-service"),
    Case("token-service-dead", "CRG302", "set-token-service"),
    Case("token-service-other-cluster", "CRG303", "set-token-service"),
    Case("token-service-not-recreated", "CRG307", "recreate-tengine", comes_back=False),
    Case("token-service-name-mismatch", "CRG308", "set-token-service"),
    Case("token-service-wrong-port", "CRG310", "set-token-service"),
    Case("container-stopped", "CRG710", "start-containers"),
    Case("registry-down", "CRG702", "start-containers"),
    Case("harbor-database-down", "CRG507", "start-containers"),
    Case("domain-unresolved", "CRG101", "hosts-entry-operator"),
    Case("domain-unresolved-local", "CRG104", "hosts-entry-operator"),
    Case("domain-wrong-address", "CRG103", "hosts-entry-operator"),
    Case("dns-servfail", "CRG102", "hosts-entry-operator"),
    Case("ha-one-node-builtin", "CRG301", "set-token-service"),
    Case("ha-one-node-realm", "CRG201", "change-domain"),
    Case("ha-one-node-stopped", "CRG710", "start-containers"),
)


def fix(sandbox: Any, *words: str) -> Any:
    """`cargo-runbook fix … --json` on operator."""
    done = sandbox.run("cargo-runbook", "fix", *words, "--json", "--reports", REPORTS)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def fixed(sandbox: Any, *words: str) -> dict[str, Any]:
    done = fix(sandbox, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    return body


def roots(sandbox: Any, environment: str) -> tuple[int, list[str]]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json")
    body = json.loads(done.stdout)
    unknown = [f"{f['code']}: {f['summary']}" for f in body["findings"] if f["status"] == "unknown"]
    return done.returncode, body["root_causes"] + unknown


def files(sandbox: Any, plan: dict[str, Any]) -> dict[str, str]:
    """Digest, mode, owner and content of each file of a plan."""
    found = {}
    for action in plan["actions"]:
        if action["effect"] != "edit":
            continue
        look = f"stat -c '%a %u %g' {shlex.quote(action['target'])}; cat {shlex.quote(action['target'])}"
        argv = ["sh", "-c", look] if action["host"] == "operator" else ["ssh", action["host"], look]
        found[f"{action['host']}:{action['target']}"] = sandbox.run(*argv).stdout
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_a_fix_is_proven_and_a_rollback_brings_back_every_byte_and_the_fault(sandbox: Any, case: Case) -> None:
    broken = fault(case.fault)
    environment, expected = broken.environment, list(broken.expected_root_causes)
    sandbox.break_(case.fault)
    try:
        plan = fixed(sandbox, case.code, "--env", environment)
        assert plan["plan"] == case.remedy
        assert plan["actions"]
        before = files(sandbox, plan)
        assert roots(sandbox, environment) == (1, expected), "a preview changes nothing"

        done = fixed(sandbox, case.code, "--env", environment, "--confirm", plan["digest"])
        assert (done["proof"], done["applied"], done["rolled_back"]) == ("proven", True, False)
        assert files(sandbox, plan) != before or not before
        assert roots(sandbox, environment) == (0, [])
        assert fixed(sandbox, case.code, "--env", environment)["actions"] == []

        fixed(sandbox, "--env", environment, "--rollback", done["change"])
        assert files(sandbox, plan) == before
        if case.comes_back:
            assert roots(sandbox, environment) == (1, expected)
    finally:
        sandbox.heal(case.fault)
    assert roots(sandbox, environment) == (0, [])
