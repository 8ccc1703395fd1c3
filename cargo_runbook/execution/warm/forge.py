"""The process that kernels are forked from. It imports once what notebooks import, builds the shell, and forks on request.

Started as `python -m cargo_runbook.execution.warm.forge NUMBER`, where NUMBER is the file descriptor of its socket. The
first line that comes is an `Order` as JSON. It may say `{"impossible": reason}` and end; else each byte `f` that comes is
answered by `{"pid": N}` with two file descriptors: the kernel's socket and its pidfd. It ends when the socket closes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import re
import select
import signal
import socket
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cargo_runbook.light_start import left_out, load_when_used

if TYPE_CHECKING:
    from cargo_runbook.execution.warm.shell import ForkedApp

FORK = b"f"
# Names, not imports: nothing of them is used here.
LIBRARIES = (
    "ipywidgets",
    "paramiko",
    "httpx",
    "dns.resolver",
    "dns.reversename",
    "dns.rdtypes.IN.A",
    "dns.rdtypes.ANY.CNAME",
    "dns.rdtypes.ANY.SOA",
    "concurrent.futures.thread",
)
# And those of notebooks that use this package; for others they would be 50 ms of the time until the first begins.
MORE_LIBRARIES = ("jwt", "cryptography.x509", "yaml", "rich.console")
# A third of all that would be imported; this package makes a frame where a notebook asks for one.
FRAMES = ("numpy", "pandas", "pandas.io.formats.html")
# How this package shows them.
STYLE = ("pandas.io.formats.style",)
PACKAGES = ("connections", "probes", "facts", "rules", "steps", "remedies", "views", "archive.sealing", "inventory")
# The interpreter makes code faster that ran this often (PEP 659), and kernels have it so from their first cell.
_OFTEN = 9
_REHEARSED = """\
dict(text=["a", "b"] * 4)
"""
_REHEARSED_FRAMES = """\
import pandas
frame = pandas.DataFrame({"text": ["a", "b"] * 4, "number": range(8), "share": [0.5] * 8, "known": [True] * 8})
counts = frame.pivot_table(index="text", columns="known", values="number", aggfunc="count").reset_index()
most = frame.groupby(["text", "known"], as_index=False).number.max()
frame.merge(most, on=["text", "known"], suffixes=("", "_most")).merge(counts, on="text").sort_values("share")
"""
# What a cell imports, and the rest of the line.
_IMPORTED = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)(.*)", re.MULTILINE)
_WITHOUT_FRAMES = sys.stdlib_module_names | {"cargo_runbook"}
_LOOKS = "open_environment("
_CHUNK = 1 << 16
_COLLECTED = (10_000, 20, 20)
_ARGUMENTS = ("--log-level=CRITICAL", "--HistoryManager.enabled=False")


@dataclass(frozen=True)
class Order:
    """What the kernels will run: notebooks that use this package or libraries alone, and cells that are known before."""

    ours: bool = True
    cells: tuple[str, ...] = ()

    def to_line(self) -> bytes:
        return json.dumps({"ours": self.ours, "cells": self.cells}).encode() + b"\n"

    @property
    def frames(self) -> bool:
        """Whether a cell may want pandas: false only where it imports this package and Python's own modules alone, and says
        nothing of frames. One that wants it all the same imports it for itself."""
        if not self.ours or not self.cells:
            return True
        code = "\n".join(self.cells)
        imported = _IMPORTED.findall(code)
        known = all(name in _WITHOUT_FRAMES and "," not in rest.partition("import")[0] for name, rest in imported)
        return not known or "frame" in code or "pandas" in code

    @property
    def looks(self) -> bool:
        """Whether the notebook takes a look at an environment."""
        return self.ours and any(_LOOKS in cell for cell in self.cells)

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        body = json.loads(line)
        return cls(body["ours"], tuple(body["cells"]))


def preload(names: Iterable[str]) -> None:
    """Imports what notebooks use. What does not import here is left to the notebook that wants it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def _modules() -> list[str]:
    names = ["cargo_runbook.execution.opening"]
    for package in PACKAGES:
        module = importlib.import_module(f"cargo_runbook.{package}")
        names += [found.name for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}.")]
    return names


