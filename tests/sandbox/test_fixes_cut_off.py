"""Fixes that were cut off anywhere, by kill -9 or by the network: finished or taken back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox.fixing import REPORTS, files, fix, fixed, healthy, roots

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


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
    assert healthy(sandbox, "cargo")


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
    assert healthy(sandbox, "cargo")


# Waits on the machine itself: a connection of its own would come too late, or be one of those that are cut.
CUT = """setsid -f sh -c 'until pgrep -f "$1" >/dev/null; do sleep 0.02; done; pkill -9 -f "$2"' sh "$1" "$2" \\
</dev/null >/dev/null 2>&1"""
RESTART, RECREATE, CONNECTION = "[d]ocker restart", "[d]ocker-compose .* up", "sshd: .*notty"


@pytest.mark.parametrize(
    ("fault", "code", "seen", "killed"),
    [
        pytest.param("wrong-domain", "CRG201", RESTART, CONNECTION, id="the connection during a restart"),
        pytest.param("wrong-domain", "CRG201", RESTART, RESTART, id="the restart itself"),
        pytest.param("token-service-builtin", "CRG301", RECREATE, RECREATE, id="making a container anew"),
    ],
)
def test_what_dies_while_a_container_restarts_leaves_a_change_that_can_be_finished(
    sandbox: Any, fault: str, code: str, seen: str, killed: str
) -> None:
    sandbox.break_(fault)
    try:
        plan = fixed(sandbox, code, "--env", "cargo")
        sandbox.on("cargo", "sh", "-c", CUT, "sh", seen, killed)
        cut = fix(sandbox, code, "--env", "cargo", "--confirm", plan["digest"])
        assert cut.returncode == 3, cut.stdout + cut.stderr
        named = re.search(r"--resume (\S+)", cut.stderr)
        assert named, cut.stderr
        journal = sandbox.run("cat", f"{REPORTS}/changes/{named[1]}/journal.jsonl").stdout
        assert '"event": "failed"' in journal, journal
        done = fixed(sandbox, "--env", "cargo", "--resume", named[1])
        assert done["proof"] == "proven"
        assert roots(sandbox, "cargo") == (0, [])
        names = sandbox.run("ssh", "cargo", "docker ps -a --format '{{.Names}}'").stdout.split()
        assert sorted(names) == ["harbor-jobservice", "harbor-registry", "harbor-ui", "tengine"], "nothing is left over"
        fixed(sandbox, "--env", "cargo", "--rollback", named[1])
        assert roots(sandbox, "cargo")[0] == 1, "the fault is back"
    finally:
        sandbox.heal(fault)
    assert healthy(sandbox, "cargo")
