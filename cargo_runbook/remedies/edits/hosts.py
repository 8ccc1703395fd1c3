"""Hosts files (hosts(5)), and kube-dns' `myhosts`, which has the same form."""

from __future__ import annotations

import re

from cargo_runbook.facts.hosts_file import read_hosts
from cargo_runbook.remedies.edits.lines import lines_of, with_line


def set_address(text: str, name: str, address: str) -> str:
    """The file with `name` at `address`, and nowhere else.

    Lines that give the name another address lose the name (the whole line where it is the only one, a comment behind
    it included in what stays); all other lines stay as they are.
    """
    wanted = name.lower().rstrip(".")
    right = [e for e in read_hosts(text) if wanted in e.names and e.address == address]
    kept = []
    for number, line in enumerate(lines_of(text), start=1):
        said = line.split()[:1] == [address] or any(r.line == number for r in right)
        kept.append(line if said else without_name(line, wanted))
    rest = "".join(kept)
    return rest if right else with_line(rest, f"{address} {name}")


def without_name(line: str, name: str) -> str:
    """The line without that name; nothing where it has no other one."""
    wanted = name.lower().rstrip(".")
    entry, comment = _split(line)
    words = entry.split()
    names = [word for word in words[1:] if word.lower().rstrip(".") == wanted]
    if names and len(words) - 1 == len(names):
        return ""
    for word in names:
        entry = re.sub(rf"[ \t]+{re.escape(word)}(?=[ \t\r\n]|\Z)", "", entry, count=1)
    return entry + comment


def _split(line: str) -> tuple[str, str]:
    """The entry, and the comment behind it (with the line's end where there is a comment)."""
    entry, mark, comment = line.partition("#")
    return entry, mark + comment
