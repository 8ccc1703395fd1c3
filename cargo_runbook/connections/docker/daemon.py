"""dockerd's API, as far as looking needs it: reading, and running a command in a container. There is nothing else here.

Source: Docker Engine API, https://docs.docker.com/reference/api/engine/ (the same from 1.25 to 1.50 in what is used;
1.24, of Docker 1.12, passes over an exec's `Env`, so that what is late there can't be told apart to be ended).
Without a version in the path the daemon answers by its own.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Protocol
from urllib.parse import quote

from cargo_runbook.connections.base import READ_BOUND, Capture, Deadline

SOCKET = "/var/run/docker.sock"
"""Where dockerd listens, on every Linux that it is installed on by its packages."""

_TURN = 0.5
"""Seconds after which who waits for an answer sees that the question was stopped."""

_EXEC = re.compile("/exec/[0-9a-f]+")


class Wire(Protocol):
    """An open connection to the daemon's socket: a socket, or a channel of an SSH connection."""

    def sendall(self, data: bytes, /) -> object: ...
    def recv(self, size: int, /) -> bytes: ...
    def settimeout(self, seconds: float, /) -> object: ...
    def close(self) -> object: ...


class Unexpected(Exception):
    """The daemon can't be asked so, or said something that docker's client is to put into words."""


class Late(Exception):
    """The deadline came first. `started`: a command was on its way into the container."""

    def __init__(self, *, started: bool) -> None:
        super().__init__()
        self.started = started


class Daemon:
    """One dockerd, for one question.

    Args:
        connect: opens a connection to its socket.
        deadline: of the question.
    """

    def __init__(self, connect: Callable[[], Wire], deadline: Deadline) -> None:
        self._connect = connect
        self._deadline = deadline
        self.requests: list[str] = []
        """What was sent, for the evidence."""

    def read(self, *paths: str) -> list[Any]:
        """The JSON that each of these paths has, over one connection.

        Raises:
            Unexpected, Late, OSError: an answer other than 200; none in time; the connection broke.
        """
        with self._exchange() as exchange:
            return [self._json(exchange, "GET", path) for path in paths]

    def execute(self, container: str, argv: tuple[str, ...], variable: str, output: Capture, error: Capture) -> int:
        """Runs a command in a container, with `variable` in its environment; gives its exit code.

        Raises:
            Unexpected, Late, OSError: it could not be started; it did not end in time; the connection broke.
        """
        body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv), "Env": [variable]}
        with self._exchange() as exchange:
            made = self._json(exchange, "POST", f"/containers/{quote(container, safe='')}/exec", body, wanted=201)
            try:
                number = str(made["Id"])
            except (KeyError, TypeError) as unlike:
                raise Unexpected("an exec without an id") from unlike
            try:
                with self._exchange() as other:
                    self._keep(self._sent(other, "POST", f"/exec/{number}/start", {"Detach": False}), output, error)
                return self._exit_code(exchange, f"/exec/{number}/json")
            except Late as late:
                raise Late(started=True) from late

    def _exit_code(self, exchange: HTTPConnection, path: str) -> int:
        code = self._json(exchange, "GET", path)
        if not isinstance(code, dict) or code.get("Running") or not isinstance(code.get("ExitCode"), int):
            # Its output has ended, and it has not: somebody else's child may hold neither. docker's client waits on.
            raise Unexpected("no exit code")
        return int(code["ExitCode"])

    def _json(
        self, exchange: HTTPConnection, method: str, path: str, body: dict[str, Any] | None = None, wanted: int = 200
    ) -> Any:
        answer = self._sent(exchange, method, path, body, wanted)
        content = answer.read(READ_BOUND)
        if answer.read(1):
            raise Unexpected("more than is read")
        try:
            return json.loads(content)
        except ValueError as unlike:
            raise Unexpected("no JSON") from unlike

    def _sent(
        self, exchange: HTTPConnection, method: str, path: str, body: dict[str, Any] | None = None, wanted: int = 200
    ) -> HTTPResponse:
        self.requests.append(f"{method} {_EXEC.sub('/exec/ID', path)}")
        content = None if body is None else json.dumps(body).encode()
        exchange.request(method, path, content, {"Content-Type": "application/json"} if content else {})
        answer = exchange.getresponse()
        if answer.status != wanted:
            raise Unexpected(f"{answer.status}")
        return answer

    def _keep(self, answer: HTTPResponse, output: Capture, error: Capture) -> None:
        """Both streams until they end: before each piece stand its stream (1 or 2) and its length, in eight bytes."""
        captures = {1: output, 2: error}
        while head := answer.read(8):
            if len(head) < 8 or head[0] not in captures:
                raise Unexpected("no stream of a command without a terminal")
            left = int.from_bytes(head[4:], "big")
            while left:
                piece = answer.read(min(left, 65536))
                if not piece:
                    raise Unexpected("a stream that ends in the middle")
                captures[head[0]].add(piece)
                left -= len(piece)

    @contextmanager
    def _exchange(self) -> Iterator[HTTPConnection]:
        wire = self._connect()
        exchange = _Exchange(wire, self._deadline)
        try:
            yield exchange
        except HTTPException as unlike:
            raise Unexpected(str(unlike)) from unlike
        finally:
            exchange.close()
            wire.close()


class _Exchange(HTTPConnection):
    """HTTP over a connection that is open."""

    auto_open = 0

    def __init__(self, wire: Wire, deadline: Deadline) -> None:
        super().__init__("docker")
        self.sock: Any = _Socket(wire, deadline)


class _Socket:
    """What http.client wants of a socket; each wait ends with the deadline."""

    def __init__(self, wire: Wire, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(max(self._deadline.left(), 0.001))
        try:
            self._wire.sendall(data)
        except TimeoutError as late:
            raise Late(started=False) from late

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._wire, self._deadline))

    def close(self) -> None:
        """Who opened the connection closes it; answers are still read when http.client would."""


class _Reader(io.RawIOBase):
    def __init__(self, wire: Wire, deadline: Deadline) -> None:
        super().__init__()
        self._wire = wire
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._deadline.over:
            self._wire.settimeout(min(max(self._deadline.left(), 0.001), _TURN))
            try:
                data = self._wire.recv(len(buffer))
            except TimeoutError:
                continue
            buffer[: len(data)] = data
            return len(data)
        raise Late(started=False)
