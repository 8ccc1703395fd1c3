"""tengine's active health check over a plain nginx.

nginx knows nothing of `check` and `check_http_send`. This runs it with a copy of nginx.conf that has no such lines,
really sends the request to the first server of each upstream that is checked, and takes the server out of the copy
(`down`) while the check fails, as tengine does. The file that engineers read and edit is never written.

Standard library only: it runs inside the container. `python -m cargo_sandbox.services.tengine`; with `reload` it has a
running one read its configuration and certificates again.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = Path("/etc/nginx/nginx.conf")
RUNNING = Path("/run/nginx.conf")
NGINX = ("nginx", "-c", str(RUNNING))
MASTER = Path("/run/nginx.pid")
PATIENCE = 30.0

_UPSTREAM = re.compile(r"upstream\s+([\w.-]+)\s*\{([^}]*)\}")
_CHECK = re.compile(r"^\s*check\s+([^;]*);", re.MULTILINE)
_REQUEST = re.compile(r'^\s*check_http_send\s+"((?:[^"\\]|\\.)*)"\s*;', re.MULTILINE)
_SERVER = re.compile(r"^(\s*server\s+)([\w.-]+):(\d+)([^;]*);", re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*check(?:_[a-z_]+)?[ \t][^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """One checked upstream: where to send what, how often (seconds), and how many answers change its state."""

    upstream: str
    host: str
    port: int
    request: bytes
    interval: float
    timeout: float
    rise: int
    fall: int

    def passes(self) -> bool:
        """Whether the server answers 2xx or 3xx, tengine's default (`check_http_expect_alive`)."""
        try:
            with socket.create_connection((self.host, self.port), timeout=self.timeout) as peer:
                peer.sendall(self.request)
                answer = peer.recv(64)
        except OSError:
            return False
        return re.match(rb"HTTP/1\.\d [23]\d\d", answer) is not None


def checks_in(text: str) -> list[Check]:
    """The checks of type http in an nginx.conf."""
    found = []
    for name, body in _UPSTREAM.findall(text):
        check, request, server = _CHECK.search(body), _REQUEST.search(body), _SERVER.search(body)
        if check and request and server:
            options = dict(word.split("=", 1) for word in check.group(1).split())
            found.append(
                Check(
                    upstream=name,
                    host=server.group(2),
                    port=int(server.group(3)),
                    # In the file, \\r\\n are four characters; on the wire they are two.
                    request=request.group(1).replace("\\r", "\r").replace("\\n", "\n").encode(),
                    interval=int(options.get("interval", "30000")) / 1000,
                    timeout=int(options.get("timeout", "1000")) / 1000,
                    rise=int(options.get("rise", "2")),
                    fall=int(options.get("fall", "5")),
                )
            )
    return found


def without_checks(text: str, down: frozenset[str] = frozenset()) -> str:
    """The configuration for a plain nginx, with the first server of the upstreams in `down` taken out."""

    def upstream(match: re.Match[str]) -> str:
        block = match.group(0)
        return _SERVER.sub(r"\1\2:\3\4 down;", block, count=1) if match.group(1) in down else block

    return _DIRECTIVE.sub("", _UPSTREAM.sub(upstream, text))


def serve() -> int:
    """Run nginx, and check; the exit code is nginx's."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    checks = checks_in(text)
    # tengine's default_down=true: a server is down until its check has passed.
    down = frozenset(check.upstream for check in checks if not check.passes())
    RUNNING.write_text(without_checks(text, down), encoding="utf-8")
    nginx = subprocess.Popen([*NGINX, "-g", "daemon off;"])
    # As pid 1 of its container it would ignore docker's SIGTERM.
    signal.signal(signal.SIGTERM, lambda number, frame: nginx.terminate())
    counts = dict.fromkeys((check.upstream for check in checks), 0)
    pause = min((check.interval for check in checks), default=None)
    while not _ended(nginx, pause):
        changed = down
        for check in checks:
            ill = check.upstream in down
            counts[check.upstream] = counts[check.upstream] + 1 if check.passes() == ill else 0
            if counts[check.upstream] >= (check.rise if ill else check.fall):
                changed ^= {check.upstream}
                counts[check.upstream] = 0
        if changed != down:
            down = changed
            print(f"check: down: {', '.join(sorted(down)) or 'none'}", flush=True)
            RUNNING.write_text(without_checks(text, down), encoding="utf-8")
            reload()
    return nginx.returncode


def reload(configuration: Path = RUNNING, master: Path = MASTER) -> int:
    """Have nginx read its files again, and return when only what it read now answers; the exit code, 0 for done.

    nginx lets its workers of before go gracefully: they accept connections beside the new ones for a tenth of a second,
    and for longer on a busy machine. `master`: the file with the number of its first process.
    """
    before = _accepting(int(master.read_text()))
    if code := subprocess.run(["nginx", "-c", str(configuration), "-s", "reload"], check=False).returncode:
        return code
    end = time.monotonic() + PATIENCE
    while not (now := _accepting(int(master.read_text()))) or now & before:
        if time.monotonic() > end:
            print(f"nginx: workers {sorted(now & before)} still accept connections after {PATIENCE:.0f} s", flush=True)
            return 1
        time.sleep(0.02)
    return 0


def _accepting(master: int) -> set[int]:
    """The numbers of the workers of a master that accept connections: not those that only end what they have begun."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            title = (stat.parent / "cmdline").read_bytes() if parent == master else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if title.startswith(b"nginx: worker process") and b"shutting down" not in title:
            found.add(int(stat.parent.name))
    return found


def _ended(process: subprocess.Popen[bytes], seconds: float | None) -> bool:
    """Waits so long for a process to end (None: until it does), and says whether it did."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(reload() if sys.argv[1:] == ["reload"] else serve())
