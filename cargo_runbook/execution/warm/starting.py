"""Starts the process that kernels are forked from; ahead of its use where that is known early.

It imports for longer than the command line needs to be read, so `begin` is called before that. Imports next to nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import NamedTuple

_begun: list[Starting] = []


class Starting(NamedTuple):
    """A forge that is being started, and our end of its socket. It ends when that is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket


def begin() -> None:
    """Starts one that `start` will give out. If nobody asks, it ends with this process."""
    _begun.append(_start())


def start() -> Starting:
    """The one that was begun, or a new one."""
    return _begun.pop() if _begun else _start()


def _start() -> Starting:
    control, theirs = socket.socketpair()
    # One thread a kernel: what runs side by side are the kernels.
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **os.environ}
    # pyarrow, which pandas imports where it is installed, brings an allocator that would start a thread.
    environment.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    process = subprocess.Popen(
        # -P: a folder of this name where somebody stands is not this package.
        [sys.executable, "-P", "-m", "cargo_runbook.execution.warm.forge", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=2,
        env=environment,
        start_new_session=True,
    )
    theirs.close()
    return Starting(process, control)
