"""Waiting for something to be there, with an end."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(there: Callable[[], bool], seconds: float, *, step: float = 0.1) -> bool:
    """Ask until the answer is yes; False after `seconds`."""
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def docker_answers(path: Path, what: str = "/_ping") -> bool:
    """Whether a Docker daemon answers on the socket, and knows what it is asked for."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", what)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
