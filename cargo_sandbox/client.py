"""The real docker client on operator, and what it prints."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxFailed
from cargo_sandbox.faults.catalog import Client
from cargo_sandbox.machines import processes
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import ENGINEERS_LOGIN, OPERATOR, SITES

# A silent name server costs a docker command up to 50 s, a push with a wrong realm as much.
PATIENCE = 90.0
# Where docker keeps logins that are not the engineer's own.
OTHER_LOGINS = "/tmp/docker-client"  # noqa: S108 - on operator, whose /tmp is nobody else's


def as_another(argv: Sequence[str]) -> list[str]:
    """The command with a docker configuration of its own: it neither uses nor changes what the engineer's docker saved."""
    return ["env", f"DOCKER_CONFIG={OTHER_LOGINS}", *argv]


def log_in_engineer(state: StateFolder) -> None:
    """Log the engineer's own docker in to the Cargos that have private images.

    Raises:
        SandboxFailed: it is refused.
    """
    password = (state.inventory / "passwords" / ENGINEERS_LOGIN).read_bytes()
    for site in SITES:
        if not site.private_images:
            continue
        argv = ["docker", "login", site.domain, "-u", ENGINEERS_LOGIN, "--password-stdin"]
        done = processes.run_on(state, OPERATOR.name, argv, stdin=password, timeout=PATIENCE)
        if done.returncode != 0:
            raise SandboxFailed(
                tell(f"docker can't log in to {site.domain}", f"docker 无法登录 {site.domain}"),
                seen=done.stderr.decode(errors="replace"),
            )


def run_client(state: StateFolder, client: Client) -> str:
    """Run the call, see `call_client`; both streams as text."""
    done = call_client(state, client)
    return (done.stdout + done.stderr).strip()


def call_client(state: StateFolder, client: Client) -> subprocess.CompletedProcess[str]:
    """Run the call.

    A call that logs in as somebody keeps that login to itself; without, the engineer's own login counts.

    Raises:
        ProcessLookupError: operator does not run.
        subprocess.TimeoutExpired: the client does not end.
    """
    password = (state.inventory / "passwords" / client.account).read_bytes() if client.account else None
    argv = as_another(client.command) if client.account else client.command
    done = processes.run_on(state, OPERATOR.name, argv, stdin=password, timeout=PATIENCE)
    out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(argv, done.returncode, out, err)


def last_line(text: str) -> str:
    """The line that says how it ended."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
