"""Two faults of different kinds at once: both are found, and nothing else claims to be a root cause."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

PAIRS = [
    ("domain-unresolved", "wrong-domain", ["CRG101", "CRG201"]),
    ("token-service-loopback", "domain-unresolved-local", ["CRG104", "CRG301"]),
    ("dns-servfail", "disk-full-on-upload", ["CRG102", "CRG720"]),
    ("http-proxy-503", "wrong-domain", ["CRG201", "CRG610"]),
    ("wrong-domain", "token-service-dead", ["CRG201", "CRG302"]),
    ("wrong-domain-nginx-only", "token-key-mismatch", ["CRG203", "CRG304"]),
    ("tls-unknown-ca", "disk-full-on-upload", ["CRG601", "CRG720"]),
    ("disk-full-on-upload", "container-stopped", ["CRG710", "CRG720"]),
    ("clock-skew", "not-logged-in", ["CRG306", "CRG505"]),
    ("token-service-other-cluster", "disk-full-on-upload", ["CRG303", "CRG720"]),
    ("wrong-domain-nginx-only", "no-role", ["CRG203", "CRG510"]),
    ("domain-unresolved", "wrong-password", ["CRG101", "CRG506"]),
    ("token-service-builtin", "project-missing-in-harbor", ["CRG301", "CRG508"]),
    ("no-role", "guest-pushes", ["CRG510", "CRG511"]),
]


@pytest.mark.parametrize(("one", "other", "roots"), PAIRS, ids=lambda value: value if isinstance(value, str) else "")
def test_two_faults_at_once_are_both_found(sandbox: Any, one: str, other: str, roots: list[str]) -> None:
    sandbox.break_(one)
    sandbox.break_(other)
    done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo", "--json")
    assert sorted(json.loads(done.stdout)["root_causes"]) == roots
