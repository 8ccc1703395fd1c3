"""A forked kernel as a runner sees it: `WarmKernel` starts and ends it, `WarmClient` asks it."""

from __future__ import annotations

import os
import select
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_client.session import Session
from nbclient.exceptions import DeadKernelError

from cargo_runbook.execution.warm.process import ForkedProcess
from cargo_runbook.execution.warm.wire import CONTROL, IOPUB, SHELL, Frame, Unpacker, pack, pack_body

_CHUNK = 1 << 18


class WarmKernel:
    """One kernel of those that are ready.

    Args:
        take: gives a forked process; may wait for one.
    """

    def __init__(self, take: Callable[[], ForkedProcess]) -> None:
        self._take = take
        self.process: ForkedProcess | None = None

    @contextmanager
    def client(self, env: Mapping[str, str] | None, patience: float) -> Iterator[WarmClient]:
        """Gives a waiting kernel its environment variables and this process's folder, and ends it at the end.

        Args:
            env: environment variables (default: those of this process).
            patience: seconds for it to be ready.

        Raises:
            RuntimeError: there is none, it went away meanwhile, or it was silent for so long.
        """
        self.process = process = self._take()
        try:
            client = WarmClient(process)
            client.start({"env": dict(os.environ if env is None else env), "cwd": str(Path.cwd())}, patience)
            yield client
        finally:
            if process.alive():
                process.end()
            process.close()

    def kill(self) -> None:
        """Ends the kernel from any thread."""
        if self.process is not None:
            self.process.kill()


class _Channel:
    def __init__(self, name: bytes, session: Session, wire: socket.socket) -> None:
        self._name, self._session, self._wire = name, session, wire
        self.waiting: deque[dict[str, Any]] = deque()

    def send(self, message: dict[str, Any]) -> None:
        """Sends a Jupyter message.

        Raises:
            DeadKernelError: there is no kernel to send it to.
        """
        parts = {name: message[name] for name in ("header", "parent_header", "metadata", "content")}
        try:
            self._wire.sendall(pack(self._name, self._session.pack(parts), message.get("buffers") or ()))
        except OSError:
            raise DeadKernelError("Kernel died") from None


class WarmClient:
    """The client side of one kernel, with what nbclient asks of one. Used by one thread, which waits without an event loop."""

    def __init__(self, process: ForkedProcess) -> None:
        self._process = process
        self._ended = False
        self.language_info: dict[str, Any] = {}
        """What a notebook says of its language; there once the kernel is ready."""
        # Makes and packs messages; nothing is signed, for nobody else can write into the socket.
        self.session = Session()
        self._unpacker = Unpacker(self.session.unpack)
        self.shell_channel = _Channel(SHELL, self.session, process.wire)
        self.iopub_channel = _Channel(IOPUB, self.session, process.wire)

    def start(self, start: Mapping[str, Any], patience: float) -> None:
        """Until the kernel has taken what it is given.

        Raises:
            RuntimeError: it died, or was silent for so long.
        """
        end = time.monotonic() + patience
        try:
            self._process.wire.sendall(pack_body(CONTROL, dict(start)))
        except OSError as error:
            raise RuntimeError(f"the kernel went away before it started: {error.strerror}") from None
        while not self.language_info:
            if self._ended or not self._readable_within(max(0.0, end - time.monotonic())):
                raise RuntimeError("Kernel died before it was ready")

    def execute(self, code: str, *, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Asks for the execution of a cell; gives the id of the request.

        Raises:
            DeadKernelError: there is no kernel to ask.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": self.session.session,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        self.shell_channel.send({"header": header, "parent_header": {}, "metadata": {}, "content": content})
        return header["msg_id"]

    def exchange(self, request: str, take: Callable[[dict[str, Any]], bool], patience: Callable[[], float]) -> Any:
        """Waits for the answer to a request.

        Args:
            request: id of the request.
            take: gets what is published about it, message by message; says whether it was the last.
            patience: seconds to wait for more, asked again after each wait; raises when it is over.

        Returns:
            The reply.

        Raises:
            DeadKernelError: there will be none.
        """
        reply, last = None, False
        while reply is None or not last:
            while self.iopub_channel.waiting and not last:
                message = self.iopub_channel.waiting.popleft()
                last = message["parent_header"].get("msg_id") == request and take(message)
            while self.shell_channel.waiting and reply is None:
                message = self.shell_channel.waiting.popleft()
                reply = message if message["parent_header"].get("msg_id") == request else None
            if reply is not None and last:
                break
            # Whatever a notebook left running may hold the socket open.
            if self._ended or not (self._readable_within(patience()) or self._process.alive()):
                raise DeadKernelError("Kernel died")
        return reply

    def _readable_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._process.wire, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        self._read()
        return True

    def _read(self) -> None:
        try:
            data = self._process.wire.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for frame in self._unpacker.feed(data):
            self._sort(frame)
        if not data:
            self._ended = True

    def _sort(self, frame: Frame) -> None:
        message = frame.body
        if frame.channel == CONTROL:
            self.language_info = message["language_info"]
            return
        header = message["header"]
        header["date"] = datetime.fromisoformat(header["date"])
        message["msg_type"], message["msg_id"] = header["msg_type"], header["msg_id"]
        message["buffers"] = [memoryview(buffer) for buffer in frame.buffers]
        channel = self.shell_channel if frame.channel == SHELL else self.iopub_channel
        channel.waiting.append(message)
