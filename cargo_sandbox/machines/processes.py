"""Finding the sandbox's own processes from outside, and running commands on its machines.

A process is recognised by its exact argument vector, which holds the state folder; no pid file can go stale, and
no other sandbox (or other program) can be taken for this one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import MACHINE_PATH, machine

# Part of the argument vectors by which processes are found: it must stay the same from version to version, or a newer
# version could not take down what an older one has started.
TAG = "cargo-sandbox"


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def argv_of(pid: int) -> list[str]:
    """The argument vector of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return []


def with_tail(*tail: str) -> list[int]:
    """Processes whose argument vector ends in `tail`."""
    return [pid for pid in _pids() if argv_of(pid)[-len(tail) :] == list(tail)]


def outer_pids(state: StateFolder) -> list[int]:
    """`unshare` and its child, pid 1 of the sandbox, as seen from outside."""
    return with_tail(TAG, str(state.path))


def machine_pid(state: StateFolder, name: str) -> int | None:
    """Pid 1 of a machine as seen from outside; None when it does not run."""
    for pid in with_tail(TAG, str(state.path), name):
        if not argv_of(pid)[0].endswith("unshare"):
            return pid
    return None


def is_up(state: StateFolder) -> bool:
    """Whether `up` ended well and the sandbox still runs."""
    try:
        ready = state.ready.exists()
    except PermissionError:
        # Only root may look into the folder; that it runs can be seen by everybody.
        ready = True
    return ready and len(outer_pids(state)) == 2


def machine_root(pid: int) -> Path:
    """The file system of a machine, as seen from outside."""
    return Path(f"/proc/{pid}/root")


def environment_on(name: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The clean environment of a command on a machine: nothing of the caller's comes along by itself."""
    home = machine(name).home
    base = {"PATH": MACHINE_PATH, "HOME": home, "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash"}
    return base | {"LANG": "C.UTF-8"} | dict(extra or {})


def command_on(
    pid: int, name: str, argv: Sequence[str], *, extra: Mapping[str, str] | None = None, folder: str = "/"
) -> list[str]:
    """The argument vector that runs `argv` inside the machine whose pid 1 is `pid`.

    The command gets SIGTERM when the process outside ends (setpriv), and default handling of SIGINT even where its
    parent ignores it.
    """
    values = [f"{key}={value}" for key, value in environment_on(name, extra).items()]
    return [
        *("setpriv", "--pdeathsig", "KILL"),
        *("nsenter", "-t", str(pid), "-m", "-n", "-p", "-u", "-i", "-r", "-w"),
        *("setpriv", "--pdeathsig", "TERM"),
        *("env", "-i", "-C", folder, "--default-signal=INT,QUIT,PIPE", *values),
        *argv,
    ]


def run_on(
    state: StateFolder,
    name: str,
    argv: Sequence[str],
    *,
    stdin: bytes | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command on a machine and wait for it; output is captured, an exit code other than 0 is no error.

    Raises:
        ProcessLookupError: the machine does not run.
        subprocess.TimeoutExpired: after `timeout` seconds.
    """
    pid = machine_pid(state, name)
    if pid is None:
        raise ProcessLookupError(f"machine {name} does not run")
    return subprocess.run(
        command_on(pid, name, argv),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def kill_all(pids: Sequence[int], *, timeout: float = 20) -> None:
    """Kill processes and wait until they are gone (a killed namespace takes its time).

    Raises:
        TimeoutError: one is still there after `timeout` seconds.
    """
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    end = time.monotonic() + timeout
    while alive := [pid for pid in pids if _alive(pid)]:
        if time.monotonic() > end:
            raise TimeoutError(f"processes {alive} do not end")
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    # A zombie has let go of everything; its parent may be the caller, who reaps it later.
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
