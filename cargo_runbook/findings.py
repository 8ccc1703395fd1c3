"""Findings and the diagnosis: what the rules say, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cargo_runbook.texts import Text


class Verdict(StrEnum):
    """Status of a finding. `skipped` was not testable because of something before it; `unknown` could not be told."""

    OK = "ok"
    FAULT = "fault"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    MAJOR = "major"
    CRITICAL = "critical"


class Health(StrEnum):
    """Status of a diagnosis, with the exit code of every command that diagnoses."""

    HEALTHY = "healthy"
    FAULT = "fault"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        return {"healthy": 0, "fault": 1, "unknown": 3}[self.value]


@dataclass(frozen=True)
class Link:
    """One link of a chain: evidence id, the rule in words, what follows."""

    observation: str
    rule: Text
    consequence: Text


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A stable code with what was found.

    Args:
        code: `CRG101` and so on; see `rules/catalog.yml`.
        check: station of a pull that this belongs to (one of CHECKS), or `host` for access to the Cargo hosts.
        status: see Verdict.
        vantage: where it was seen, as text.
        summary: one sentence.
        chain: links that lead here; each points at evidence.
        consequence_of: codes of root causes that this fault follows from in this diagnosis (empty: root cause).
        title, severity, section, remedies: from the catalog.
    """

    code: str
    check: str
    status: Verdict
    vantage: str
    summary: Text
    chain: tuple[Link, ...] = ()
    consequence_of: tuple[str, ...] = ()
    title: Text = field(default_factory=lambda: Text("", ""))
    severity: Severity = Severity.INFO
    section: str = ""
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The findings of one run, with the root causes picked out.

    Args:
        environment, domain: from the inventory; carried inside, never matched up by position.
        status: healthy, fault or unknown.
        root_causes: codes, in the order of the path.
        findings: all of them, ok ones included.
        refuted: codes that were tested and are not so.
        untested: codes that could not be tested.
        started: ISO UTC time; seconds: wall time of the whole look.
        replayed: empty for a live run, else "replayed evidence of DATE".
        operation: what was said to fail, one of OPERATIONS; empty where nobody said it.
    """

    environment: str
    domain: str
    status: Health
    root_causes: tuple[str, ...]
    findings: tuple[Finding, ...]
    refuted: tuple[str, ...]
    untested: tuple[str, ...]
    started: str = ""
    seconds: float = 0.0
    replayed: str = ""
    operation: str = ""

    def cells(self) -> Mapping[str, Verdict]:
        """One verdict a check, in the order of CHECKS, as the client meets it.

        A fault comes before unknown, and that before the rest. What lies behind a fault is `skipped` even where it
        was tested by going around the broken link: the client does not get there.
        """
        cells: dict[str, Verdict] = {}
        for check in CHECKS:
            found = {f.status for f in self.findings if f.check == check}
            if Verdict.FAULT in found:
                cells[check] = Verdict.FAULT
            elif Verdict.UNKNOWN in found:
                cells[check] = Verdict.UNKNOWN
            elif Verdict.FAULT in cells.values() or Verdict.OK not in found or Verdict.SKIPPED in found:
                cells[check] = Verdict.SKIPPED
            else:
                cells[check] = Verdict.OK
        return cells

    def roots(self) -> tuple[Finding, ...]:
        """The findings that are root causes, in the order of `root_causes`."""
        faults = [f for f in self.findings if f.status is Verdict.FAULT]
        return tuple(f for code in self.root_causes for f in faults if f.code == code)


PULL, PUSH, LOGIN = "pull", "push", "login"
OPERATIONS = (PULL, PUSH, LOGIN)
"""What a client may have been at when it failed."""

CHECKS = ("dns", "tls", "challenge", "login", "token", "project", "pull")


def diagnosis_to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The machine interface of design: fields may be added, none is taken away."""
    return {
        "environment": diagnosis.environment,
        "domain": diagnosis.domain,
        "status": str(diagnosis.status),
        "root_causes": list(diagnosis.root_causes),
        "findings": [_finding_to_json(f) for f in diagnosis.findings],
        "refuted": list(diagnosis.refuted),
        "untested": list(diagnosis.untested),
        "cells": {check: str(v) for check, v in diagnosis.cells().items()},
        "started": diagnosis.started,
        "seconds": round(diagnosis.seconds, 3),
        "replayed": diagnosis.replayed,
        "operation": diagnosis.operation,
    }


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "check": finding.check,
        "status": str(finding.status),
        "severity": str(finding.severity),
        "vantage": finding.vantage,
        "title": finding.title.en,
        "title_zh": finding.title.zh,
        "summary": finding.summary.en,
        "summary_zh": finding.summary.zh,
        "section": finding.section,
        "consequence_of": list(finding.consequence_of),
        "chain": [
            {
                "observation": link.observation,
                "rule": link.rule.en,
                "rule_zh": link.rule.zh,
                "consequence": link.consequence.en,
                "consequence_zh": link.consequence.zh,
            }
            for link in finding.chain
        ],
        "remedies": list(finding.remedies),
    }


def diagnosis_from_json(body: Mapping[str, Any]) -> Diagnosis:
    """The inverse of `diagnosis_to_json`; fields that it does not know are passed over.

    Raises:
        KeyError, ValueError: a field is missing or has a value that is none.
    """
    return Diagnosis(
        environment=body["environment"],
        domain=body.get("domain", ""),
        status=Health(body["status"]),
        root_causes=tuple(body["root_causes"]),
        findings=tuple(_finding_from_json(f) for f in body["findings"]),
        refuted=tuple(body["refuted"]),
        untested=tuple(body["untested"]),
        started=body.get("started", ""),
        seconds=float(body.get("seconds", 0.0)),
        replayed=body.get("replayed", ""),
        operation=body.get("operation", ""),
    )


def _finding_from_json(body: Mapping[str, Any]) -> Finding:
    def text(field_name: str, source: Mapping[str, Any] = body) -> Text:
        return Text(source.get(field_name, ""), source.get(f"{field_name}_zh", ""))

    return Finding(
        code=body["code"],
        check=body["check"],
        status=Verdict(body["status"]),
        vantage=body["vantage"],
        summary=text("summary"),
        chain=tuple(Link(link["observation"], text("rule", link), text("consequence", link)) for link in body["chain"]),
        consequence_of=tuple(body.get("consequence_of", ())),
        title=text("title"),
        severity=Severity(body["severity"]),
        section=body.get("section", ""),
        remedies=tuple(body.get("remedies", ())),
    )
