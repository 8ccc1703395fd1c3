"""A command on a terminal, with somebody who types."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

_ROWS, _COLUMNS = 40, 160


class Terminal:
    """Starts the command.

    Args:
        argv: the command.
        variables: in addition to those of the tests.
        folder: where it starts.
    """

    def __init__(self, *argv: str, variables: dict[str, str] | None = None, folder: Path | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **(variables or {})}, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def until(self, text: str, seconds: float = 90.0) -> str:
        """All that is shown from here to `text`."""
        deadline, begin = time.monotonic() + seconds, len(self.shown)
        while text not in self.shown[begin:]:
            readable, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"{text!r} is not shown: {self.shown}"
            self.shown += os.read(self._ours, 4096).decode(errors="replace")
        return self.shown[begin:]

    def type(self, keys: str) -> None:
        """Types; what is no line needs no newline."""
        os.write(self._ours, keys.encode())

    def ended(self) -> int:
        """Its exit code, when it ends by itself."""
        try:
            return self._process.wait(timeout=60)
        finally:
            self.close()

    def close(self) -> None:
        """Hangs up."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
