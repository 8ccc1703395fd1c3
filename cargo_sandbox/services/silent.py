"""A server that accepts every connection and never says a word: `python silent.py PORT PIDFILE`.

It is another destination of a replication, one whose front hangs. When it is ended, all its connections break.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path


def main(port: int, pid_file: Path) -> None:
    with socket.create_server(("", port)) as server:
        pid_file.write_text(f"{os.getpid()}\n")
        kept = []
        while True:
            kept.append(server.accept()[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
