"""Which records are meant: by environment, runbook, code, status, time, incident and text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cargo_runbook.archive.files import utc
from cargo_runbook.archive.record import RUN
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What is asked for; empty fields ask for nothing.

    Args:
        environments: names, or patterns such as `prod-*`; one must fit.
        runbook: name or pattern.
        code: a root cause.
        status: healthy, fault, unknown or failed.
        since, until: ISO UTC times between which a run began (see `moment`).
        incident: id or pattern.
        text: words that must all be there (see `text.query`).
        pruned: also those of which only the manifest is left.
        notes: also what is no run: notes of people, and fixes.
    """

    environments: tuple[str, ...] = ()
    runbook: str = ""
    code: str = ""
    status: str = ""
    since: str = ""
    until: str = ""
    incident: str = ""
    text: str = ""
    pruned: bool = False
    notes: bool = False

    def conditions(self) -> tuple[list[str], list[Any]]:
        """Conditions on the table `records` and their values, all but those of the text."""
        found: list[tuple[str, list[Any]]] = []
        if self.environments:
            each = [_named("environment", name) for name in self.environments]
            found.append((f"({' OR '.join(sql for sql, _ in each)})", [value for _, value in each]))
        if self.runbook:
            sql, value = _named("runbook", self.runbook)
            found.append((sql, [value]))
        if self.status:
            found.append(("status = ?", [self.status]))
        if self.since:
            found.append(("started >= ?", [self.since]))
        if self.until:
            found.append(("started < ?", [self.until]))
        if self.incident:
            # The second half makes SQLite use the index, which has only those with an incident.
            sql, value = _named("incident", self.incident)
            found.append((f"{sql} AND incident != ''", [value]))
        if not self.notes:
            found.append(("kind = ?", [RUN]))
        if not self.pruned:
            found.append(("pruned = 0", []))
        return [sql for sql, _ in found], [value for _, values in found for value in values]


def moment(text: str, now: datetime | None = None) -> str:
    """A time that a person gives, as records have it: ISO (UTC unless it says otherwise), or an age such as 90m or 7d.

    Raises:
        UsageError: it is neither.
    """
    if age := re.fullmatch(r"(\d+)([mhdw])", text):
        return utc((now or datetime.now(UTC)) - timedelta(**{_UNITS[age[2]]: int(age[1])}))
    try:
        told = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(
            tell(f"{text!r} is no time", f"{text!r} 不是有效的时间"),
            next_step=tell(
                "Give it as 2026-03-04, 2026-03-04T10:00 (UTC), or an age: 90m, 12h, 7d.",
                "写法如 2026-03-04、2026-03-04T10:00（UTC），或时长 90m、12h、7d。",
            ),
        ) from None
    return utc(told if told.tzinfo else told.replace(tzinfo=UTC))


def _named(column: str, name: str) -> tuple[str, str]:
    is_pattern = set(name) & set("*?[")
    return f"{column} {'GLOB' if is_pattern else '='} ?", name
