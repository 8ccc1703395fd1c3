"""What cargo-token and cargo-admin write into their logs; the lines are data (`service_lines.yml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from cargo_runbook.data import read_data
from cargo_runbook.observations import Observation
from cargo_runbook.texts import Text

SERVICES = ("cargo-token", "cargo-admin")


@dataclass(frozen=True)
class KnownLine:
    """One row of the table: `service` is empty where both services write it."""

    service: str
    pattern: re.Pattern[str]
    meaning: Text
    codes: tuple[str, ...]


@cache
def known_lines() -> tuple[KnownLine, ...]:
    """The table, in its order."""
    return tuple(
        KnownLine(row.get("service", ""), re.compile(row["pattern"]), Text(**row["meaning"]), tuple(row["codes"]))
        for row in read_data("cargo_runbook.facts", "service_lines.yml")
    )


@dataclass(frozen=True)
class Said:
    """A kind of line that a service wrote: how often, the last one as it stands, and when that was (RFC 3339)."""

    meaning: Text
    codes: tuple[str, ...]
    count: int
    last: str
    when: str

    @property
    def points_at_a_fault(self) -> bool:
        return bool(self.codes)


@dataclass(frozen=True)
class ServiceLog:
    """The end of one service's log.

    Args:
        lines: how many lines were read.
        said: what was recognised, what points at a fault first.
        since: time of the first line that was read.
        reason: why it could not be read; empty when it could.
        pods: how many pods the service has, where kubectl read only one of them; else 1.
    """

    service: str
    lines: int = 0
    said: tuple[Said, ...] = ()
    since: str = ""
    reason: str = ""
    pods: int = 1
    evidence: str = ""

    @property
    def telling(self) -> tuple[Said, ...]:
        """The lines that point at a fault."""
        return tuple(each for each in self.said if each.points_at_a_fault)


_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d) ")
_SEVERAL = re.compile(r"^Found (\d+) pods, using pod/", re.MULTILINE)


def read_service_log(service: str, observation: Observation) -> ServiceLog:
    """The facts in the answer to `kubectl logs deploy/SERVICE --timestamps`."""
    if not observation.answered or observation.exit_code:
        reason = str(observation.data.get("reason", "")) or observation.error.strip() or str(observation.status)
        return ServiceLog(service, reason=reason, evidence=observation.id)
    lines = observation.output.splitlines()
    several = _SEVERAL.search(observation.error)
    since = _STAMP.match(lines[0]) if lines else None
    return ServiceLog(
        service,
        lines=len(lines),
        said=_recognised(service, lines),
        since=since.group(1) + since.group(2) if since else "",
        pods=int(several.group(1)) if several else 1,
        evidence=observation.id,
    )


def _recognised(service: str, lines: Iterable[str]) -> tuple[Said, ...]:
    table = [known for known in known_lines() if known.service in ("", service)]
    seen: dict[int, Said] = {}
    for line in lines:
        stamp = _STAMP.match(line)
        words = line[stamp.end() :] if stamp else line
        number = next((i for i, known in enumerate(table) if known.pattern.search(words)), None)
        if number is None:
            continue
        known = table[number]
        before = seen.get(number) or Said(known.meaning, known.codes, 0, "", "")
        when = stamp.group(1) + stamp.group(2) if stamp else ""
        seen[number] = replace(before, count=before.count + 1, last=words.strip(), when=when)
    return tuple(seen[number] for number in sorted(seen, key=lambda n: (not seen[n].codes, n)))


@dataclass(frozen=True)
class ServicesFacts:
    """The logs of both services; none where the inventory names no cluster."""

    logs: tuple[ServiceLog, ...] = ()
    namespace: str = ""
