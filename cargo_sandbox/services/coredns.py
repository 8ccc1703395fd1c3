"""Stand-in for CoreDNS: answers DNS by what a Corefile says, and reads it again when it changes.

    python -m cargo_sandbox.services.coredns -conf /etc/coredns/Corefile

No package of Debian, PyPI or npm has a CoreDNS. Written after its documentation (plugins hosts, forward, cache, reload,
import) and its order of plugins: cache, hosts, kubernetes, forward.

- hosts answers A and AAAA; what it does not know goes on with `fallthrough`, else it is SERVFAIL. Its file is read again
  every 5 s (`reload`).
- With the plugin reload the Corefile and its imports are looked at again; a bad one is logged and the old one stays.
- cache keeps an answer for at most its seconds, an answer without records for at most 5 s.
- kubernetes knows no service at all: NXDOMAIN for each name of its zones.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.services.corefile import BadCorefile, Configuration, Hosts, Server, read_corefile

A, AAAA = 1, 28
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
WITHOUT_RECORDS = 5.0


def log(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True)
class Query:
    """The question of a packet; `raw` are its bytes as they came."""

    packet: bytes
    raw: bytes
    name: str
    kind: int


def read_query(packet: bytes) -> Query | None:
    """The question; None where it is none that can be answered (RFC 1035, section 4.1)."""
    if len(packet) < 17 or packet[2] & 0x80:
        return None
    labels, at = [], 12
    while at < len(packet) and packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    end = at + 5
    if len(packet) < end:
        return None
    return Query(packet, packet[12:end], ".".join(labels).lower(), int.from_bytes(packet[at + 1 : at + 3], "big"))


def answer(query: Query, addresses: list[str], ttl: int, code: int = 0) -> bytes:
    """The answer with these addresses of the kind that was asked for."""
    family = socket.AF_INET6 if query.kind == AAAA else socket.AF_INET
    records = [socket.inet_pton(family, address) for address in addresses]
    head = query.packet[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(records), 0, 0)
    body = [struct.pack(">HHHIH", 0xC00C, query.kind, 1, ttl, len(record)) + record for record in records]
    return head + query.raw + b"".join(body)


def entries(lines: list[str]) -> dict[str, list[str]]:
    """Name -> addresses, of lines in the form of hosts(5)."""
    known: dict[str, list[str]] = {}
    for line in lines:
        address, *names = line.split("#")[0].split() or [""]
        for name in names:
            known.setdefault(name.lower().rstrip("."), []).append(address)
    return known


class CoreDns:
    """What answers, by the configuration that was read last and was good."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._files: dict[str, tuple[float, list[str]]] = {}
        self._cache: dict[tuple[str, int], tuple[float, bytes]] = {}
        self._configuration, self._seen = read_corefile(file)
        log(f"[INFO] plugin/reload: Running configuration of {len(self._configuration.servers)} server blocks")

    def look_again(self) -> None:
        """Reads the Corefile again whenever its plugin reload says so, for ever."""
        while (pause := self._configuration.reload) is not None:
            time.sleep(pause)
            self.read_again()

    def read_again(self) -> None:
        """Takes the Corefile as it is now, if it is another one and good."""
        try:
            configuration, seen = read_corefile(self._file)
        except (BadCorefile, OSError) as error:
            if self._seen != str(error):
                log(f"[ERROR] Corefile changed but reload failed: {error}")
                self._seen = str(error)
            return
        if seen != self._seen:
            log("[INFO] Reloading")
            self._take(configuration, seen)
            log("[INFO] Reloading complete")

    def _take(self, configuration: Configuration, seen: str) -> None:
        self._configuration, self._seen = configuration, seen
        self._files.clear()
        self._cache.clear()

    def respond(self, packet: bytes) -> bytes | None:
        """The answer to a packet; None where nothing is said to it."""
        query = read_query(packet)
        if query is None:
            return None
        servers = [(len(z), s) for s in self._configuration.servers for z in s.zones if _within(query.name, z)]
        if not servers:
            return answer(query, [], 0, REFUSED)
        server = max(servers, key=lambda pair: pair[0])[1]
        key = (query.name, query.kind)
        until, kept = self._cache.get(key, (0.0, b""))
        if server.cache and until > time.monotonic():
            return packet[:2] + kept[2:]
        said = self._ask(query, server)
        if server.cache:
            holds = server.cache if said[6:8] != b"\0\0" else min(server.cache, WITHOUT_RECORDS)
            self._cache[key] = (time.monotonic() + holds, said)
        log(f"[INFO] {query.name} {query.kind} {said[3] & 15}")
        return said

    def _ask(self, query: Query, server: Server) -> bytes:
        if server.hosts is not None:
            known = entries([*self._lines(server.hosts), *server.hosts.inline]).get(query.name, [])
            if known:
                wanted = [a for a in known if (":" in a) == (query.kind == AAAA)] if query.kind in (A, AAAA) else []
                return answer(query, wanted, server.hosts.ttl)
            if not server.hosts.passes_on:
                return answer(query, [], 0, SERVFAIL)
        if any(_within(query.name, zone) for zone in server.local):
            return answer(query, [], 0, NXDOMAIN)
        return self._forward(query, server)

    def _forward(self, query: Query, server: Server) -> bytes:
        if server.upstream is None:
            return answer(query, [], 0, SERVFAIL)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.settimeout(2)
            try:
                out.sendto(query.packet, server.upstream)
                return out.recv(4096)
            except OSError as error:
                log(f"[ERROR] plugin/errors: 2 {query.name}: {error}")
                return answer(query, [], 0, SERVFAIL)

    def _lines(self, hosts: Hosts) -> list[str]:
        read, lines = self._files.get(hosts.path, (-hosts.reload, []))
        if time.monotonic() - read < hosts.reload:
            return lines
        path = Path(hosts.path)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self._files[hosts.path] = (time.monotonic(), lines)
        return lines


def _within(name: str, zone: str) -> bool:
    return not zone or name == zone or name.endswith(f".{zone}")


class _Udp(socketserver.ThreadingUDPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(core: CoreDns, port: int) -> None:
    """Answers on UDP and TCP, for ever."""

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, out = self.request
            if said := core.respond(packet):
                out.sendto(said, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while len(length := self.rfile.read(2)) == 2:
                if said := core.respond(self.rfile.read(int.from_bytes(length, "big"))):
                    self.wfile.write(len(said).to_bytes(2, "big") + said)

    tcp = _Tcp(("", port), Stream)
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    threading.Thread(target=core.look_again, daemon=True).start()
    _Udp(("", port), Datagram).serve_forever()


def main(arguments: list[str]) -> None:
    flags = dict(zip(arguments[::2], arguments[1::2], strict=False))
    try:
        core = CoreDns(Path(flags.get("-conf", "Corefile")))
    except BadCorefile as error:
        sys.exit(f"[ERROR] {error}")
    serve(core, int(flags.get("-dns.port", "53")))


if __name__ == "__main__":
    main(sys.argv[1:])
