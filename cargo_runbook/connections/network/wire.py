"""httpx on sockets of our own, through httpcore's public network back end.

It gives what neither has by itself: one deadline over name look-up, connection, handshake and every byte of the
answer (a server that trickles is ended too), an address to connect to instead of the URL's host while SNI and Host
stay (curl's --connect-to), and failures that keep their cause.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.connections.network.sockets import Resolve, connect, connection_failure, split_address
from cargo_runbook.connections.network.tls import handshake
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

# httpcore says for each connection which protocols its context has (ALPN). Said of one that others shake hands with at the
# same moment, that frees what they are about to send: a list of protocols that is none, and pieces of memory, go out.
_NOT_USED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Wire(httpx.BaseTransport):
    """One request on one connection.

    Args:
        context: for TLS.
        connect_to: address (with port or without) to connect to instead of the URL's; empty for the URL's.
        deadline: of all of it.
        names: how the URL's host becomes an address.
    """

    def __init__(self, context: ssl.SSLContext, connect_to: str, deadline: Deadline, names: Resolve) -> None:
        self._backend = _Backend(connect_to, deadline, names, context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_NOT_USED, max_connections=1, http1=True, http2=False, retries=0, network_backend=self._backend
        )

    @property
    def peer(self) -> str:
        """The address that was connected to; empty before."""
        return self._backend.peer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


_SERVER = Text("the server", "服务器")


class _Backend(httpcore.NetworkBackend):
    def __init__(self, connect_to: str, deadline: Deadline, names: Resolve, context: ssl.SSLContext) -> None:
        self._context = context
        self._names = names
        self._connect_to = connect_to
        self._deadline = deadline
        self.peer = ""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if self._connect_to:
            try:
                host, port = split_address(self._connect_to, port)
            except ValueError as error:
                raise Failure(
                    Status.ERROR,
                    "bad_address",
                    Text(f"{self._connect_to!r} is no address", f"{self._connect_to!r} 不是地址"),
                ) from error
        connection = connect(host, port, self._deadline, self._names)
        self.peer = connection.getpeername()[0]
        return _Stream(connection, self._deadline, self._context)


class _Stream(httpcore.NetworkStream):
    """A socket each of whose operations may use what is left of the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket = connection
        self._deadline = deadline
        deadline.ends(connection)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._arm("response")
        try:
            return self._socket.recv(max_bytes)
        except ssl.SSLEOFError:
            # A server that drops a TLS connection without saying goodbye; what is missing shows in the framing.
            return b""
        except OSError as error:
            raise connection_failure(error, _SERVER, phase="response") from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._arm("request")
        try:
            self._socket.sendall(buffer)
        except OSError as error:
            raise connection_failure(error, _SERVER, phase="request") from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = handshake(self._socket, self._context, server_hostname or "", self._deadline)
        return _Stream(secured, self._deadline, self._context)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "socket":
            return self._socket
        return None

    def _arm(self, phase: str) -> None:
        left = self._deadline.left()
        if left <= 0:
            raise Failure(
                Status.TIMEOUT,
                "timeout",
                Text("the server did not finish in time", "服务器没有在限定时间内完成应答"),
                phase=phase,
            )
        self._socket.settimeout(left)
