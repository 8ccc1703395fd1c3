"""Running what the engineer types on operator, as if it ran here: terminal, pipes, signals and exit code pass through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxUnavailable
from cargo_sandbox.machines import processes
from cargo_sandbox.paths import StateFolder, project_root
from cargo_sandbox.topology import MACHINE_PATH, OPERATOR

PASSED_ON = ("TERM", "LANG", "CI", "NO_COLOR", "COLUMNS", "CARGO_RUNBOOK_LANG", "CARGO_RUNBOOK_REPLAY")
FORWARDED = (signal.SIGTERM, signal.SIGHUP)


def environment_for_operator(state: StateFolder, caller: Mapping[str, str]) -> dict[str, str]:
    """What a command on operator finds in its environment beside the machine's own.

    Args:
        caller: the caller's environment; only PASSED_ON and LC_* are taken from it.
    """
    passed = {k: v for k, v in caller.items() if k in PASSED_ON or k.startswith("LC_")}
    venv = Path(sys.prefix)
    return passed | {
        "PATH": f"{venv / 'bin'}:{MACHINE_PATH}",
        "VIRTUAL_ENV": str(venv),
        "CARGO_RUNBOOK_INVENTORY": str(state.inventory),
        "CARGO_SANDBOX": state.name,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def machine_of(state: StateFolder, name: str) -> int:
    """Pid 1 of a machine, as seen from outside.

    Raises:
        SandboxUnavailable: the sandbox, or this machine, isn't running.
    """
    pid = processes.machine_pid(state, name)
    if pid is None or not processes.is_up(state):
        named = "" if state.name == "default" else f" --name {state.name}"
        raise SandboxUnavailable(
            tell(f"the sandbox {state.name!r} isn't up", f"沙箱 {state.name!r} 没有运行"),
            next_step=tell(f"Start it with: cargo-runbook sandbox up{named}", f"启动：cargo-runbook sandbox up{named}"),
        )
    if os.geteuid() != 0:
        raise SandboxUnavailable(
            tell("the sandbox belongs to root", "沙箱属于 root"),
            next_step=tell("Type it again as root.", "请以 root 重新执行。"),
        )
    return pid


def command_line(state: StateFolder, argv: Sequence[str]) -> list[str]:
    """The argument vector that runs `argv` on operator, with the project's environment and in the project's folder.

    Raises:
        SandboxUnavailable: the sandbox isn't running.
    """
    pid = machine_of(state, OPERATOR.name)
    extra = environment_for_operator(state, os.environ)
    return processes.command_on(pid, OPERATOR.name, argv, extra=extra, folder=str(project_root()))


def run(state: StateFolder, argv: Sequence[str]) -> int:
    """Run a command on operator as the engineer would, and wait for it; its exit code is returned."""
    command = command_line(state, argv)
    return _wait(lambda: subprocess.Popen(command))


def shell(state: StateFolder, name: str) -> int:
    """An interactive shell on a machine; its exit code is returned."""
    pid = machine_of(state, name)
    operator = name == OPERATOR.name
    extra = environment_for_operator(state, os.environ) if operator else {"TERM": os.environ.get("TERM", "dumb")}
    folder = str(project_root()) if operator else "/"
    command = processes.command_on(pid, name, ["bash", "-i"], extra=extra, folder=folder)
    return _wait(lambda: subprocess.Popen(command))


def _wait(start: Callable[[], subprocess.Popen[bytes]]) -> int:
    """Wait for a command in the foreground.

    Ctrl-C goes to the command alone, which shares our terminal: it decides what to do. SIGTERM and SIGHUP are
    handed on. A death by signal N is exit code 128 + N, as in shells.
    """
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    process = start()

    def hand_on(number: int, frame: FrameType | None) -> None:
        for child in _children(process.pid):
            os.kill(child, number)

    kept |= {number: signal.signal(number, hand_on) for number in FORWARDED}
    try:
        code = process.wait()
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
