"""Pid 1 of a sandbox: the namespaces around all machines, and the wire between them.

Run as `python -m cargo_sandbox.machines.namespaces TAG STATE` by `unshare`. There is no uplink and no default route in here:
a packet can reach the other machines and nothing else. Standard input is held by `up`: when it ends before `up` has
written `keep`, this process exits, and with it everything inside.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

from cargo_sandbox.machines.processes import TAG
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import MACHINES

BRIDGE = "lab0"
KEEP = b"keep\n"


def link_of(machine: str) -> str:
    """Name of the bridge's end of a machine's wire."""
    return f"to-{machine}"


def _run(*argv: str, text: str | None = None) -> None:
    subprocess.run(argv, input=text, text=True, check=True)


def _start(state: StateFolder, name: str) -> subprocess.Popen[bytes]:
    with (state.log / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"),
                *(sys.executable, "-m", "cargo_sandbox.machines.boot", TAG, str(state.path), name),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the process was started without this pipe")
    return stream


def _wire(started: dict[str, subprocess.Popen[bytes]]) -> None:
    """Give each machine its eth0, once its network namespace is there, and tell it so."""
    commands: list[str] = []
    for name, process in started.items():
        if _pipe(process.stdout).readline() != b"here\n":
            raise RuntimeError(f"machine {name} did not start")
        commands.append(f"link add {link_of(name)} type veth peer name eth0 netns {process.pid}")
        commands.append(f"link set {link_of(name)} master {BRIDGE} up")
    _run("ip", "-batch", "-", text="\n".join(commands) + "\n")
    for process in started.values():
        wire = _pipe(process.stdin)
        wire.write(b"wired\n")
        wire.close()
        _pipe(process.stdout).close()


def main(state_path: str) -> None:
    state = StateFolder(Path(state_path).name, Path(state_path).parent)
    socket.sethostname(f"sandbox-{state.name}")
    _run("mount", "-t", "tmpfs", "-o", "mode=700", "sandbox", str(state.mounts))
    _run("ip", "-batch", "-", text=f"link set lo up\nlink add {BRIDGE} type bridge\nlink set {BRIDGE} up\n")
    _wire({machine.name: _start(state, machine.name) for machine in MACHINES})
    if not _kept():
        return
    while True:
        reap()


def _kept() -> bool:
    """Wait for `keep` from `up`, reaping meanwhile; False when `up` ended without it."""
    received = b""
    while KEEP not in received:
        readable, _, _ = select.select([0], [], [], 0.5)
        reap(wait=False)
        if readable:
            chunk = os.read(0, 64)
            if not chunk:
                return False
            received += chunk
    return True


def reap(*, wait: bool = True) -> None:
    """Collect ended children, which pid 1 inherits from everybody; with `wait`, until one has ended."""
    try:
        while True:
            pid, _ = os.waitpid(-1, 0 if wait else os.WNOHANG)
            if pid == 0 or wait:
                return
    except ChildProcessError:
        if wait:
            # Nothing is left to wait for; stay, since the namespaces live as long as this process.
            select.select([], [], [], 60)


if __name__ == "__main__":
    main(sys.argv[2])
