"""A whole IPython kernel without sockets and threads, so that it can be built before a fork and used after it.

ipykernel's own application, kernel and output streams do the work; what is different is where messages go
(`WireSession`), that nothing runs in threads until the process was forked, and that output which programs write past
Python is read when it is flushed.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from tornado.ioloop import IOLoop

from cargo_runbook.execution.guard import guard_kernel
from cargo_runbook.execution.warm.output import Attendant, Port, Publisher, WireSession, WireStream
from cargo_runbook.execution.warm.shortcuts import take_kernel_shortcuts, take_shortcuts
from cargo_runbook.execution.warm.wire import CONTROL, SHELL, Frame, Unpacker, pack_body

_CHUNK = 1 << 16


class ForkedKernel(IPythonKernel):
    """ipykernel's kernel; requests come one at a time over the wire, so there is nothing to abort."""

    _execute_sleep = 0.0
    shell_channel_thread: Any = None

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        return

    @property
    def _supports_kernel_subshells(self) -> bool:
        return False

    async def handle(self, request: dict[str, Any]) -> None:
        """One request of the shell channel: busy, the handler, its reply, idle."""
        kind = request["header"]["msg_type"]
        request["msg_type"] = kind
        self.set_parent([], request, channel="shell")
        self._publish_status("busy", "shell")
        handler = self.shell_handlers.get(kind)
        if handler is not None:
            self.pre_handler_hook()
            try:
                result = handler(Port(SHELL), [], request)
                if hasattr(result, "__await__"):
                    await result
            except KeyboardInterrupt:
                self.log.warning("interrupted between two cells")
            except Exception:
                self.log.exception("a request of type %s could not be answered", kind)
            finally:
                self.post_handler_hook()
        sys.stdout.flush()
        sys.stderr.flush()
        self._publish_status("idle", "shell")


class _MainThread:
    """What ipykernel asks of its channel thread while a cell awaits something."""

    parent_thread = threading.main_thread()


class ForkedApp(IPKernelApp):
    """ipykernel's application as far as it can be made before the fork; `serve` does the rest after it."""

    def init_connection_file(self) -> None:
        return

    def init_poller(self) -> None:
        return

    def init_sockets(self) -> None:
        self.session = WireSession(parent=self)
        self.iopub_thread = Publisher()
        self.iopub_socket = self.iopub_thread.socket

    def init_heartbeat(self) -> None:
        return

    def write_connection_file(self, **_: Any) -> None:
        return

    def log_connection_info(self) -> None:
        return

    def init_io(self) -> None:
        self.streams = {
            number: WireStream(self.session, self.iopub_thread, name, watchfd=False)
            for number, name in ((1, "stdout"), (2, "stderr"))
        }
        sys.stdout, sys.stderr = self.streams.values()
        self.displayhook = sys.displayhook
        self.patch_io()

    def init_kernel(self) -> None:
        kernel = ForkedKernel.instance(
            parent=self,
            session=self.session,
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        kernel.shell_channel_thread = _MainThread()
        assert kernel.shell is not None
        take_shortcuts(kernel.shell)
        take_kernel_shortcuts()
        self.kernel = kernel

    # What a person has in startup files belongs into each kernel, not into the process that they come from.
    def init_gui_pylab(self) -> None:
        if self._forked:
            super().init_gui_pylab()

    def init_code(self) -> None:
        # As its parent's, but that all modules are named before the fork: they are too many to be touched in each kernel.
        shell: Any = self.shell
        if not self._forked:
            shell._sys_modules_keys = set(sys.modules)
            return
        self._run_startup_files()
        self._run_exec_lines()
        self._run_exec_files()
        if self.hide_initial_ns:
            shell.user_ns_hidden.update(shell.user_ns)

    _forked = False

    def rehearse(self, cells: Iterable[str], **given: Any) -> None:
        """Before the fork: runs cells as a kernel does, so that all ways were gone before. `forget` belongs to it.

        Args:
            given: names that the cells find.
        """
        shell, kernel = self.shell, self.kernel
        assert shell is not None
        kept = _kept_names(shell)
        shell.user_ns.update(given)

        async def run() -> None:
            self.io_loop = IOLoop.current()
            for number, code in enumerate(cells):
                header = {"msg_id": str(number), "msg_type": "execute_request"}
                content = {"code": code, "silent": False, "store_history": False}
                await kernel.handle({"header": header, "parent_header": {}, "metadata": {}, "content": content})

        asyncio.run(run())
        _put_back(kept)

    def forget(self) -> None:
        """Forgets what rehearsed cells showed; IPython looks for garbage on the way."""
        assert self.shell is not None
        kept = _kept_names(self.shell)
        self.shell.displayhook.flush()
        _put_back(kept)

    def serve(self, wire: socket.socket) -> None:
        """The life of a kernel, in a process that was just forked: waits for `start`, runs what comes, ends.

        Never returns.
        """
        self.session.open(wire)
        for stream in self.streams.values():
            stream._master_pid = os.getpid()
        captured = {stream.capture(number): stream for number, stream in self.streams.items()}
        unpacker = Unpacker(self.session.unpack)
        start = _first(wire, unpacker)
        os.environ.clear()
        os.environ.update(start["env"])
        os.chdir(start["cwd"])
        time.tzset()
        self.kernel.ident = str(uuid.uuid4())
        self.iopub_thread.attendant = attendant = Attendant(wire, captured)
        attendant.start()
        shell = self.shell
        assert shell is not None
        shell.init_environment()
        # After the environment is there, which has the key of this run's tokens.
        guard_kernel(self.kernel)
        self._forked = True
        self.init_gui_pylab()
        self.init_code()
        sys.stdout.flush()
        sys.stderr.flush()
        wire.sendall(pack_body(CONTROL, {"language_info": self.kernel.language_info}))
        with suppress(KeyboardInterrupt, SystemExit):
            asyncio.run(self._requests(wire, unpacker))
        atexit._run_exitfuncs()
        # All at once, with whatever the notebook left running: taking an interpreter apart takes longer than a cell.
        os.killpg(0, signal.SIGKILL)

    async def _requests(self, wire: socket.socket, unpacker: Unpacker) -> None:
        loop = asyncio.get_running_loop()
        self.kernel.io_loop = self.io_loop = IOLoop.current()
        frames: asyncio.Queue[Frame | None] = asyncio.Queue()

        def readable() -> None:
            try:
                data = wire.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            for frame in unpacker.feed(data):
                frames.put_nowait(frame)
            if not data:
                loop.remove_reader(wire)
                frames.put_nowait(None)

        loop.add_reader(wire, readable)
        # In one coroutine, so that context variables which a cell sets are still there in the next.
        while (frame := await frames.get()) is not None:
            frame.body["buffers"] = list(frame.buffers)
            await self.kernel.handle(frame.body)


def _kept_names(shell: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(names, dict(names)) for names in (shell.user_ns, shell.user_ns_hidden)]


def _put_back(kept: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for names, before in kept:
        names.clear()
        names.update(before)


def _first(wire: socket.socket, unpacker: Unpacker) -> dict[str, Any]:
    while data := wire.recv(_CHUNK):
        for frame in unpacker.feed(data):
            return frame.body
    # Nobody wants this kernel any more.
    os._exit(0)
