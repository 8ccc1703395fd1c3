"""What each cause means: `causes.yml`, read once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from cargo_runbook.data import read_data
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.symptoms.patterns import UNKNOWN
from cargo_runbook.texts import Text

# The section that is about everything.
_ANY = "Cargo 问题排查路径"


@dataclass(frozen=True)
class Cause:
    """One entry of the table; see its head.

    Args:
        tell: the question that proves or refutes it, with `{domain}` and `{repository}` to fill in.
    """

    name: str
    title: Text
    section: str
    section_in_pod: str
    tell: Text
    proven_by: tuple[re.Pattern[str], ...]


@cache
def causes() -> Mapping[str, Cause]:
    """All causes, `unknown` last."""
    raw = read_data("cargo_runbook.symptoms", "causes.yml")
    return {
        name: Cause(
            name=name,
            title=Text(**row["title"]),
            section=row["section"],
            section_in_pod=row.get("section_in_pod", row["section"]),
            tell=Text(**row["tell"]),
            proven_by=tuple(re.compile(pattern) for pattern in row["proven_by"]),
        )
        for name, row in raw.items()
    }


def cause_of(code: str, candidates: Iterable[str] = ()) -> str:
    """The cause that a finding code of a live diagnosis is; `unknown` where it is none.

    Args:
        candidates: causes that a text has; one of them is preferred where a code may be several.
    """
    possible = [cause.name for cause in causes().values() if any(p.fullmatch(code) for p in cause.proven_by)]
    if not possible and code in catalog():
        # A code that the table does not name is what its section of the guide is about.
        section = catalog()[code].section
        possible = [c.name for c in causes().values() if section in (c.section, c.section_in_pod) and section != _ANY]
    return next((name for name in candidates if name in possible), possible[0] if possible else UNKNOWN)


def as_markdown() -> str:
    """The table of causes in `docs/symptoms.md`."""
    rows = [
        f"| `{cause.name}` | {cause.title.en} | {cause.title.zh} | {cause.section} | {NOTEBOOKS[cause.section]} |"
        for cause in causes().values()
    ]
    head = "| cause | what | 含义 | section of the guide | notebook |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"
