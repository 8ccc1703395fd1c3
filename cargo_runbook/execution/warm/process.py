"""A process that was forked to be a kernel, seen from the runner."""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import suppress
from pathlib import Path

END_DEADLINE = 2.0
"""Seconds that a kernel has for its exit functions."""


class ForkedProcess:
    """One forked kernel: its socket, its pidfd and its process group.

    Args:
        pid: also the number of its process group.
        wire: the socket to it.
        process: pidfd; closed by `close`.
    """

    def __init__(self, pid: int, wire: socket.socket, process: int) -> None:
        self.pid = pid
        self.wire = wire
        self._process = process
        self._stat = -1

    def alive(self, patience: float = 0.0) -> bool:
        """Whether it runs; waits so many seconds for its end."""
        if self._process < 0:
            return False
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        return not poll.poll(patience * 1000)

    def computing(self) -> bool:
        """Whether it has a core or waits for one, rather than for an answer or for its next cell."""
        try:
            if self._stat < 0:
                # Asked so often that opening it each time was a hundredth of a batch.
                self._stat = os.open(f"/proc/{self.pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._stat, 512, 0).rpartition(b") ")[2].startswith(b"R")
        except OSError:
            return False

    def stand_back(self, niceness: int) -> None:
        """Lets others compute first, a little.

        Args:
            niceness: so much more than the runner's own. Nobody but root can make it less than it is.

        Runs of one notebook that begin together go on together and end together, and then the runner has sixteen records to
        file while nothing computes. Where every second kernel stands back, they part.
        """
        with suppress(OSError):
            niceness += os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self.pid, niceness)
            # Where Linux shares out cores by session, of which a kernel is one, the session's counts.
            Path(f"/proc/{self.pid}/autogroup").write_text(str(niceness), encoding="ascii")

    @property
    def closed(self) -> bool:
        return self._process < 0

    def kill(self) -> None:
        """Ends it and the processes of its group at once; no harm when it is gone already."""
        if self.alive():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def end(self) -> None:
        """Lets it run its exit functions, and sees that it is gone."""
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_WR)
        if self.alive(END_DEADLINE):
            self.kill()
            self.alive(END_DEADLINE)

    def close(self) -> None:
        """Gives the file descriptors back; a kernel that still runs ends by it."""
        self.wire.close()
        for number in (self._process, self._stat):
            if number >= 0:
                os.close(number)
        self._process = self._stat = -1
