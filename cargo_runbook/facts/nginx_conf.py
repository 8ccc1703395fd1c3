"""tengine's `nginx.conf`: the health check of the token service.

`check_http_send "GET /registryproxy/v2 HTTP/1.0\\r\\nX-Cargo: DOMAIN\\r\\n\\r\\n";`: in the file, `\\r\\n` are four
characters, backslash r backslash n (the guide, 使用错误的域名访问 方法三).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cargo_runbook.facts.hosts_file import is_token_service

_CHECK = re.compile(r'^\s*check_http_send\s+"((?:[^"\\]|\\.)*)"\s*;', re.MULTILINE)
_HEADER = re.compile(r"(?:^|\\n|\n)\s*X-Cargo:\s*([^\s\\]*)", re.IGNORECASE)


def read_checked_domains(text: str) -> tuple[str, ...]:
    """The domains that the health checks ask for, in lower case, each once; comments don't count."""
    found = [header for request in _CHECK.findall(text) for header in _HEADER.findall(request)]
    return tuple(dict.fromkeys(domain.lower() for domain in found if domain))


@dataclass(frozen=True)
class Upstream:
    """One server of the upstream for tokens: name or address, port, its line (from 1), and whether it is the backup."""

    host: str
    port: int
    line: int
    backup: bool


_UPSTREAM = re.compile(r"^\s*upstream\s+\S+\s*\{([^}]*)\}", re.MULTILINE)
_SERVER = re.compile(r"^[ \t]*server[ \t]+([\w.-]+|\[[0-9a-fA-F:]+\])(?::(\d+))?([^;\n]*);", re.MULTILINE)


def read_token_upstreams(text: str) -> tuple[Upstream, ...]:
    """The servers of the upstream that Cargo takes tokens from: the one with a health check, or with cargo-admin."""
    found = []
    for block in _UPSTREAM.finditer(text):
        servers = list(_SERVER.finditer(block.group(1)))
        if not any(is_token_service(s.group(1)) for s in servers) and not _CHECK.search(block.group(1)):
            continue
        for server in servers:
            line = text.count("\n", 0, block.start(1) + server.start(1)) + 1
            found.append(Upstream(server.group(1), int(server.group(2) or 80), line, "backup" in server.group(3)))
    return tuple(found)


def read_check_lines(text: str) -> tuple[tuple[int, str], ...]:
    """(line from 1, domain) of each health check's X-Cargo."""
    return tuple(
        (text.count("\n", 0, check.start(1)) + 1, domain.lower())
        for check in _CHECK.finditer(text)
        for domain in _HEADER.findall(check.group(1))
        if domain
    )
