"""The doctor on a real workstation: able as it is, and what it says once a key or a known host is gone."""

from __future__ import annotations

import json

import pytest

from tests.practice import PracticeSandbox

pytestmark = pytest.mark.sandbox


def lacking(sandbox: PracticeSandbox) -> tuple[int, dict[str, str]]:
    done = sandbox.run("cargo-runbook", "doctor", "--env", "cargo", "--json")
    checks = json.loads(done.stdout)["checks"]
    return done.returncode, {check["check"]: check["do"] for check in checks if check["status"] in ("lacks", "unknown")}


def test_the_workstation_of_the_sandbox_is_able_until_something_is_taken_from_it(sandbox: PracticeSandbox) -> None:
    assert lacking(sandbox) == (0, {})
    ssh = "/home/engineer/.ssh"
    sandbox.run("mv", f"{ssh}/known_hosts", f"{ssh}/known_hosts.kept")
    try:
        code, named = lacking(sandbox)
        assert (code, list(named)) == (1, ["ssh cargo"])
        assert named["ssh cargo"] == "compare that fingerprint with its console, then: ssh cargo"
    finally:
        sandbox.run("mv", f"{ssh}/known_hosts.kept", f"{ssh}/known_hosts")
    sandbox.run("mv", f"{ssh}/id_ed25519", f"{ssh}/kept")
    try:
        code, named = lacking(sandbox)
        assert (code, set(named)) == (1, {"ssh", "ssh cargo"})
    finally:
        sandbox.run("mv", f"{ssh}/kept", f"{ssh}/id_ed25519")
    assert lacking(sandbox) == (0, {})
