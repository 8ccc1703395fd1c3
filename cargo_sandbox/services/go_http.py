"""HTTP as Harbor's own client speaks it: what went wrong is told in the words of Go's net/http.

There is no time limit: a server that accepts and says nothing is waited for. Certificates are checked against the
system's authorities and those below /etc/containers/certs.d.
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import socket
import ssl
import subprocess
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

AUTHORITIES = Path("/etc/containers/certs.d")
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 10
UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
EXPIRED = frozenset({9, 10})
WRONG_NAME = 62


class NetworkError(Exception):
    """No answer: a name, a connection, TLS, or an answer that can't be read. Harbor tries such a job again."""

    def within(self, method: str, url: str) -> NetworkError:
        """The same as the error of a request."""
        return NetworkError(f'{method.capitalize()} "{url}": {self}')


class BadStatus(Exception):
    """An answer with another status than the wanted one. Harbor gives such a job up."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Client:
    """`insecure` takes any certificate; `authorities` is a folder with files ca.crt in it or below."""

    insecure: bool = False
    authorities: Path = AUTHORITIES
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Ask, and follow redirects as Go does: POST becomes GET, and credentials stay with the first host.

        Raises:
            NetworkError: `Get "URL": ...`.
        """
        sent = dict(headers or {})
        for _ in range(MOST_REDIRECTS):
            try:
                answer = self._once(method, url, sent, body)
            except NetworkError as error:
                raise error.within(method, url) from error
            place = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not place:
                return answer
            target = urllib.parse.urljoin(url, place)
            if urllib.parse.urlsplit(target)[:2] != urllib.parse.urlsplit(url)[:2]:
                sent.pop("Authorization", None)
            if answer.status not in {307, 308}:
                method, body = ("HEAD" if method == "HEAD" else "GET"), b""
            url = target
        raise NetworkError("stopped after 10 redirects").within(method, url)

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urllib.parse.urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        connection = http.client.HTTPConnection(host, port)
        sock, peer = dial(host, port)
        connection.sock = sock
        ends = f"{_place(sock.getsockname()[:2])}->{_place(peer)}"
        try:
            if secure:
                connection.sock = self._secured(sock, host, peer)
            path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
            content = {"Content-Length": str(len(body))} if body or method in {"POST", "PUT"} else {}
            sent = {"Host": parts.netloc, "User-Agent": "Go-http-client/1.1"} | content | dict(headers)
            connection.request(method, path, body or None, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (http.client.HTTPException, OSError) as error:
            raise NetworkError(_reading(error, ends)) from error
        finally:
            connection.close()

    def _secured(self, sock: socket.socket, host: str, peer: tuple[str, int]) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        for file in sorted(self.authorities.rglob("ca.crt")):
            context.load_verify_locations(file)
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            return context.wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            raise NetworkError(_certificate(error, host, peer)) from error
        except ssl.SSLError as error:
            known = "WRONG_VERSION_NUMBER" in str(error)
            said = "http: server gave HTTP response to HTTPS client" if known else f"tls: {error.reason}"
            raise NetworkError(said) from error


def dial(host: str, port: int) -> tuple[socket.socket, tuple[str, int]]:
    """A connection, without a time limit, and the address that it goes to.

    Raises:
        NetworkError: `dial tcp: lookup ...` or `dial tcp ADDRESS: connect: ...`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        again = getattr(error, "errno", 0) == socket.EAI_AGAIN
        reason = "Temporary failure in name resolution" if again else "no such host"
        raise NetworkError(f"dial tcp: lookup {host}: {reason}") from error
    failure = NetworkError(f"dial tcp: lookup {host}: no such host")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            said = os.strerror(error.errno or errno.EIO).lower()
            failure = NetworkError(f"dial tcp {_place(address[:2])}: connect: {said}")
        else:
            return sock, (str(address[0]), int(address[1]))
    raise failure


def _reading(error: Exception, ends: str) -> str:
    if isinstance(error, ConnectionResetError) and not isinstance(error, http.client.RemoteDisconnected):
        return f"read tcp {ends}: read: connection reset by peer"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead | ssl.SSLEOFError):
        return "EOF"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return f"net/http: {error}"


def _place(address: tuple[Any, ...]) -> str:
    return ":".join(map(str, address))


def _certificate(error: ssl.SSLCertVerificationError, host: str, peer: tuple[str, int]) -> str:
    if error.verify_code in UNKNOWN_AUTHORITY:
        return "x509: certificate signed by unknown authority"
    if error.verify_code in EXPIRED:
        return "x509: certificate has expired or is not yet valid"
    if error.verify_code == WRONG_NAME:
        return f"x509: certificate is valid for {_names(host, peer)}, not {host}"
    return f"x509: {error.verify_message}"


def _names(host: str, peer: tuple[str, int]) -> str:
    """The names in the certificate of a server, which Python shows only of a certificate that it trusts."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(peer) as plain, context.wrap_socket(plain, server_hostname=host) as sock:
        certificate = sock.getpeercert(binary_form=True) or b""
    asked = ("openssl", "x509", "-inform", "DER", "-noout", "-ext", "subjectAltName")
    said = subprocess.run(asked, input=certificate, stdout=subprocess.PIPE, check=False).stdout.decode()
    return ", ".join(re.findall(r"DNS:([^,\s]+)", said))
