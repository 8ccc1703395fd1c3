"""What the tests of SSH ask, and what they look at afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from cargo_runbook.connections import LiveConnections
from cargo_runbook.observations import Command, Observation, Place, Vantage
from tests.connections.servers import Sshd

StartSshd = Callable[..., Sshd]


def ask(live: LiveConnections, *argv: str, host: str = "cargo1", deadline: float = 10.0) -> Observation:
    return live.ask(Command(vantage=Vantage(Place.CARGO_HOST, host), argv=argv, deadline=deadline))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def ssh_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if "Transport" in type(t).__name__]
