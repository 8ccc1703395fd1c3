"""A DNS server that answers every question with SERVFAIL (RFC 1035, section 4.1.1, RCODE 2).

`python failing_dns.py PORT PIDFILE`, standard library only.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

HEADER = 12
SERVFAIL = bytes([0x81, 0x82])  # answer, recursion asked and available, RCODE 2


def failure(question: bytes) -> bytes:
    """The answer to one question: its id and its question section, no records (an OPT record is left out)."""
    end = HEADER
    while end < len(question) and question[end]:
        end += question[end] + 1
    return question[:2] + SERVFAIL + question[4:6] + bytes(6) + question[HEADER : end + 5]


def main(port: int, pid_file: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", port))
        pid_file.write_text(str(os.getpid()))
        while True:
            question, sender = server.recvfrom(512)
            if len(question) >= HEADER:
                server.sendto(failure(question), sender)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
