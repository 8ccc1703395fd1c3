"""CoreDNS' Corefile: an entry in its `hosts` block (coredns, plugin/hosts), every other line as it was."""

from __future__ import annotations

import re

from cargo_runbook.remedies.edits.hosts import without_name
from cargo_runbook.remedies.edits.lines import ending_of, lines_of

_SERVER = re.compile(r"^([^\s#{][^#{]*)\{\s*(#.*)?$")
_HOSTS = re.compile(r"^(\s*)hosts\b([^{#]*)(\{)?\s*(#.*)?$")
_ENTRY = re.compile(r"\s*[0-9A-Fa-f]*[.:]")
_CLOSES = re.compile(r"^\s*\}")
_ROOT = re.compile(r"(?:^|\s)\.(?::53)?(?=\s|$)")


class NoBlock(ValueError):
    """The Corefile has no server block for all names in a form that is edited; the text says what was found."""


def set_hosts_entry(text: str, name: str, address: str) -> str:
    """The Corefile with `name` at `address` in the hosts block of the server block for all names.

    An entry goes into the block that is there; where there is none, into a new one with `fallthrough`, without which
    every other name would fail.

    Raises:
        NoBlock: there is no server block `.` or `.:53`, or its hosts block is written in one line or has no
            `fallthrough`.
    """
    lines, end = lines_of(text), ending_of(text)
    first, last = _root(lines)
    for number in range(first, last):
        found = _HOSTS.match(lines[number].rstrip("\r\n"))
        if found is None:
            continue
        if not found[3]:
            if "{" in lines[number]:
                raise NoBlock("its hosts block is written in one line")
            opened = f"{lines[number].rstrip()} {{{end}"
            entry = [
                opened,
                f"{found[1]}    {address} {name}{end}",
                f"{found[1]}    fallthrough{end}",
                f"{found[1]}}}{end}",
            ]
            return "".join([*lines[:number], *entry, *lines[number + 1 :]])
        closes = next(n for n in range(number + 1, last + 1) if _CLOSES.match(lines[n]))
        return _in_block(lines, number + 1, closes, name, address, found[1] + "    ", end)
    blank = next(
        (line[: len(line) - len(line.lstrip())] for line in lines[first:last] if line.split("#")[0].strip()), "    "
    )
    block = [f"{blank}hosts {{", f"{blank}    {address} {name}", f"{blank}    fallthrough", f"{blank}}}"]
    return "".join([*lines[:first], *(line + end for line in block), *lines[first:]])


def hosts_file(text: str, name: str) -> str:
    """The file that the hosts block for all names reads (k3s: /etc/coredns/NodeHosts); empty where it reads none of
    its own, or has the name among its inline entries.

    Raises:
        NoBlock: as `set_hosts_entry`.
    """
    lines = lines_of(text)
    first, last = _root(lines)
    for number in range(first, last):
        found = _HOSTS.match(lines[number].rstrip("\r\n"))
        if found is None:
            continue
        inside = []
        if found[3]:
            inside = lines[number + 1 : next(n for n in range(number + 1, last + 1) if _CLOSES.match(lines[n]))]
        named = any(name in line.split("#")[0].split()[1:] for line in inside)
        return "" if named else next(iter(found[2].split()), "")
    return ""


def server_block(name: str, address: str) -> str:
    """A server block for this one name, for a file that the Corefile imports (k3s, managed clusters)."""
    return f"{name}:53 {{\n    hosts {{\n        {address} {name}\n    }}\n}}\n"


def _root(lines: list[str]) -> tuple[int, int]:
    """First line inside the server block for all names, and the line that closes it."""
    depth, start = 0, -1
    for number, line in enumerate(lines):
        code = line.partition("#")[0]
        opened = _SERVER.match(line.rstrip("\r\n")) if depth == 0 else None
        if opened and _ROOT.search(opened[1]):
            start = number + 1
        depth += code.count("{") - code.count("}")
        if depth == 0 and start >= 0 and "}" in code:
            return start, number
    raise NoBlock("it has no server block for all names (`.` or `.:53`)")


def _in_block(lines: list[str], first: int, closes: int, name: str, address: str, blank: str, end: str) -> str:
    inside = lines[first:closes]
    if not any(line.split("#")[0].split()[:1] == ["fallthrough"] for line in inside):
        raise NoBlock("its hosts block has no fallthrough: it answers for all names")
    done: list[str] = []
    right, last = False, -1
    for line in inside:
        words = line.split("#")[0].split()
        if not _ENTRY.match(line) or name not in words[1:] or words[0] == address:
            right |= name in words[1:] and words[0] == address
        else:
            line = without_name(line, name)
        if _ENTRY.match(line):
            last, blank = len(done), line[: len(line) - len(line.lstrip())]
        if line:
            done.append(line)
    if not right:
        done.insert(last + 1, f"{blank}{address} {name}{end}")
    return "".join([*lines[:first], *done, *lines[closes:]])
