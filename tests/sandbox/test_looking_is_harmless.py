"""A look changes nothing, costs no more than its deadline, and says nothing false about what is healthy."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.probes.asking import DEADLINE
from cargo_sandbox.topology import SITES

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

ENVIRONMENTS = [site.name for site in SITES]
HOSTS = [host for site in SITES for host in site.hosts]
RUNS = 20

# All files that configure or hold something, and all containers with the time of their start.
STATE = """
find /compass /etc /var/lib/cargo-admin -xdev -type f -exec sha256sum {} + 2>/dev/null | sort -k2
docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Status}}' 2>/dev/null | sed 's/ Up .*/ Up/' | sort
docker ps -aq 2>/dev/null | xargs -r docker inspect -f '{{.Name}} {{.State.StartedAt}} {{.RestartCount}}' | sort
"""


def diagnose(sandbox: Any, *environments: str) -> dict[str, dict[str, Any]]:
    options = [word for name in environments for word in ("--env", name)]
    done = sandbox.run("cargo-runbook", "diagnose", *options, "--json")
    body = json.loads(done.stdout)
    return {each["environment"]: each for each in (body if isinstance(body, list) else [body])}


def state(sandbox: Any) -> dict[str, list[str]]:
    return {host: sandbox.on(host, "bash", "-c", STATE).stdout.splitlines() for host in (*HOSTS, "master", "operator")}


def test_healthy_environments_have_no_false_finding_in_many_runs(sandbox: Any) -> None:
    for run in range(RUNS):
        for name, body in diagnose(sandbox, *ENVIRONMENTS).items():
            odd = [(f["code"], f["status"], f["summary"]) for f in body["findings"] if f["status"] != "ok"]
            assert (body["status"], odd) == ("healthy", []), f"run {run}, {name}"


# A fault whose jobs have ended: Harbor writes by itself about those that it tries again.
@pytest.mark.parametrize("fault", ["", "wrong-domain", "no-role", "replication-401-no-scheme"])
def test_no_diagnosis_and_no_notebook_changes_a_byte_or_restarts_anything(sandbox: Any, fault: str) -> None:
    if fault:
        sandbox.break_(fault)
    before = state(sandbox)
    assert all(len(lines) > 20 for lines in before.values()), "an empty state proves nothing"
    diagnose(sandbox, *ENVIRONMENTS)
    for runbook in dict.fromkeys(NOTEBOOKS.values()):
        done = sandbox.run("cargo-runbook", "run", runbook, "--env", "cargo", "--json")
        assert json.loads(done.stdout)["status"] in ("healthy", "fault"), runbook
    after = state(sandbox)
    changed = {host: sorted(set(before[host]) ^ set(after[host])) for host in before}
    assert changed == {host: [] for host in before}


def test_nothing_that_a_diagnosis_asks_is_withheld_by_the_read_only_list(sandbox: Any) -> None:
    for runbook in dict.fromkeys(NOTEBOOKS.values()):
        done = sandbox.run("cargo-runbook", "run", runbook, "--env", "cargo", "--json")
        lines = sandbox.run("cat", f"{json.loads(done.stdout)['path']}/evidence.jsonl").stdout.splitlines()
        asked = [json.loads(line) for line in lines]
        assert len(asked) > 15
        assert [each["question"] for each in asked if each["data"].get("reason") == "not_read_only"] == []


def test_a_host_that_takes_connections_and_says_nothing_costs_its_deadline_and_nothing_more(sandbox: Any) -> None:
    # Stopped programs: the kernel takes the connections, and nobody ever answers.
    stop = "pkill -STOP -x sshd; docker pause tengine"
    wake = "pkill -CONT -x sshd; docker unpause tengine"
    started = time.monotonic()
    quick = diagnose(sandbox, "devops")["devops"]
    usual = time.monotonic() - started
    assert quick["status"] == "healthy"
    sandbox.on("devops", "bash", "-c", stop)
    try:
        started = time.monotonic()
        seen = diagnose(sandbox, "devops", "cargo")
        taken = time.monotonic() - started
    finally:
        sandbox.on("devops", "bash", "-c", wake)
    assert (seen["devops"]["status"], seen["devops"]["root_causes"]) == ("unknown", [])
    assert seen["cargo"]["status"] == "healthy"
    assert seen["cargo"]["seconds"] < DEADLINE
    assert seen["devops"]["seconds"] < DEADLINE + 2 * quick["seconds"] + 2
    assert taken < DEADLINE + 3 * usual + 2
