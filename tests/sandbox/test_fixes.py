"""Fixes on the real sandbox: broken, planned, confirmed, proven, taken back byte for byte, and broken again."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault
from tests.sandbox.fixing import (
    INSTALLATION,
    REPORTS,
    files,
    fix,
    fixed,
    healthy,
    install_script,
    installation,
    roots,
    start,
)

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


@dataclass(frozen=True)
class Case:
    """A fault and the finding that is fixed.

    `comes_back`: a rollback brings the fault back; where it is one of a replication, with the next start (`starts`).
    `script`: a script of the installation that is there, and does the edits.
    """

    fault: str
    code: str
    remedy: str
    comes_back: bool = True
    starts: str = ""
    script: str = ""


CASES = (
    Case("wrong-domain", "CRG201", "change-domain", script="change-domain.sh"),
    Case("wrong-domain-nginx-only", "CRG203", "change-domain"),
    Case("wrong-domain-not-restarted", "CRG204", "restart-cargo", comes_back=False),
    Case("token-service-builtin", "CRG301", "set-token-service", script="change-token-servce.sh"),
    Case("token-service-loopback", "CRG301", "set-token-service", script="change-token-service.sh"),
    Case("token-service-old-host-name", "CRG301", "set-token-service"),
    Case("token-service-dead", "CRG302", "set-token-service"),
    Case("token-service-other-cluster", "CRG303", "set-token-service"),
    Case("token-service-not-recreated", "CRG307", "recreate-tengine", comes_back=False),
    Case("token-service-name-mismatch", "CRG308", "set-token-service"),
    Case("token-service-wrong-port", "CRG310", "set-token-service"),
    Case("container-stopped", "CRG710", "start-containers"),
    Case("domain-unresolved", "CRG101", "hosts-entry-operator"),
    Case("domain-unresolved-local", "CRG104", "hosts-entry-operator"),
    Case("domain-wrong-address", "CRG103", "hosts-entry-operator"),
    Case("dns-servfail", "CRG102", "hosts-entry-operator"),
    Case("dns-server-silent", "CRG102", "hosts-entry-operator"),
    Case("domain-unresolved-pipeline", "CRG801", "kube-dns-myhosts"),
    Case("tls-unknown-ca", "CRG601", "docker-ca"),
    Case("not-logged-in", "CRG505", "log-in"),
    Case("wrong-password", "CRG506", "log-in"),
    Case("ha-one-node-key", "CRG304", "trusted-key"),
    Case("no-role", "CRG510", "grant-role"),
    Case("guest-pushes", "CRG511", "grant-role"),
    Case("project-missing-in-harbor", "CRG508", "create-project"),
    Case("replication-dns", "CRG403", "jobservice-hosts", starts="cargo-library-to-devops"),
    Case("replication-401-no-scheme", "CRG423", "target-endpoint", starts="cargo-devops_test-cargo-to-devops"),
    Case("ha-one-node-builtin", "CRG301", "set-token-service"),
    Case("ha-one-node-realm", "CRG201", "change-domain"),
    Case("ha-one-node-stopped", "CRG710", "start-containers"),
)


PARAMETERS = [
    pytest.param(case, id=case.fault, marks=pytest.mark.cluster if fault(case.fault).needs == "cluster" else ())
    for case in CASES
]


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_fix_is_proven_and_a_rollback_brings_back_every_byte_and_the_fault(
    request: pytest.FixtureRequest, case: Case
) -> None:
    broken = fault(case.fault)
    sandbox = request.getfixturevalue("cluster_sandbox" if broken.needs == "cluster" else "sandbox")
    environment, expected = broken.environment, list(broken.expected_root_causes)
    sandbox.break_(case.fault)
    change = ""
    try:
        if case.script:
            install_script(sandbox, case.script)
        whole = installation(sandbox) if case.script else ""
        plan = fixed(sandbox, case.code, "--env", environment)
        assert plan["plan"] == case.remedy
        assert plan["actions"]
        made_by = {action["made_by"]["command"].split()[0] for action in plan["actions"] if "made_by" in action}
        assert made_by == ({f"{INSTALLATION}/{case.script}"} if case.script else set())
        if case.script:
            assert installation(sandbox) == whole, "a script that is tried leaves nothing behind"
        before = files(sandbox, plan)
        assert roots(sandbox, environment) == (1, expected), "a preview changes nothing"

        done = fixed(sandbox, case.code, "--env", environment, "--confirm", plan["digest"])
        change = done["change"]
        assert (done["proof"], done["applied"], done["rolled_back"]) == ("proven", True, False)
        assert files(sandbox, plan) != before or not before
        assert roots(sandbox, environment) == (0, [])
        assert fixed(sandbox, case.code, "--env", environment)["actions"] == []

        fixed(sandbox, "--env", environment, "--rollback", change)
        change = ""
        assert files(sandbox, plan) == before
        if case.script:
            assert installation(sandbox) == whole
        if case.starts:
            start(sandbox, case.starts)
        if case.comes_back:
            # kube-dns takes some seconds until it reads what was written back, and a job until it has failed.
            until = time.monotonic() + (60 if broken.needs == "cluster" or case.starts else 0)
            while roots(sandbox, environment) != (1, expected) and time.monotonic() < until:
                time.sleep(1)
            assert roots(sandbox, environment) == (1, expected)
    finally:
        if change:
            fix(sandbox, "--env", environment, "--rollback", change)
        if case.script:
            sandbox.run("ssh", "cargo", f"rm -f {INSTALLATION}/{case.script}")
        sandbox.heal(case.fault)
    assert healthy(sandbox, environment)


def test_a_replication_is_started_again_once_its_destination_is_mended(sandbox: Any) -> None:
    mended = (
        "cd /compass/cargo-ansible/cargo/config/registry && cp -p root.crt root.crt.bad && cp -p root.crt.kept root.crt"
    )
    broken = "cd /compass/cargo-ansible/cargo/config/registry && mv root.crt.bad root.crt"
    restart = "docker restart -t 1 harbor-registry"
    sandbox.break_("replication-401-token-not-trusted")
    try:
        refused = fix(sandbox, "CRG418", "--env", "cargo")
        assert refused.returncode == 2
        assert "cargo-runbook diagnose --env DESTINATION" in refused.stderr
        plan = fixed(sandbox, "CRG402", "--env", "cargo")
        assert "mended elsewhere" in plan["notes"][0]
        failed = fix(sandbox, "CRG402", "--env", "cargo", "--confirm", plan["digest"])
        assert (failed.returncode, json.loads(failed.stdout)["proof"]) == (4, "not proven")
        sandbox.run("ssh", "devops", f"{mended} && {restart}")
        done = fixed(sandbox, "CRG402", "--env", "cargo", "--confirm", plan["digest"])
        assert done["proof"] == "proven"
        journal = sandbox.run("cat", f"{REPORTS}/changes/{done['change']}/journal.jsonl").stdout
        assert "Cargo-Admin has its record of this start" in journal
        assert roots(sandbox, "cargo") == (0, [])
    finally:
        sandbox.run("ssh", "devops", f"{broken} && {restart}")
        sandbox.heal("replication-401-token-not-trusted")
    assert healthy(sandbox, "cargo")


def test_a_host_that_does_not_know_its_own_domain_gets_an_entry_and_the_operator_none(sandbox: Any) -> None:
    other = "cp /etc/resolv.conf /tmp/resolv && echo 'nameserver 203.0.113.20' > /etc/resolv.conf"
    sandbox.run("ssh", "cargo", other)
    change = ""
    try:
        plan = fixed(sandbox, "CRG105", "--env", "cargo")
        assert [(action["host"], action["target"]) for action in plan["actions"]] == [("cargo", "/etc/hosts")]
        done = fixed(sandbox, "CRG105", "--env", "cargo", "--confirm", plan["digest"])
        change = done["change"]
        assert done["proof"] == "proven"
        assert roots(sandbox, "cargo") == (0, [])
    finally:
        fix(sandbox, "--env", "cargo", "--rollback", change)
        back = roots(sandbox, "cargo")
        sandbox.run("ssh", "cargo", "cat /tmp/resolv > /etc/resolv.conf")
    assert back == (1, ["CRG105"])
    assert healthy(sandbox, "cargo")


def test_production_asks_for_a_reason_which_goes_into_the_journal(sandbox: Any) -> None:
    sandbox.run("bash", "-euc", "rm -rf ~/production && cp -a $CARGO_RUNBOOK_INVENTORY ~/production && "
                "sed -i 's/^stage: .*/stage: production/' ~/production/cargo.yml && grep -q production ~/production/cargo.yml")  # fmt: skip
    home = sandbox.run("bash", "-c", "echo ~").stdout.strip()
    inventory = ("--inventory", f"{home}/production")
    sandbox.break_("container-stopped")
    try:
        plan = fixed(sandbox, "CRG710", "--env", "cargo", *inventory)
        refused = fix(sandbox, "CRG710", "--env", "cargo", *inventory, "--confirm", plan["digest"])
        assert refused.returncode == 2
        assert "production environment" in refused.stderr
        done = fixed(sandbox, "CRG710", "--env", "cargo", *inventory, "--confirm", plan["digest"], "--reason", "INC-7")
        journal = sandbox.run("cat", f"{REPORTS}/changes/{done['change']}/journal.jsonl").stdout
        assert '"reason": "INC-7"' in journal
        assert '"operator": ' in journal
        secrets = sandbox.run("bash", "-c", "cat $CARGO_RUNBOOK_INVENTORY/passwords/*").stdout.split()
        assert secrets
        assert not [secret for secret in secrets if secret in journal + json.dumps(done)]
    finally:
        sandbox.heal("container-stopped")


def test_what_is_not_proven_is_taken_back_by_itself(sandbox: Any) -> None:
    """A second fault keeps the clients failing, so that the right fix of the first one proves nothing."""
    sandbox.break_("tls-unknown-ca")
    sandbox.break_("container-stopped")
    try:
        plan = fixed(sandbox, "CRG710", "--env", "cargo")
        done = fix(sandbox, "CRG710", "--env", "cargo", "--confirm", plan["digest"])
        assert done.returncode == 4, done.stdout + done.stderr
        body = json.loads(done.stdout)
        assert (body["proof"], body["applied"], body["rolled_back"]) == ("not proven", False, True)
        running = sandbox.run("ssh", "cargo", "docker inspect -f '{{.State.Running}}' tengine")
        assert running.stdout.strip() == "false"
    finally:
        sandbox.heal("container-stopped")
        sandbox.heal("tls-unknown-ca")


def test_a_run_of_the_notebook_does_what_was_approved_and_keeps_its_journal_in_the_record(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    try:
        plan = fixed(sandbox, "CRG201", "--env", "cargo")
        run = ("cargo-runbook", "run", "20_wrong_domain", "--env", "cargo", "--json", "--reports", "/tmp/run")
        shown = json.loads(sandbox.run(*run).stdout)
        assert plan["digest"][:16] in sandbox.run("cat", f"{shown['path']}/notebook.ipynb").stdout
        assert roots(sandbox, "cargo") == (1, ["CRG201"]), "a run without an approved plan changes nothing"
        assert json.loads(sandbox.run(*run, "-p", f"approved_plan={'0' * 16}").stdout)["status"] == "failed"
        assert roots(sandbox, "cargo") == (1, ["CRG201"])
        done = json.loads(sandbox.run(*run, "-p", f"approved_plan={plan['digest']}").stdout)
        assert (done["status"], done["root_causes"]) == ("fault", ["CRG201"]), "what was found is what the record says"
        journal = sandbox.run("bash", "-c", f"cat {done['path']}/changes/*/journal.jsonl; ls {done['path']}/changes/*")
        assert '"proof": "proven"' in journal.stdout
        assert "before-1" not in journal.stdout, "files with secrets are no part of a record"
        assert roots(sandbox, "cargo") == (0, [])
    finally:
        sandbox.heal("wrong-domain")
    assert healthy(sandbox, "cargo")
