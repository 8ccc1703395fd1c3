"""What a forked kernel says and prints, over its socket: messages, standard streams, and the thread that attends to both."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
import uuid
from typing import Any

from ipykernel.iostream import IOPubThread, OutStream
from jupyter_client.session import Session

from cargo_runbook.execution.warm.wire import IOPUB, SHELL, pack

_CHUNK = 1 << 16
# Each wakes the runner up, which takes a core from a kernel: what is followed by another message goes with that one.
_FOLLOWED = ("execute_input", "execute_result", "execute_reply")


class Port:
    """Stands for one channel where ipykernel wants a socket."""

    def __init__(self, channel: bytes) -> None:
        self.channel = channel


class WireSession(Session):
    """Makes messages as ever; sends them as frames over the socket that `open` names, from any thread."""

    def open(self, wire: socket.socket) -> None:
        """From here on messages are sent there, by this process, under an id of its own."""
        self._wire = wire
        self._sending = threading.Lock()
        self._waiting: list[bytes] = []
        self.pid = os.getpid()
        self.session = uuid.uuid4().hex

    def send(
        self,
        stream: Any,
        msg_or_type: dict[str, Any] | str,
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """As its parent's; what a process says that the kernel forked itself goes nowhere."""
        if isinstance(msg_or_type, dict):
            message = msg_or_type
            buffers = buffers or message.get("buffers", [])
        else:
            message = self.msg(msg_or_type, content=content, parent=parent, header=header, metadata=metadata)
        wire = getattr(self, "_wire", None)
        if wire is None or os.getpid() != self.pid:
            return message
        parts = {name: message[name] for name in ("header", "parent_header", "metadata", "content")}
        channel = SHELL if isinstance(stream, Port) and stream.channel == SHELL else IOPUB
        frame = pack(channel, self.pack(parts), buffers or ())
        with self._sending:
            self._waiting.append(frame)
            if not _can_wait(message):
                self._send_all(wire)
        return message

    def _send_all(self, wire: socket.socket) -> None:
        frames, self._waiting = b"".join(self._waiting), []
        try:
            wire.sendall(frames)
        except OSError:
            # Nobody is there any more: the run was given up.
            os.killpg(0, signal.SIGKILL)


def _can_wait(message: dict[str, Any]) -> bool:
    """Whether another message follows at once, or nobody waits for this one."""
    kind = message["header"]["msg_type"]
    return kind in _FOLLOWED or (kind == "status" and message["content"].get("execution_state") == "busy")


class Publisher(IOPubThread):
    """In the place of ipykernel's thread: what is scheduled is done at once, what shall be done later by `Attendant`."""

    def __init__(self) -> None:
        self.socket = Port(IOPUB)
        self.thread = None  # type: ignore[assignment]
        self.io_loop = self  # type: ignore[assignment]
        self.flushing = threading.RLock()
        self.attendant: Attendant | None = None

    @property
    def closed(self) -> bool:
        return False

    def schedule(self, f: Any) -> None:
        f()

    def call_later(self, _delay: float, flush: Any) -> None:
        """OutStream's timer: what was printed shall be seen while a cell goes on."""
        if self.attendant is not None:
            self.attendant.flush_soon(flush)


class WireStream(OutStream):
    """Standard output or error; flushed as one, so that nothing overtakes what was printed before it."""

    pipe: int | None = None

    def capture(self, number: int) -> int:
        """Puts a pipe in the place of file descriptor `number`; gives the end to read from."""
        self._original_stdstream_copy = os.dup(number)
        self.pipe, write = os.pipe()
        os.set_blocking(self.pipe, False)
        os.dup2(write, number)
        os.close(write)
        return self.pipe

    def _flush(self) -> None:
        # ipykernel gives a process that the kernel forked no pid of its own here; it has no one to speak to.
        if not self._is_master_process():
            return
        with self.pub_thread.flushing:
            self.take()
            super()._flush()

    def take(self) -> None:
        """Takes what programs wrote to the file descriptor."""
        while self.pipe is not None:
            try:
                data = os.read(self.pipe, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                return
            with self._buffer_lock:
                self._buffers[frozenset(self.parent_header.items())].write(data.decode(errors="replace"))


class Attendant(threading.Thread):
    """The one thread beside the notebook: shows output while a cell runs, and ends the kernel when nobody listens."""

    def __init__(self, wire: socket.socket, streams: dict[int, WireStream]) -> None:
        super().__init__(name="attendant", daemon=True)
        self._wire = wire
        self._streams = streams
        self._due: set[Any] = set()
        self._wake, self._waker = os.pipe()

    def flush_soon(self, flush: Any) -> None:
        if not self._due:
            self._due.add(flush)
            os.write(self._waker, b".")
        else:
            self._due.add(flush)

    def run(self) -> None:
        poll = select.poll()
        for number in (*self._streams, self._wake):
            poll.register(number, select.POLLIN)
        poll.register(self._wire, 0)  # its hanging up alone
        while True:
            ready = dict(poll.poll())
            if ready.get(self._wire.fileno(), 0) & (select.POLLHUP | select.POLLERR):
                os.killpg(0, signal.SIGKILL)
            time.sleep(OutStream.flush_interval)
            if self._wake in ready:
                os.read(self._wake, _CHUNK)
            due, self._due = self._due, set()
            for stream in self._streams.values():
                stream._flush()
            for flush in due:
                flush()
