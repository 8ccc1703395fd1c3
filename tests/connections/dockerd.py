"""A socket that answers as dockerd does, for what real ones seldom say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any


def frame(stream: int, content: bytes) -> bytes:
    """A piece of a command's output, as it comes without a terminal."""
    return bytes((stream, 0, 0, 0)) + len(content).to_bytes(4, "big") + content


def an_exec(stream: bytes, code: Any = 0, *, running: bool = False) -> dict[str, tuple[int, Any]]:
    """The answers to a command that is run in the container `one`."""
    return {
        "POST /containers/one/exec": (201, {"Id": "abc"}),
        "POST /exec/abc/start": (200, stream),
        "GET /exec/abc/json": (200, {"Running": running, "ExitCode": code}),
    }


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def dockerd(path: Path, answers: Mapping[str, tuple[int, Any]]) -> Iterator[list[tuple[str, Any]]]:
    """Listens at `path`; gives what it was asked (`METHOD PATH`, body). Bytes are a stream until the connection ends;
    None is never answered."""
    asked: list[tuple[str, Any]] = []

    class Exchange(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = f"{self.command} {self.path}"
            asked.append((request, json.loads(body) if body else None))
            status, said = answers.get(request, (404, {"message": "page not found"}))
            if said is None:
                self.rfile.read()
                return
            self.send_response(status)
            if isinstance(said, bytes):
                self.close_connection = True
                self.end_headers()
                self.wfile.write(said)
                return
            content = json.dumps(said).encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815

        def address_string(self) -> str:
            return "here"

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with _Server(str(path), Exchange) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()
