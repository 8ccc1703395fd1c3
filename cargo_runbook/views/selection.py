"""Which findings of a diagnosis a view shows, and in which order."""

from __future__ import annotations

from cargo_runbook.findings import CHECKS, Diagnosis, Finding, Verdict


def unclear(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """What could not be told, at the first station where that is so and at the hosts: what lies behind it follows.

    A sentence that several findings share is kept once, with its code.
    """
    unknown = [finding for finding in diagnosis.findings if finding.status is Verdict.UNKNOWN]
    station = next((check for check in CHECKS if any(f.check == check for f in unknown)), "")
    kept: dict[str, Finding] = {}
    for finding in unknown:
        if finding.check == station or finding.check not in CHECKS:
            first = kept.get(finding.summary.en)
            if first is None or (finding.code and not first.code):
                kept[finding.summary.en] = finding
    return tuple(kept.values())


def followers(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """The faults that are consequences of a root cause."""
    return tuple(f for f in diagnosis.findings if f.status is Verdict.FAULT and f.consequence_of)
