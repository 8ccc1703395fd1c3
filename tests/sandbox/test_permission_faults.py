"""Section 权限问题 on the real sandbox: one text of docker, its causes told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault, faults
from tests.practice import show

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

SECTION = "权限问题"
DENIED = "denied: requested access to the resource is denied"
HARMLESS = "admin-needs-no-cargo-admin-project"


def diagnose(sandbox: Any, *options: str, environment: str = "cargo") -> dict[str, Any]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", environment, "--json", *options)
    assert "Traceback" not in done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    show(body)
    return body


def broken(sandbox: Any, *names: str) -> dict[str, Any]:
    """The diagnosis with faults broken; they are healed by the fixture."""
    for name in names:
        sandbox.break_(name)
    return diagnose(sandbox)


def test_docker_says_the_same_about_different_causes(sandbox: Any) -> None:
    causes = {each.name: each.expected_root_causes for each in faults() if each.section == SECTION}
    said = set()
    for name in ("not-logged-in", "wrong-password", "no-role", "project-missing-in-cargo-admin"):
        sandbox.break_(name)
        said.add(sandbox.client(fault(name).client).stderr)
        sandbox.heal(name)
    (text,) = said
    assert DENIED in text
    assert len({causes[name] for name in causes}) == len(causes)


def test_a_project_that_only_admin_uses_may_be_missing_in_cargo_admin(sandbox: Any) -> None:
    seen = fault(HARMLESS).client
    assert sandbox.client(seen).returncode == 0
    body = broken(sandbox, HARMLESS)
    assert seen.text in sandbox.client(seen).stderr, "for others it is gone"
    assert (body["status"], body["root_causes"]) == ("healthy", [])
    # Asked for explicitly, the others' case is told.
    asked = diagnose(sandbox, "--image", "base/tools:1", "--account", "alice")
    assert asked["root_causes"] == ["CRG509"]
    assert diagnose(sandbox, "--image", "base/tools:1", "--account", "admin", "--action", "push")["root_causes"] == []


@pytest.mark.parametrize(
    ("names", "roots"),
    [
        (("no-role", "wrong-domain-nginx-only"), ["CRG203", "CRG510"]),
        (("wrong-password", "domain-unresolved"), ["CRG101", "CRG506"]),
        (("project-missing-in-harbor", "token-service-builtin"), ["CRG301", "CRG508"]),
        (("no-role", "guest-pushes"), ["CRG510", "CRG511"]),
        (("not-logged-in", "user-pushes-public-project", "token-key-mismatch"), ["CRG304", "CRG512"]),
    ],
)
def test_two_faults_of_which_one_is_a_right_are_both_found(
    sandbox: Any, names: tuple[str, ...], roots: list[str]
) -> None:
    assert broken(sandbox, *names)["root_causes"] == roots


def test_one_use_can_be_asked_for(sandbox: Any) -> None:
    wanted = ("--image", "devops_test-cargo/node:8.9-alpine", "--action", "push")
    assert diagnose(sandbox, *wanted, "--account", "alice")["root_causes"] == []
    body = diagnose(sandbox, *wanted, "--account", "docker-config")
    assert body["root_causes"] == ["CRG511"]
    (found,) = [each for each in body["findings"] if each["code"] == "CRG511"]
    assert "bob may pull from devops_test-cargo and not push" in found["summary"]
    public = diagnose(sandbox, "--image", "library/tiny:1", "--account", "alice", "--action", "push")
    assert public["root_causes"] == ["CRG512"]


@pytest.mark.parametrize("name", ["wrong-password", "no-role"])
def test_the_login_that_docker_has_saved_stands_in_no_evidence_and_no_record(sandbox: Any, name: str) -> None:
    sandbox.break_(name)
    done = sandbox.run("cargo-runbook", "run", "00_triage", "--env", "cargo", "--json")
    record = json.loads(done.stdout)["path"]
    found = sandbox.run("bash", "-c", f"cat {record}/*").stdout
    saved = sandbox.run("cat", "/home/engineer/.docker/config.json").stdout
    encoded = json.loads(saved)["auths"]["cargo.caicloudprivatetest.com"]["auth"]
    assert "bob" in found, "the harmless marker must survive"
    assert encoded not in found
    assert sandbox.password("bob") not in found
    assert sandbox.password("cargo-admin") not in found


def test_a_heal_brings_back_the_very_login_that_was_there(sandbox: Any) -> None:
    file = "/home/engineer/.docker/config.json"
    before = sandbox.run("cat", file).stdout
    sandbox.break_("not-logged-in")
    assert "cargo.caicloudprivatetest.com" not in sandbox.run("cat", file).stdout
    sandbox.heal("not-logged-in")
    assert sandbox.run("cat", file).stdout == before
