"""CoreDNS' Corefile: server blocks with their plugins, as the stand-in `coredns` understands them.

Written after CoreDNS' documentation of its plugins hosts, forward, cache, reload and import, and of the Corefile.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from pathlib import Path

HARMLESS = ("errors", "log", "health", "ready", "loop", "loadbalance", "prometheus", "bufsize")
"""Plugins that change no answer here; what stands in them is not looked at."""
KNOWN = (*HARMLESS, "hosts", "kubernetes", "forward", "cache", "reload", "import")


class BadCorefile(Exception):
    """The Corefile is refused; the text is what CoreDNS would log."""


@dataclass
class Hosts:
    """The plugin hosts: a file, inline entries, and whether what it does not know is passed on."""

    path: str = "/etc/hosts"
    inline: list[str] = field(default_factory=list)
    ttl: int = 3600
    reload: float = 5.0
    passes_on: bool = False


@dataclass
class Server:
    """A server block: the zones that it is for, and what its plugins are set to."""

    zones: list[str]
    hosts: Hosts | None = None
    local: list[str] = field(default_factory=list)
    upstream: tuple[str, int] | None = None
    cache: float = 0.0


@dataclass
class Configuration:
    """All server blocks; `reload`: seconds between looks at the Corefile and what it imports, None without that plugin."""

    servers: list[Server] = field(default_factory=list)
    reload: float | None = None


Line = list[str]


def read_lines(file: Path, depth: int = 0) -> list[Line]:
    """The words of each line, imports put in their places.

    Raises:
        BadCorefile: a file that is imported by its name is not there.
    """
    lines: list[Line] = []
    for text in file.read_text(encoding="utf-8").splitlines():
        words = text.split("#")[0].split()
        if words[:1] != ["import"]:
            lines += [words] if words else []
            continue
        pattern = words[1] if len(words) > 1 else ""
        found = sorted(path for path in map(Path, glob.glob(pattern)) if path.is_file())  # noqa: PTH207 - an absolute one
        if not found and not set(pattern) & set("*?["):
            raise BadCorefile(f"File to import not found: {pattern}")
        if depth > 5:
            raise BadCorefile(f"imports go in a circle: {pattern}")
        for each in found:
            lines += read_lines(each, depth + 1)
    return lines


def read_corefile(file: Path) -> tuple[Configuration, str]:
    """The configuration, and all its lines as one text, by which a change is seen.

    Raises:
        BadCorefile: CoreDNS would refuse it.
    """
    lines = read_lines(file)
    done, number = Configuration(), 0
    while number < len(lines):
        words = lines[number]
        if words[-1] != "{":
            raise BadCorefile(f"Corefile: unexpected token '{words[0]}' outside of a server block")
        number = _server(lines, number + 1, [_zone(key) for key in words[:-1]], done)
    return done, "\n".join(" ".join(line) for line in lines)


def _zone(key: str) -> str:
    return key.partition("://")[2].partition(":")[0] if "://" in key else key.partition(":")[0]


def _server(lines: list[Line], number: int, zones: list[str], done: Configuration) -> int:
    server, seen = Server([zone.rstrip(".").lower() for zone in zones]), set[str]()
    done.servers.append(server)
    while number < len(lines):
        words = lines[number]
        number += 1
        if words == ["}"]:
            return number
        inside: list[Line] = []
        if words[-1] == "{":
            words = words[:-1]
            while number < len(lines) and lines[number] != ["}"]:
                inside.append(lines[number])
                number += 1
            number += 1
        name = words[0]
        if name not in KNOWN:
            raise BadCorefile(f"Unknown directive '{name}'")
        if name in seen and name == "hosts":
            raise BadCorefile("plugin/hosts: this plugin can only be used once per Server Block")
        seen.add(name)
        _plugin(name, words[1:], inside, server, done)
    raise BadCorefile("Corefile: unexpected EOF: a server block is not closed")


def _plugin(name: str, words: Line, inside: list[Line], server: Server, done: Configuration) -> None:
    if name == "hosts":
        server.hosts = _hosts(words, inside)
    elif name == "kubernetes":
        server.local += [word.rstrip(".").lower() for word in words]
    elif name == "forward":
        target = _nameserver(words[1]) if len(words) > 1 else ""
        address, _, port = target.partition(":")
        server.upstream = (address, int(port or 53)) if address else None
    elif name == "cache":
        server.cache = float(words[0]) if words else 3600.0
    elif name == "reload":
        done.reload = max(2.0, _seconds(words[0])) if words else 30.0


def _hosts(words: Line, inside: list[Line]) -> Hosts:
    hosts = Hosts(path=words[0]) if words else Hosts()
    for line in inside:
        if line[0] == "fallthrough":
            hosts.passes_on = True
        elif line[0] == "no_reverse":
            continue
        elif line[0] == "ttl":
            hosts.ttl = int(line[1])
        elif line[0] == "reload":
            hosts.reload = _seconds(line[1])
        elif hosts.passes_on or len(line) < 2 or not set(line[0]) & set(".:"):
            raise BadCorefile(f"plugin/hosts: unknown property '{line[0]}'")
        else:
            hosts.inline.append(" ".join(line))
    return hosts


def _nameserver(word: str) -> str:
    """A forward's target: an address, or the first name server of a file such as /etc/resolv.conf."""
    if not word.startswith("/"):
        return word
    lines = [line.split() for line in Path(word).read_text(encoding="utf-8").splitlines()]
    return next((line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"), "")


def _seconds(word: str) -> float:
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if word.endswith(unit):
            return float(word.removesuffix(unit)) * factor
    return float(word)
