"""Waiting for what comes about in its own time, and ports for servers that are started soon."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable

_given: set[int] = set()


def until(true: Callable[[], object], seconds: float = 60, told: Callable[[], object] = str) -> None:
    """Looks again and again, until it is so; less often, the longer it takes.

    Args:
        told: called where it does not come about; what it says, such as a server's log, is part of the failure.

    Raises:
        AssertionError: it is not within so many seconds; the text says what was seen last.
    """
    end, pause = time.monotonic() + seconds, 0.02
    while not (seen := true()):
        assert time.monotonic() < end, f"waited for {seconds:.0f} s and saw {seen!r} at last. {told()}"
        time.sleep(pause)
        pause = min(0.3, pause * 1.2)


def free_port(address: str = "127.0.0.1") -> int:
    """A port on which nothing listens, for a server that listens soon.

    It is none of those that the kernel gives to connections (32768 and above on Linux): one of these would be somebody's
    own by then, now and then. It is given once: of the ports of some servers that are named before one of them listens,
    two would be the same in one of a hundred runs of all tests.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
