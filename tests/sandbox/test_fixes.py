"""Fixes on the real sandbox: broken, planned, confirmed, proven, taken back byte for byte, and broken again."""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import dataclass
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

REPORTS = "/tmp/fixes"


@dataclass(frozen=True)
class Case:
    """A fault and the finding that is fixed.

    `comes_back`: a rollback brings the fault back; where it is one of a replication, with the next start (`starts`).
    """

    fault: str
    code: str
    remedy: str
    comes_back: bool = True
    starts: str = ""


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
    Case("domain-unresolved", "CRG101", "hosts-entry-operator"),
    Case("domain-unresolved-local", "CRG104", "hosts-entry-operator"),
    Case("domain-wrong-address", "CRG103", "hosts-entry-operator"),
    Case("dns-servfail", "CRG102", "hosts-entry-operator"),
    Case("domain-unresolved-pipeline", "CRG801", "kube-dns-myhosts"),
    Case("tls-unknown-ca", "CRG601", "docker-ca"),
    Case("not-logged-in", "CRG505", "log-in"),
    Case("wrong-password", "CRG506", "log-in"),
    Case("ha-one-node-key", "CRG304", "trusted-key"),
    Case("project-missing-in-harbor", "CRG508", "create-project"),
    Case("replication-dns", "CRG403", "jobservice-hosts", starts="cargo-library-to-devops"),
    Case("replication-401-no-scheme", "CRG423", "target-endpoint", starts="cargo-devops_test-cargo-to-devops"),
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
    return done.returncode, body["root_causes"] + (unknown if done.returncode == 3 else [])


def files(sandbox: Any, plan: dict[str, Any]) -> dict[str, str]:
    """Digest, mode, owner and content of each file of a plan."""
    found = {}
    for action in plan["actions"]:
        if action["effect"] != "edit" or action["host"].startswith("Harbor"):
            continue
        if action["host"].startswith("cluster "):
            argv = ["kubectl", "get", "cm", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.data}"]
            found[action["target"]] = sandbox.run(*argv).stdout
            continue
        look = f"stat -c '%a %u %g' {shlex.quote(action['target'])}; cat {shlex.quote(action['target'])}"
        argv = ["sh", "-c", look] if action["host"] == "operator" else ["ssh", action["host"], look]
        found[f"{action['host']}:{action['target']}"] = sandbox.run(*argv).stdout
    return found


def start(sandbox: Any, replication: str) -> None:
    """In Cargo-Admin, as a person there does."""
    url = f"http://203.0.113.20:8080/api/v2/replications/{replication}/action"
    sandbox.run("curl", "-sSf", "-X", "POST", "-d", '{"action": "Start"}', url)


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
        plan = fixed(sandbox, case.code, "--env", environment)
        assert plan["plan"] == case.remedy
        assert plan["actions"]
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
        sandbox.heal(case.fault)
    assert roots(sandbox, environment) == (0, [])


def test_where_nothing_is_stopped_nothing_is_started_and_it_is_said_where_to_look(sandbox: Any) -> None:
    sandbox.break_("registry-down")
    try:
        done = fix(sandbox, "CRG702", "--env", "cargo")
        assert done.returncode == 2
        assert "all containers of Cargo run" in done.stderr
        assert "docker logs" in done.stderr
    finally:
        sandbox.heal("registry-down")


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
        assert roots(sandbox, "cargo") == (0, [])
    finally:
        sandbox.run("ssh", "devops", f"{broken} && {restart}")
        sandbox.heal("replication-401-token-not-trusted")
    assert roots(sandbox, "cargo") == (0, [])


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
    assert roots(sandbox, "cargo") == (0, [])


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


COREDNS = """
kubectl -n kube-system create configmap coredns --from-literal=Corefile='.:53 {
    errors
    hosts {
        192.0.2.9 other.example
        fallthrough
    }
    reload
}'
kubectl -n kube-system create deployment coredns --image=registry.invalid/coredns:1.8.0
kubectl -n kube-system label deployment coredns k8s-app=kube-dns
"""


@pytest.mark.cluster
def test_where_coredns_serves_the_entry_goes_into_its_hosts_block_and_is_bound_to_the_object(
    cluster_sandbox: Any,
) -> None:
    """The API server is real; CoreDNS itself is only announced, so the plan is made and not done."""
    sandbox = cluster_sandbox
    sandbox.break_("domain-unresolved-pipeline")
    try:
        sandbox.run("bash", "-euc", COREDNS)
        plan = fixed(sandbox, "CRG803", "--env", "cargo")
        assert plan["plan"] == "coredns-hosts"
        (action,) = plan["actions"]
        assert action["target"] == "kube-system configmap/coredns Corefile"
        changed = [line for line in action["diff"].splitlines()[2:] if line[0] in "+-"]
        assert changed == ["+        203.0.113.14 cargo.caicloudprivatetest.com"]
        sandbox.run("kubectl", "-n", "kube-system", "annotate", "configmap", "coredns", "seen=yes")
        assert fixed(sandbox, "CRG803", "--env", "cargo")["digest"] != plan["digest"], "bound to the object's version"
    finally:
        for kind in ("deployment", "configmap"):
            sandbox.run("kubectl", "-n", "kube-system", "delete", kind, "coredns", "--ignore-not-found")
        sandbox.heal("domain-unresolved-pipeline")


