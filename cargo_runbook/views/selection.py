"""Which findings of a diagnosis a view shows, and in which order."""

from __future__ import annotations

from cargo_runbook.findings import Diagnosis, Finding, Verdict


def unclear(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """What could not be told. A dead host makes every check say the same sentence: it is kept once, with its code."""
    kept: dict[str, Finding] = {}
    for finding in diagnosis.findings:
        if finding.status is Verdict.UNKNOWN:
            first = kept.get(finding.summary.en)
            if first is None or (finding.code and not first.code):
                kept[finding.summary.en] = finding
    return tuple(kept.values())


def followers(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """The faults that are consequences of a root cause."""
    return tuple(f for f in diagnosis.findings if f.status is Verdict.FAULT and f.consequence_of)
