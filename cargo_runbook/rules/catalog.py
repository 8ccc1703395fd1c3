"""The catalog of finding codes: `catalog.yml`, read once, and the one place where findings are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cargo_runbook.data import read_data
from cargo_runbook.findings import Finding, Link, Severity, Verdict
from cargo_runbook.texts import Text


@dataclass(frozen=True)
class Code:
    """One entry of the catalog; see the head of `catalog.yml` for the meaning of the fields."""

    code: str
    check: str
    severity: Severity
    section: str
    title: Text
    explanation: Text
    remedies: tuple[str, ...]
    follows_from: tuple[str, ...]


@cache
def catalog() -> Mapping[str, Code]:
    """All codes, in the order of the file."""
    raw = read_data(__package__, "catalog.yml")
    return {
        code: Code(
            code=code,
            check=entry["check"],
            severity=Severity(entry["severity"]),
            section=entry["section"],
            title=Text(**entry["title"]),
            explanation=Text(**entry["explanation"]),
            remedies=tuple(entry["remedies"]),
            follows_from=tuple(entry["follows_from"]),
        )
        for code, entry in raw.items()
    }


def titles() -> Mapping[str, Text]:
    """The title of each code."""
    return {code: entry.title for code, entry in catalog().items()}


def finding(code: str, status: Verdict, vantage: str, summary: Text, *chain: Link) -> Finding:
    """A finding with what the catalog says of `code`. Root or consequence is decided later, over all findings.

    Raises:
        KeyError: the catalog has no such code.
    """
    entry = catalog()[code]
    return Finding(
        code=code,
        check=entry.check,
        status=status,
        vantage=vantage,
        summary=summary,
        chain=chain,
        title=entry.title,
        severity=entry.severity if status is Verdict.FAULT else Severity.INFO,
        section=entry.section,
        remedies=entry.remedies if status is Verdict.FAULT else (),
    )
