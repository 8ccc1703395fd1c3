"""The replications that a sandbox has behind it when it is up: from cargo to devops, each policy once."""

from __future__ import annotations

import json
import time

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxFailed
from cargo_sandbox.machines import processes
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import OPERATOR, site
from cargo_sandbox.waiting import wait_until

# Each policy that leads from cargo to devops, which is the first of its peers.
POLICIES = (1, 2)
PATIENCE = 60.0
# A start while jobservice comes up makes no job, and nobody says so.
NO_JOB_YET = 3.0


def replicate_once(state: StateFolder) -> None:
    """Start one policy after the other, and return when the jobs of each have finished.

    Raises:
        SandboxFailed: they have not after some seconds.
    """
    for policy in POLICIES:
        _replicate(state, policy)


def _replicate(state: StateFolder, policy: int) -> None:
    base = f"https://{site('cargo').domain}/api"
    start = ["-H", "Content-Type: application/json", "-d", json.dumps({"policy_id": policy})]
    seen, started = [""], [-NO_JOB_YET]

    def finished() -> bool:
        seen[0] = _harbor(state, f"{base}/jobs/replication?policy_id={policy}")
        try:
            statuses = {job["status"] for job in json.loads(seen[0]) or ()}
        except (ValueError, TypeError, KeyError):
            return False
        if not statuses and time.monotonic() > started[0] + NO_JOB_YET:
            _harbor(state, *start, f"{base}/replications")
            started[0] = time.monotonic()
        return statuses == {"finished"}

    if not wait_until(finished, PATIENCE):
        raise SandboxFailed(
            tell("the first replication from cargo to devops does not finish", "cargo 到 devops 的首次同步没有完成"),
            seen=seen[0],
        )


def _harbor(state: StateFolder, *arguments: str) -> str:
    """What Harbor on cargo answers its admin; the password goes to curl by standard input."""
    password = (state.inventory / "passwords/cargo-admin").read_text().strip()
    argv = ["curl", "-sS", "-m", "5", "-K", "-", "--cacert", str(state.inventory / "ca.crt"), *arguments]
    done = processes.run_on(state, OPERATOR.name, argv, stdin=f'user = "admin:{password}"\n'.encode())
    return (done.stdout + done.stderr).decode(errors="replace")
