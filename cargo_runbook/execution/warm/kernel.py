"""A forked kernel as nbclient sees it: what it calls a manager (`WarmKernel`) and a client (`WarmClient`)."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.session import Session
from nbclient.exceptions import DeadKernelError

from cargo_runbook.execution.warm.process import ForkedProcess
from cargo_runbook.execution.warm.wire import CONTROL, IOPUB, SHELL, Frame, Unpacker, pack, pack_body

_CHUNK = 1 << 18


class WarmKernel:
    """Starts one kernel of those that are ready, and ends it.

    Args:
        take: gives a forked process; may wait for one.
    """

    def __init__(self, take: Callable[[], ForkedProcess]) -> None:
        self._take = take
        self.process: ForkedProcess | None = None

    @property
    def has_kernel(self) -> bool:
        return self.process is not None

    def start_kernel(self, *, env: Mapping[str, str] | None = None, cwd: str | None = None, **_: Any) -> None:
        """Gives a waiting kernel its environment variables and its folder.

        Raises:
            RuntimeError: it went away meanwhile.
        """
        self.process = self._take()
        start = {"env": dict(os.environ if env is None else env), "cwd": str(cwd or Path.cwd())}
        try:
            self.process.wire.sendall(pack_body(CONTROL, start))
        except OSError as error:
            raise RuntimeError(f"the kernel went away before it started: {error.strerror}") from None

    def client(self) -> WarmClient:
        assert self.process is not None
        return WarmClient(self.process)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def interrupt_kernel(self) -> None:
        if self.process is not None:
            self.process.interrupt()

    def shutdown_kernel(self, now: bool = False) -> None:
        if self.process is not None:
            if now:
                self.process.kill()
            self.process.end()

    def cleanup_resources(self) -> None:
        # The client still reads what came in; it closes what it has read from.
        return

    def kill(self) -> None:
        """Ends the kernel from any thread."""
        if self.process is not None:
            self.process.kill()


class _Channel:
    def __init__(self, client: WarmClient, name: bytes) -> None:
        self._client = client
        self._name = name
        self.waiting: deque[dict[str, Any]] = deque()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message. That there will be none any more is noticed by nbclient itself, which asks every second
        whether the kernel lives; told here, it would leave the task that asks behind.

        Raises:
            queue.Empty: there was none within `timeout` seconds.
        """
        if not self.waiting:
            await self._client.wait_for(lambda: bool(self.waiting), timeout, whatever_comes=True)
        return self.waiting.popleft()

    def send(self, message: dict[str, Any]) -> None:
        self._client.send(self._name, message)


class WarmClient:
    """The client side of one kernel. Used by one thread, in whichever event loop that thread runs."""

    def __init__(self, process: ForkedProcess) -> None:
        self._process = process
        self._unpacker = Unpacker()
        self._control: deque[Frame] = deque()
        self._wanted: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self.allow_stdin = False
        # Makes and packs messages; nothing is signed, for nobody else can write into the socket.
        self.session = Session()
        self.shell_channel = _Channel(self, SHELL)
        self.iopub_channel = _Channel(self, IOPUB)

    def start_channels(self) -> None:
        return

    def stop_channels(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._process.wire)
        self._loop = None
        self._process.close()

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Until the kernel has taken its environment.

        Raises:
            RuntimeError: it died, or was silent for so long.
        """
        try:
            await self.wait_for(lambda: bool(self._control), timeout)
        except (Empty, DeadKernelError):
            raise RuntimeError("Kernel died before it was ready") from None

    def is_alive(self) -> bool:
        return self._process.alive()

    def execute(self, code: str, *, store_history: bool = True, stop_on_error: bool = True, **_: Any) -> str:
        """Asks for the execution of a cell; gives the id of the request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return self._request("execute_request", content)

    def kernel_info(self) -> str:
        return self._request("kernel_info_request", {})

    def _request(self, kind: str, content: dict[str, Any]) -> str:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "username": "",
            "session": self.session.session,
            "date": datetime.now(UTC).isoformat(),
            "version": "5.3",
        }
        self.send(SHELL, {"header": header, "parent_header": {}, "metadata": {}, "content": content})
        return header["msg_id"]

    def send(self, channel: bytes, message: dict[str, Any]) -> None:
        """Sends a Jupyter message.

        Raises:
            DeadKernelError: there is no kernel to send it to.
        """
        parts = {name: message[name] for name in ("header", "parent_header", "metadata", "content")}
        try:
            self._process.wire.sendall(pack(channel, self.session.pack(parts), message.get("buffers") or ()))
        except OSError:
            raise DeadKernelError("Kernel died") from None

    def exchange(self, request: str, take: Callable[[dict[str, Any]], bool], patience: Callable[[], float]) -> Any:
        """Waits for the answer to a request in the thread that asks, without an event loop.

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
        self._readable()
        return True

    async def wait_for(
        self, arrived: Callable[[], bool], timeout: float | None, *, whatever_comes: bool = False
    ) -> None:
        """Reads until `arrived`; with `whatever_comes` also when nothing can arrive any more, until it is cancelled.

        Raises:
            queue.Empty: it did not within `timeout` seconds.
            DeadKernelError: it never will.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.add_reader(self._process.wire, self._readable)
        end = None if timeout is None else loop.time() + timeout
        while not arrived():
            if self._ended and not whatever_comes:
                raise DeadKernelError("Kernel died")
            future: asyncio.Future[None] = loop.create_future()
            self._wanted.add(future)
            timer = None if end is None else loop.call_at(end, _give_up, future)
            try:
                await future
            except TimeoutError:
                raise Empty from None
            finally:
                self._wanted.discard(future)
                if timer is not None:
                    timer.cancel()

    def _readable(self) -> None:
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
            if self._loop is not None:
                self._loop.remove_reader(self._process.wire)
        for future in tuple(self._wanted):
            if not future.done():
                future.set_result(None)

    def _sort(self, frame: Frame) -> None:
        if frame.channel == CONTROL:
            self._control.append(frame)
            return
        message = frame.body
        header = message["header"]
        header["date"] = datetime.fromisoformat(header["date"])
        message["msg_type"], message["msg_id"] = header["msg_type"], header["msg_id"]
        message["buffers"] = [memoryview(buffer) for buffer in frame.buffers]
        channel = self.shell_channel if frame.channel == SHELL else self.iopub_channel
        channel.waiting.append(message)


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