def build(order: Order) -> ForkedApp:
    """The kernel as it stands before a fork, each of its ways gone once, so that no kernel has to go it first."""
    from cargo_runbook.execution.warm.prepared import prepare
    from cargo_runbook.execution.warm.shell import ForkedApp

    app = ForkedApp.instance()
    app.initialize(list(_ARGUMENTS))
    if order.frames:
        # Without it, or with one that is made in another way, nothing is shorter.
        with contextlib.suppress(ImportError, AttributeError):
            importlib.import_module("cargo_runbook.execution.warm.frames").take_frame_shortcuts(app.shell)
    if order.ours:
        importlib.import_module("cargo_runbook.views.notebook").compile_templates()
        importlib.import_module("cargo_runbook.rules.catalog").catalog()
        importlib.import_module("cargo_runbook.connections.network.tls").prepare()
    importlib.import_module("cargo_runbook.redaction.shapes").prepare()
    # What is imported is no garbage: only what is rehearsed is looked through when it is forgotten.
    gc.freeze()
    app.rehearse((_REHEARSED_FRAMES if order.frames else _REHEARSED,) * _OFTEN)
    if order.looks:
        importlib.import_module("cargo_runbook.execution.warm.rehearsal").rehearse_look(app)
    prepare(app.shell, order.cells)
    app.forget()
    gc.freeze()
    # What was made before the fork is never looked at again; a notebook is over before much of its own is worth it.
    gc.set_threshold(*_COLLECTED)
    gc.enable()
    return app


def why_not() -> str:
    """Why kernels can't be forked from this process; empty when they can."""
    if not (sys.platform.startswith("linux") and hasattr(os, "pidfd_open")):
        return "kernels are forked on Linux only"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError as error:
        return f"this Linux has no pidfd: {error.strerror}"
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - a count is all that is wanted
    if threads != 1:
        return f"{threads - 1} threads were started by what is imported, and a fork would lose them"
    return ""


def main(number: int) -> None:
    """Serves forks until the socket closes."""
    control = socket.socket(fileno=number)
    # What is printed here is no data; and the file descriptors stay the same in every kernel.
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Modules are no garbage, and looking through them while they are made takes a tenth of the time.
    gc.disable()
    load_when_used("invoke")
    # ipykernel's debugger is a tenth of all that would be imported, and nobody debugs a kernel of a batch. httpx's command
    # line brings click and rich.
    with left_out("debugpy", "httpx._main"):
        preload(LIBRARIES)
        # Whoever started this may have learnt only now for what, or that it is for nothing.
        line = _line(control)
        if not line:
            return
        order = Order.from_line(line)
        if order.frames:
            preload(FRAMES)
        if order.ours:
            preload((*(STYLE if order.frames else ()), *MORE_LIBRARIES, *_modules()))
        app = build(order)
    # Whoever asked may be gone already: then nothing is left to do.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if reason := why_not():
            control.sendall(json.dumps({"impossible": reason}).encode() + b"\n")
            return
        while _wait(control) and control.recv(1) == FORK:
            _fork(control, app)
        _bury()


def _line(control: socket.socket) -> bytes:
    """The first line; what follows it stays in the socket. Empty when none comes."""
    line = b""
    while not line.endswith(b"\n"):
        ahead = control.recv(_CHUNK, socket.MSG_PEEK)
        if not ahead:
            return b""
        line += control.recv(ahead.find(b"\n") + 1 or len(ahead))
    return line


def _fork(control: socket.socket, app: ForkedApp) -> None:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _become_kernel(control, theirs, ours, app)
    theirs.close()
    process = os.pidfd_open(pid)
    socket.send_fds(control, [json.dumps({"pid": pid}).encode() + b"\n"], [ours.fileno(), process])
    os.close(process)
    ours.close()


def _become_kernel(control: socket.socket, wire: socket.socket, other: socket.socket, app: ForkedApp) -> None:
    code = 1
    try:
        os.setsid()
        control.close()
        other.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # Python gives `random` a new seed after a fork; numpy does not, and all kernels would draw the same numbers.
        if (numpy := sys.modules.get("numpy")) is not None:
            numpy.random.seed()
        app.serve(wire)
        code = 0
    finally:
        os._exit(code)


def _wait(control: socket.socket) -> bool:
    """Waits for a request; buries on the way the kernels that have ended."""
    while True:
        readable, _, _ = select.select([control], [], [], 0.5)
        _bury()
        if readable:
            return True


def _bury() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
    # All at once: taking so many modules apart takes longer than a run.
    os._exit(0)
