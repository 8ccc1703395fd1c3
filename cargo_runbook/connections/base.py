"""What every connection has in common: how an answer becomes an observation, and how time is counted."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from cargo_runbook.observations import Observation, Question, Status
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text

COMMAND_CAP = 256 * 1024
"""Bytes of a command's output that an observation keeps."""

HTTP_CAP = 64 * 1024
"""Bytes of a response body that an observation keeps, as go-containerregistry does for tokens."""

_TURN = 0.2
"""Seconds after which who waits sees that it was stopped."""

_PAUSE = 1.0
"""Seconds beyond its turn that only a process loses that stood still itself."""

READ_BOUND = 4 * 1024 * 1024
"""Bytes that are read (and hashed) of any one output at most; what follows is thrown away."""


class Connections(Protocol):
    """Asks questions. Safe to share between threads."""

    def ask(self, question: Question) -> Observation:
        """The answer. Never raises for what a host does: each failure has a status and `data["reason"]`."""
        ...

    def close(self) -> None:
        """Ends all connections; asking afterwards opens them again."""
        ...


class Stop(threading.Event):
    """Ends what is being asked: set, it also ends the connections on which somebody waits for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self._connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._adding = threading.Lock()

    def ends(self, connection: socket.socket) -> None:
        """From now on `connection` ends with it; one that was closed meanwhile is no matter."""
        with self._adding:
            self._connections.add(connection)
        if self.is_set():
            _end(connection)

    def spares(self, connection: socket.socket) -> None:
        """From now on `connection` stays when it is set: another one than the question uses it."""
        with self._adding:
            self._connections.discard(connection)

    def set(self) -> None:
        super().set()
        with self._adding:
            waiting = list(self._connections)
        for connection in waiting:
            _end(connection)


def _end(connection: socket.socket) -> None:
    # Of the plain class: a TLS connection's own way would take the session from under whoever reads from it.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Deadline:
    """A point in time, `seconds` from now on the monotonic clock; or now, once `stop` is set."""

    def __init__(self, seconds: float, stop: Stop | None = None) -> None:
        self._end = time.monotonic() + seconds
        self.stop = stop

    def left(self) -> float:
        """Seconds left, never negative."""
        if self.stop is not None and self.stop.is_set():
            return 0.0
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return self.left() <= 0

    def ends(self, connection: socket.socket) -> None:
        """Whoever waits for `connection` is woken when the question is stopped."""
        if self.stop is not None:
            self.stop.ends(connection)

    def spares(self, connection: socket.socket) -> None:
        """What `ends` said counts no more."""
        if self.stop is not None:
            self.stop.spares(connection)

    def turns(self) -> Iterator[float]:
        """The turns to wait in, in seconds, one at least, until the time is over.

        Where this process stood still for seconds (a paused machine), so did who was to answer: there is one more.
        """
        seconds = min(self.left(), _TURN)
        while True:
            began = time.monotonic()
            yield seconds
            stood_still = time.monotonic() - began > seconds + _PAUSE
            if self.over and not stood_still:
                return
            seconds = _TURN if stood_still else min(self.left(), _TURN)

    def wait(self, event: threading.Event) -> bool:
        """Waits for the event; False when the time was over before."""
        return any(event.wait(seconds) for seconds in self.turns())


class Failure(Exception):
    """Looking failed in a way that has a name. Inside `connections` only: it becomes an observation.

    Args:
        status: how asking ended.
        reason: one word for `data["reason"]`.
        sentence: what failed; `error` has it in English, as evidence is kept, and `data["zh"]` for who reads Chinese.
        data: more fields for `data`.
    """

    def __init__(self, status: Status, reason: str, sentence: Text, **data: Any) -> None:
        super().__init__(sentence.en)
        self.status = status
        self.reason = reason
        self.sentence = sentence
        self.data = data


class Look:
    """One question being asked: counts the time, redacts, hashes and cuts what comes back.

    Args:
        stop: ends it before its deadline, and with it the process or the connection that it waits for.
    """

    def __init__(self, question: Question, redactor: Redactor, stop: Stop | None = None) -> None:
        self.question = question
        self.deadline = Deadline(question.deadline, stop)
        self._redactor = redactor
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()

    def observe(
        self,
        status: Status,
        *,
        exit_code: int | None = None,
        output: bytes | str = b"",
        error: bytes | str = b"",
        data: Mapping[str, Any] | None = None,
        truncated: bool = False,
        cap: int = COMMAND_CAP,
    ) -> Observation:
        """The observation.

        Args:
            truncated: bytes were thrown away already.
            cap: bytes of output and of error to keep. The hash is that of all of the redacted output, up to
                READ_BOUND bytes of the original.
        """
        whole = self._redactor.redact(as_text(output))
        kept, cut = _cut(whole, cap)
        complaint, complaint_cut = _cut(self._redactor.redact(as_text(error)), cap)
        return Observation(
            question=_redacted(self.question, self._redactor),
            status=status,
            exit_code=exit_code,
            output=kept,
            error=complaint,
            data=self._redactor.redact_data(dict(data or {})),
            started=self._started,
            duration=time.monotonic() - self._clock,
            truncated=truncated or cut or complaint_cut,
            sha256=hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest(),
        )

    def failed(self, failure: Failure, **more: Any) -> Observation:
        """The observation of a failure; `more` goes to `observe`."""
        said = failure.sentence
        chinese = {"zh": said.zh} if said.zh != said.en else {}
        data = {**more.pop("data", {}), "reason": failure.reason, **chinese, **failure.data}
        return self.observe(failure.status, error=more.pop("error", b"") or said.en, data=data, **more)


def as_text(content: bytes | str) -> str:
    """Bytes as UTF-8; what is no UTF-8 stays visible as `\\xNN`."""
    return content if isinstance(content, str) else content.decode("utf-8", "backslashreplace")


def _cut(text: str, cap: int) -> tuple[str, bool]:
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= cap:
        return text, False
    return raw[:cap].decode("utf-8", "ignore"), True


def _redacted(question: Question, redactor: Redactor) -> Question:
    """The question as it may be written down. Questions hold no secrets, so that this changes nothing but by mistake."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(question):
        value = getattr(question, field.name)
        if isinstance(value, str):
            clean: Any = redactor.redact(value)
        elif isinstance(value, tuple):
            clean = tuple(_redacted_item(item, redactor) for item in value)
        else:
            continue
        if clean != value:
            changes[field.name] = clean
    return dataclasses.replace(question, **changes) if changes else question


def _redacted_item(item: Any, redactor: Redactor) -> Any:
    if isinstance(item, str):
        return redactor.redact(item)
    name, value = item
    return name, redactor.redact_data({name: value})[name]


class Capture:
    """Keeps the first READ_BOUND bytes of a stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self.overflow = False

    def add(self, data: bytes) -> None:
        room = READ_BOUND - self._length
        if len(data) > room:
            self.overflow = True
            data = data[:room]
        if data:
            self._parts.append(data)
            self._length += len(data)

    def content(self) -> bytes:
        return b"".join(self._parts)
