"""The real docker client on operator, and what it prints."""

from __future__ import annotations

from cargo_sandbox.faults.catalog import Client
from cargo_sandbox.machines import processes
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import OPERATOR

# A silent name server costs a docker command up to 50 s, a push with a wrong realm as much.
PATIENCE = 90.0


def run_client(state: StateFolder, client: Client) -> str:
    """Run the call; both streams as text, without the client's warnings about where it keeps passwords.

    Raises:
        ProcessLookupError: operator does not run.
        subprocess.TimeoutExpired: the client does not end.
    """
    password = (state.inventory / "passwords" / client.account).read_bytes() if client.account else None
    done = processes.run_on(state, OPERATOR.name, client.command, stdin=password, timeout=PATIENCE)
    return (done.stdout + done.stderr).decode(errors="replace").strip()


def last_line(text: str) -> str:
    """The line that says how it ended."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
