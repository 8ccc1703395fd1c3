"""A small HTTP proxy for CONNECT (RFC 9110, section 9.3.6), as companies put between their machines and the rest.

`python connect_proxy.py PORT PIDFILE`, standard library only. It resolves names itself; where it can't, or can't reach
the address, it answers 503 as real ones do, and a Go client prints that status text in the place of the cause.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATIENCE = 5.0


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        self.close_connection = True
        host, _, port = self.path.rpartition(":")
        try:
            there = socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)
        except (OSError, ValueError) as error:
            self.log_message("%s", error)
            self.send_error(503)
            return
        with there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._pass_on(self.connection, there)

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        ways = {one: other, other: one}
        while True:
            readable, _, _ = select.select(list(ways), [], [], 60)
            if not readable:
                return
            for source in readable:
                data = source.recv(65536)
                if not data:
                    return
                ways[source].sendall(data)


def main(port: int, pid_file: Path) -> None:
    with ThreadingHTTPServer(("", port), Proxy) as server:
        pid_file.write_text(str(os.getpid()))
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
