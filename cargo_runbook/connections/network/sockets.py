"""TCP connections with a total deadline, and the operator's resolver in a thread that is not waited for beyond it.

getaddrinfo can't be interrupted and may take half a minute with a silent name server. Its thread then goes on by itself;
it holds nothing and ends with the interpreter. (A process for each look-up took as much CPU as ten requests.)
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event, Lock, Thread

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class LookUp:
    """What getaddrinfo says: addresses, or an EAI code (negative, RFC 3493) with its text."""

    addresses: tuple[str, ...] = ()
    code: int = 0
    text: str = ""


def look_up(name: str, deadline: Deadline, family: int = socket.AF_UNSPEC) -> LookUp:
    """Asks the operator's resolver, as any program there would (hosts file included).

    Raises:
        Failure: no answer within the deadline.
    """
    if is_address(name):
        return LookUp((name,))
    found: Future[LookUp] = Future()
    told = Event()
    Thread(target=_resolve, args=(name, family, found, told), name=f"look up {name}", daemon=True).start()
    if not deadline.wait(told):
        raise Failure(
            Status.TIMEOUT,
            "timeout",
            Text(f"looking up {name} had no answer in time", f"解析 {name} 没有在限定时间内得到应答"),
            phase="name",
        )
    try:
        return found.result(timeout=0)
    except (OSError, ValueError) as error:
        sentence = Text(f"looking up {name} failed: {error}", f"解析 {name} 失败：{error}")
        raise Failure(Status.ERROR, "resolver", sentence) from error


def _resolve(name: str, family: int, answer: Future[LookUp], told: Event) -> None:
    try:
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
        answer.set_result(LookUp(tuple(dict.fromkeys(str(item[4][0]) for item in found))))
    except socket.gaierror as error:
        answer.set_result(LookUp((), error.errno or socket.EAI_FAIL, error.strerror or ""))
    except UnicodeError:
        answer.set_result(LookUp((), socket.EAI_NONAME, "no valid host name"))
    except (OSError, ValueError) as error:
        answer.set_exception(error)
    finally:
        told.set()


Resolve = Callable[[str, Deadline], LookUp]


class Names:
    """What `look_up` found, kept for as long as the connections of one look are open.

    A look sends dozens of requests to one name, which might go to different machines otherwise. Only addresses are
    kept; a name that did not resolve is asked for again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, Future[LookUp]] = {}

    def __call__(self, name: str, deadline: Deadline) -> LookUp:
        """As `look_up`; who comes while the name is being asked for waits for that answer, within its own deadline.

        Raises:
            Failure: no answer within the deadline.
        """
        with self._lock:
            answer = self._found.get(name)
            mine = answer is None
            if answer is None:
                answer = self._found[name] = Future()
        if mine:
            self._ask(name, deadline, answer)
        try:
            return answer.result(timeout=max(deadline.left(), 0))
        except TimeoutError as error:
            raise Failure(
                Status.TIMEOUT,
                "timeout",
                Text(f"looking up {name} had no answer in time", f"解析 {name} 没有在限定时间内得到应答"),
                phase="name",
            ) from error

    def _ask(self, name: str, deadline: Deadline, answer: Future[LookUp]) -> None:
        try:
            found = look_up(name, deadline)
        except BaseException as error:
            self._forget(name)
            answer.set_exception(error)
            raise
        if not found.addresses:
            self._forget(name)
        answer.set_result(found)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._found.pop(name, None)


def connect(host: str, port: int, deadline: Deadline, resolve: Resolve = look_up) -> socket.socket:
    """A TCP connection to `host` (name or address, by `resolve`).

    Raises:
        Failure: with reason `name_not_resolved`, `refused`, `no_route`, `reset` or `timeout`.
    """
    if not 0 < port < 65536:
        raise Failure(Status.ERROR, "bad_address", Text(f"{port} is no port", f"{port} 不是端口号"))
    found = resolve(host, deadline)
    if not found.addresses:
        sentence = Text(f"{host} does not resolve: {found.text}", f"{host} 无法解析：{found.text}")
        raise Failure(Status.UNREACHABLE, "name_not_resolved", sentence, phase="name")
    return _connect_any(found.addresses, port, deadline)


def _connect_any(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    last: Failure | None = None
    for number, address in enumerate(addresses):
        share = deadline.left() / (len(addresses) - number)
        if share <= 0:
            break
        # Not by create_connection: it can't be woken, since nobody has its socket.
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.settimeout(share)
            deadline.ends(connection)
            connection.connect((address, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # What it is used for decides: over SSH, a stop still has to end the process on the other side.
            deadline.spares(connection)
        except OSError as error:
            connection.close()
            last = connection_failure(error, Text(f"{address} port {port}", f"{address} 端口 {port}"), phase="connect")
        else:
            return connection
    if last is None:
        last = Failure(
            Status.TIMEOUT,
            "timeout",
            Text(f"no time left to connect to {addresses[0]}", f"没有时间再连接 {addresses[0]}"),
            phase="connect",
        )
    raise last


def is_open(host: str, port: int, seconds: float = 2.0) -> bool:
    """Whether something takes connections there; nothing is sent."""
    try:
        connect(host, port, Deadline(seconds)).close()
    except Failure:
        return False
    return True


def connection_failure(error: OSError, where: str | Text, *, phase: str) -> Failure:
    """The failure that an operating system error stands for."""
    en, zh = (where.en, where.zh) if isinstance(where, Text) else (where, where)
    if isinstance(error, TimeoutError):
        return Failure(
            Status.TIMEOUT, "timeout", Text(f"{en} did not answer in time", f"{zh} 没有在限定时间内应答"), phase=phase
        )
    if isinstance(error, socket.gaierror):
        return Failure(
            Status.UNREACHABLE,
            "name_not_resolved",
            Text(f"{en} does not resolve: {error}", f"{zh} 无法解析：{error}"),
            phase=phase,
        )
    if isinstance(error, ConnectionRefusedError):
        return Failure(
            Status.UNREACHABLE, "refused", Text(f"{en} refused the connection", f"{zh} 拒绝连接"), phase=phase
        )
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return Failure(Status.UNREACHABLE, "reset", Text(f"{en} ended the connection", f"{zh} 断开了连接"), phase=phase)
    if error.errno in _ROUTE:
        return Failure(
            Status.UNREACHABLE,
            "no_route",
            Text(f"no route to {en}: {error.strerror}", f"没有到 {zh} 的路由：{error.strerror}"),
            phase=phase,
        )
    return Failure(Status.UNREACHABLE, "network", Text(f"{en}: {error}", f"{zh}：{error}"), phase=phase)


def is_address(text: str) -> bool:
    """Whether `text` is an IP address and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def split_address(text: str, port: int) -> tuple[str, int]:
    """`ADDRESS`, `ADDRESS:PORT`, `[IPv6]` or `[IPv6]:PORT` as host and port.

    >>> split_address("203.0.113.7:8443", 443)
    ('203.0.113.7', 8443)
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else port
    if text.count(":") == 1:
        host, _, number = text.partition(":")
        return host, int(number)
    return text, port
