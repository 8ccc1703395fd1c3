"""dockerd of this very computer, asked over its socket."""

from __future__ import annotations

import json
import os
import socket
from functools import partial
from pathlib import Path

from cargo_runbook.connections.base import Deadline
from cargo_runbook.connections.docker.daemon import SOCKET, Daemon, Late, Unexpected
from cargo_runbook.connections.docker.questions import api_question


def ask_here(argv: tuple[str, ...], deadline: Deadline) -> tuple[str, list[str]] | None:
    """What docker's client would print, and the requests that were sent.

    None where the client itself must be asked: another question, a client that talks to another daemon, no answer.
    """
    told = api_question(argv)
    if told is None or _talks_elsewhere():
        return None
    daemon = Daemon(partial(_open, deadline), deadline)
    try:
        return told(daemon), daemon.requests
    except (Unexpected, Late, OSError):
        return None


def _talks_elsewhere() -> bool:
    """Whether docker's client is told to use another daemon than the one at the usual socket, as far as can be seen."""
    if os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT"):
        return True
    folder = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    try:
        settings = json.loads(Path(folder, "config.json").read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return not isinstance(settings, dict) or settings.get("currentContext", "default") not in ("default", "")


def _open(deadline: Deadline) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(max(deadline.left(), 0.001))
        deadline.ends(connection)
        connection.connect(SOCKET)
    except OSError:
        connection.close()
        raise
    return connection
