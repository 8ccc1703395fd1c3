"""`records serve` as the command starts it, on an archive of the tests' own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


@contextmanager
def served(reports: Path) -> Iterator[str]:
    """The address that the command prints, token included."""
    code = "from cargo_runbook.cli.main import main; main()"
    words = ["records", "serve", "--no-browser", "--reports", str(reports), "--port", str(_free())]
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": "en"}
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, env=variables)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def _free() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def place_of(url: str) -> tuple[str, int, str]:
    """Host, port and token of the address."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0), parts.query.removeprefix("token=")
