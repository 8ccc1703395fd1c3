"""The small HTTP server that all stand-ins share (standard library only)."""

from __future__ import annotations

import json
import sys
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes

    @property
    def host(self) -> str:
        return self.headers.get("Host", "").partition(":")[0]

    def parameter(self, name: str) -> str:
        return self.query.get(name, [""])[0]


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(status: int, body: Any, *, headers: Mapping[str, str] | None = None) -> Response:
        return Response(status, json.dumps(body).encode(), "application/json; charset=utf-8", dict(headers or {}))

    @staticmethod
    def text(status: int, body: str) -> Response:
        return Response(status, body.encode(), "text/plain; charset=utf-8")


Answer = Callable[[Request], Response]


def serve(port: int, answer: Answer) -> None:
    """Serve for ever on all addresses; each request in a thread of its own."""
    server("0.0.0.0", port, answer).serve_forever()  # noqa: S104


class _Listening(ThreadingHTTPServer):
    # Of more connections at once than wait here, some are answered seconds later; to a front that is a dead service.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no line in a log that engineers read: health checks go before the answer's end."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(address: str, port: int, answer: Answer) -> ThreadingHTTPServer:
    """A server that listens and does not serve yet; port 0 takes a free one."""

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # header and body leave together

        def _any(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
            request = Request(self.command, url.path, query, self.headers, self.rfile.read(length))
            response = answer(request)
            self.send_response(response.status)
            if response.type:
                self.send_header("Content-Type", response.type)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            # Cargo-Admin's clients put passwords into URLs, so the query stays out of the log.
            path = str(getattr(self, "path", "-")).partition("?")[0]
            print(self.log_date_time_string(), self.command or "-", path, *args[1:2], flush=True)

    listening = _Listening((address, port), Exchange)
    listening.daemon_threads = True
    return listening