def test_where_everything_is_set_and_the_fault_stands_no_empty_plan_is_offered(sandbox: Any) -> None:
    sandbox.break_("token-key-mismatch")
    try:
        refused = fix(sandbox, "CRG304", "--env", "cargo")
        assert refused.returncode == 2
        assert "no host of this Cargo has the certificate" in refused.stderr
    finally:
        sandbox.heal("token-key-mismatch")


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


def test_a_plan_is_refused_when_the_machine_shows_another_key_even_one_that_was_accepted(sandbox: Any) -> None:
    home = sandbox.run("bash", "-c", "echo ~").stdout.strip()
    sandbox.break_("container-stopped")
    plan = fixed(sandbox, "CRG710", "--env", "cargo")
    try:
        sandbox.run(*WHATEVER_KEY, OTHER_KEY)
        time.sleep(1)
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
        time.sleep(1)
        sandbox.heal("container-stopped")
    assert roots(sandbox, "cargo") == (0, [])


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


BOUNDARIES = ("confirmed", "before", "begin 1", "done 1", "begin 2", "done 2")

KILL = """
cargo-runbook fix "${4:-CRG201}" --env cargo --confirm "$1" --json --reports "$2" >/dev/null 2>&1 &
process=$!
until [ -n "$(ls -t "$2/changes" 2>/dev/null | head -1)" ] && folder="$2/changes/$(ls -t "$2/changes" | head -1)" &&
      grep -q "$3" "$folder/journal.jsonl" 2>/dev/null; do
  kill -0 $process 2>/dev/null || break
  sleep 0.005
done
kill -9 $process 2>/dev/null
wait $process 2>/dev/null
basename "$folder"
"""


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("way", ["resume", "rollback"])
def test_a_fix_killed_at_any_boundary_is_finished_or_taken_back(sandbox: Any, boundary: str, way: str) -> None:
    event, _, number = boundary.partition(" ")
    line = f'"event": "{event}", "action": {number}' if number else f'"event": "{event}"'
    reports = f"/tmp/killed-{way}-{boundary.replace(' ', '-')}"
    sandbox.break_("wrong-domain")
    try:
        plan = fixed(sandbox, "CRG201", "--env", "cargo")
        before = files(sandbox, plan)
        change = sandbox.run("bash", "-c", KILL, "bash", plan["digest"], reports, line).stdout.strip()
        done = sandbox.run("cargo-runbook", "fix", "--env", "cargo", f"--{way}", change, "--json", "--reports", reports)
        assert "Traceback" not in done.stderr
        if way == "rollback":
            assert done.returncode == 0, done.stdout + done.stderr
            assert files(sandbox, plan) == before
            assert roots(sandbox, "cargo") == (1, ["CRG201"])
        elif event == "confirmed" and done.returncode == 2:
            assert "cut off before anything was done" in done.stderr
            assert files(sandbox, plan) == before
        else:
            assert done.returncode == 0, done.stdout + done.stderr
            assert json.loads(done.stdout)["proof"] == "proven"
            assert roots(sandbox, "cargo") == (0, [])
            sandbox.run("cargo-runbook", "fix", "--env", "cargo", "--rollback", change, "--reports", reports)
            assert files(sandbox, plan) == before
    finally:
        sandbox.heal("wrong-domain")
    assert roots(sandbox, "cargo") == (0, [])


@pytest.mark.parametrize(
    "line", ['"event": "begin", "action": 1', '"event": "done", "action": 1', '"event": "begin", "action": 2']
)
def test_a_fix_by_api_that_was_killed_is_finished(sandbox: Any, line: str) -> None:
    reports = "/tmp/killed-api-" + "-".join(re.findall(r"\w+", line))
    sandbox.break_("replication-401-no-scheme")
    try:
        plan = fixed(sandbox, "CRG423", "--env", "cargo")
        change = sandbox.run("bash", "-c", KILL, "bash", plan["digest"], reports, line, "CRG423").stdout.strip()
        done = sandbox.run("cargo-runbook", "fix", "--env", "cargo", "--resume", change, "--json", "--reports", reports)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["proof"] == "proven"
        assert roots(sandbox, "cargo") == (0, [])
    finally:
        sandbox.heal("replication-401-no-scheme")
    assert roots(sandbox, "cargo") == (0, [])


def test_a_connection_that_dies_while_a_container_restarts_leaves_a_change_that_can_be_finished(sandbox: Any) -> None:
    sandbox.break_("wrong-domain")
    cut = KILL.replace("kill -9 $process 2>/dev/null\n", "ssh cargo \"pkill -9 -f 'sshd: .*notty'\" 2>/dev/null\n")
    try:
        plan = fixed(sandbox, "CRG201", "--env", "cargo")
        line = '"event": "begin", "action": 2'
        change = sandbox.run("bash", "-c", cut, "bash", plan["digest"], "/tmp/cut", line).stdout.strip()
        journal = sandbox.run("cat", f"/tmp/cut/changes/{change}/journal.jsonl").stdout
        assert '"event": "failed"' in journal, journal
        done = sandbox.run(
            "cargo-runbook", "fix", "--env", "cargo", "--resume", change, "--json", "--reports", "/tmp/cut"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert roots(sandbox, "cargo") == (0, [])
        sandbox.run("cargo-runbook", "fix", "--env", "cargo", "--rollback", change, "--reports", "/tmp/cut")
    finally:
        sandbox.heal("wrong-domain")
    assert roots(sandbox, "cargo") == (0, [])


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
    assert roots(sandbox, "cargo") == (0, [])
