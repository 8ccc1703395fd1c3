"""One connection a host, shared by everybody who asks, opened once however many ask at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from dataclasses import dataclass

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.connections.ssh.config import Route
from cargo_runbook.connections.ssh.transport import open_transport
from cargo_runbook.connections.ssh.unix import Transport
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

AT_ONCE = 8
"""Commands on one connection at the same time. sshd's MaxSessions is 10; the rest ends commands that are late."""

SILENCE = 20.0
"""Seconds for which a host that did not answer is not tried again: silence costs one deadline, not one a question."""


class SharedTransport:
    """A connection with a limit on its channels. `no_dockerd`: it does not lead to dockerd's socket;
    `no_looks_inside`: its user may not look on the host at what containers see."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.no_dockerd = False
        self.no_looks_inside = False
        self._free = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def slot(self, deadline: Deadline) -> Iterator[None]:
        """Waits until a channel may be opened.

        Raises:
            Failure: none became free in time.
        """
        if not self._free.acquire(timeout=deadline.left()):
            sentence = Text(
                "all channels of the connection were in use until the deadline", "直到超时，该连接的所有通道都被占用"
            )
            raise Failure(Status.TIMEOUT, "timeout", sentence, phase="channel")
        try:
            yield
        finally:
            self._free.release()

    def close(self) -> None:
        self.transport.close()
        # Its thread needs a moment to see that the socket is gone.
        self.transport.join(1.0)


class TransportPool:
    """Connections by route. A jump host's connection serves all the hosts behind it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opening: dict[Route, Future[SharedTransport]] = {}
        self._silent: dict[Route, _Silence] = {}

    def get(self, route: Route, deadline: Deadline) -> SharedTransport:
        """The connection to the last target of `route`, opened if it isn't or if it died.

        Whoever asks while somebody else opens it waits for that result, a failure too: twelve questions to a host
        that refuses the key are one attempt, not twelve. A host that was silent is not waited for again at once,
        unless this question has more time than the one that found it so.

        Raises:
            Failure: as `open_transport`.
        """
        with self._lock:
            silence = self._silent.get(route)
            if silence is not None and silence.counts_for(deadline):
                raise silence.failure
            current = self._opening.get(route)
            if current is not None and _is_dead(current):
                current = None
            mine = current is None
            if current is None:
                current = self._opening[route] = Future()
        if mine:
            self._open(route, current, deadline)
        try:
            return current.result(timeout=deadline.left() if not mine else None)
        except FutureTimeout as error:
            sentence = Text(f"{route[-1]} was not connected in time", f"未能在限定时间内连接 {route[-1]}")
            raise Failure(Status.TIMEOUT, "timeout", sentence, phase="connect") from error

    def _open(self, route: Route, promise: Future[SharedTransport], deadline: Deadline) -> None:
        waits = deadline.left()
        try:
            via = self.get(route[:-1], deadline).transport if len(route) > 1 else None
            promise.set_result(SharedTransport(open_transport(route[-1], via, deadline)))
        except BaseException as error:
            with self._lock:
                if self._opening.get(route) is promise:
                    del self._opening[route]
                if isinstance(error, Failure) and error.status is Status.TIMEOUT:
                    self._silent[route] = _Silence(error, waits, time.monotonic())
            promise.set_exception(error)
            if not isinstance(error, Failure):
                raise

    def drop(self, route: Route, shared: SharedTransport) -> None:
        """Gives up a connection that no longer answers, so that the next question opens a new one."""
        with self._lock:
            current = self._opening.get(route)
            if current is not None and current.done() and not current.exception() and current.result() is shared:
                del self._opening[route]
        shared.close()

    def close(self) -> None:
        """Ends all connections, those through jump hosts first."""
        with self._lock:
            opened = sorted(self._opening.items(), key=lambda item: -len(item[0]))
            self._opening.clear()
            self._silent.clear()
        for _, promise in opened:
            if promise.done() and not promise.exception():
                promise.result().close()


@dataclass(frozen=True)
class _Silence:
    """A host did not answer within `waited` seconds; `since` is monotonic time."""

    failure: Failure
    waited: float
    since: float

    def counts_for(self, deadline: Deadline) -> bool:
        return time.monotonic() - self.since < SILENCE and deadline.left() < self.waited + 1


def _is_dead(promise: Future[SharedTransport]) -> bool:
    return promise.done() and (bool(promise.exception()) or not promise.result().transport.is_active())
