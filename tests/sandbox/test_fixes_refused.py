"""What is not done: plans of another state, another machine, another digest; and where there is nothing to offer."""

from __future__ import annotations

from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault
from tests.sandbox.fixing import fix, fixed, healthy, roots
from tests.waiting import until

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


# Faults for which the code has remedies that can't help: fault -> its finding, and what is said instead of a plan.
REFUSED = {
    "registry-down": ("CRG702", "all containers of Cargo run"),
    "harbor-database-down": ("CRG507", "all containers of Cargo run"),
    "ha-one-node-cut-off": ("CRG713", "all containers of Cargo run"),
    "token-key-mismatch": ("CRG304", "no host of this Cargo has the certificate"),
}
NEXT = {"all containers of Cargo run": "docker logs", "no host of this Cargo has the certificate": "root.crt"}


@pytest.mark.parametrize("name", REFUSED)
def test_where_no_remedy_helps_no_plan_is_offered_and_it_is_said_where_to_look(sandbox: Any, name: str) -> None:
    code, said = REFUSED[name]
    environment = fault(name).environment
    sandbox.break_(name)
    try:
        done = fix(sandbox, code, "--env", environment)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
        assert NEXT[said] in done.stderr
    finally:
        sandbox.heal(name)


def test_a_certificate_that_stands_on_no_cargo_host_is_not_trusted(sandbox: Any) -> None:
    """The front shows something else than its host has, as a device in between would."""
    certificate = "cd /compass/cargo-ansible/cargo/config/nginx/cert"
    sandbox.break_("tls-unknown-ca")
    try:
        sandbox.run("ssh", "cargo", f"{certificate} && cp -p server.crt shown.crt && cp -p server.crt.kept server.crt")
        refused = fix(sandbox, "CRG601", "--env", "cargo")
        assert refused.returncode == 2
        assert "stands on none of the Cargo hosts" in refused.stderr
    finally:
        sandbox.run("ssh", "cargo", f"{certificate} && mv shown.crt server.crt")
        sandbox.heal("tls-unknown-ca")


def test_a_token_service_that_signs_with_another_key_is_not_taken(sandbox: Any) -> None:
    """It is up and knows the domain; only the registry would not believe it."""
    sandbox.break_("token-key-mismatch")
    sandbox.break_("token-service-builtin")
    try:
        refused = fix(sandbox, "CRG301", "--env", "cargo")
        assert refused.returncode == 2, refused.stdout
        assert "signs with a key that the registry of cargo does not trust" in refused.stderr
    finally:
        sandbox.heal("token-service-builtin")
        sandbox.heal("token-key-mismatch")


KEY = "/etc/ssh/ssh_host_ed25519_key"
OTHER_KEY = f"""
cp -p {KEY} {KEY}.kept; cp -p {KEY}.pub {KEY}.pub.kept; rm {KEY} {KEY}.pub
ssh-keygen -q -t ed25519 -N "" -f {KEY}; kill -HUP $(cat /run/sshd.pid)
"""
OWN_KEY = f"mv {KEY}.kept {KEY}; mv {KEY}.pub.kept {KEY}.pub; kill -HUP $(cat /run/sshd.pid)"
WHATEVER_KEY = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "cargo")


def shown(sandbox: Any) -> str:
    """The host key that sshd on cargo shows now: it takes another one a moment after it is told to."""
    return str(sandbox.run("ssh-keyscan", "-t", "ed25519", "203.0.113.14").stdout)


def test_a_plan_is_refused_when_the_machine_shows_another_key_even_one_that_was_accepted(sandbox: Any) -> None:
    home = sandbox.run("bash", "-c", "echo ~").stdout.strip()
    sandbox.break_("container-stopped")
    plan = fixed(sandbox, "CRG710", "--env", "cargo")
    try:
        known = shown(sandbox)
        sandbox.run(*WHATEVER_KEY, OTHER_KEY)
        until(lambda: shown(sandbox) not in ("", known))
        unknown = fix(sandbox, "CRG710", "--env", "cargo", "--confirm", plan["digest"])
        assert unknown.returncode == 3, "the look ends at the changed key"
        assert "host key" in unknown.stderr.lower()
        accept = f"cp {home}/.ssh/known_hosts /tmp/known; ssh-keyscan -t ed25519 203.0.113.14 cargo > /tmp/new; "
        accept += f"grep -v ^cargo, /tmp/known | cat - /tmp/new > {home}/.ssh/known_hosts"
        sandbox.run("bash", "-c", accept)
        accepted = fix(sandbox, "CRG710", "--env", "cargo", "--confirm", plan["digest"])
        assert accepted.returncode == 2, accepted.stdout
        assert "is not the one that would be done now" in accepted.stderr
    finally:
        sandbox.run(*WHATEVER_KEY, OWN_KEY)
        sandbox.run("bash", "-c", f"cat /tmp/known > {home}/.ssh/known_hosts")
        until(lambda: shown(sandbox) == known)
        sandbox.heal("container-stopped")
    assert healthy(sandbox, "cargo")


def test_a_plan_is_refused_with_a_wrong_digest_and_when_anything_changed_since(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    config = "/compass/cargo-ansible/cargo/config/registry/config.yml"
    try:
        plan = fixed(sandbox, "CRG201", "--env", "cargo")
        wrong = fix(sandbox, "CRG201", "--env", "cargo", "--confirm", "0" * 16)
        short = fix(sandbox, "CRG201", "--env", "cargo", "--confirm", plan["digest"][:6])
        sandbox.run("ssh", "cargo", f"cp -p {config} /tmp/kept && echo '# a note' >> {config}")
        edited = fix(sandbox, "CRG201", "--env", "cargo", "--confirm", plan["digest"])
        sandbox.run("ssh", "cargo", f"cp -p /tmp/kept {config}")
        again = fixed(sandbox, "CRG201", "--env", "cargo")
        assert again["digest"] == plan["digest"], "the same state, the same plan"
        recreate = (
            "docker-compose -p cargo -f /compass/cargo-ansible/cargo/config/docker-compose-single.yml up -d --no-deps"
        )
        sandbox.run("ssh", "cargo", f"{recreate} --force-recreate registry")
        made_anew = fix(sandbox, "CRG201", "--env", "cargo", "--confirm", plan["digest"])
        mistyped = fix(sandbox, "CRG201", "--env", "crago", "--confirm", plan["digest"])
        for refused in (wrong, short, edited, made_anew, mistyped):
            assert refused.returncode == 2, refused.stdout + refused.stderr
        for refused in (wrong, short, edited, made_anew):
            assert "is not the one that would be done now" in refused.stderr
        assert roots(sandbox, "cargo") == (1, ["CRG201"]), "nothing was done"
    finally:
        sandbox.heal("wrong-domain")
        sandbox.run("ssh", "cargo", "docker restart -t 1 harbor-registry tengine")
    assert healthy(sandbox, "cargo")
