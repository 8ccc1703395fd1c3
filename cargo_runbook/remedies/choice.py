"""Which finding is meant, and which of its remedies."""

from __future__ import annotations

from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Diagnosis, Finding, Health, Verdict
from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.remedies.table import REMEDIES
from cargo_runbook.remedies.workbench import NoRemedy


def fault_of(diagnosis: Diagnosis, code: str) -> Finding | None:
    """The finding that is at fault; None where it is not.

    Raises:
        UsageError: the code is unknown here.
    """
    found = [finding for finding in diagnosis.findings if finding.code == code]
    fault = next((finding for finding in found if finding.status is Verdict.FAULT), None)
    if fault is None and diagnosis.status is not Health.HEALTHY and found and found[0].status is not Verdict.OK:
        raise UsageError(
            f"{code} could not be tested on {diagnosis.environment} ({found[0].summary.en})",
            next_step=f"Root causes found: {', '.join(diagnosis.root_causes) or 'none'}.",
        )
    return fault


def remedy_for(finding: Finding, wanted: str) -> Remedy:
    """The remedy of that name, or the first that can be done from here.

    Raises:
        UsageError: the finding has no remedy of that name.
        NoRemedy: none can be done from here.
    """
    known = [REMEDIES[name] for name in finding.remedies if name in REMEDIES]
    if wanted and wanted not in [remedy.name for remedy in known]:
        raise UsageError(
            f"{wanted!r} is no remedy for {finding.code}",
            next_step=f"There are: {', '.join(r.name for r in known) or 'none'}.",
        )
    for remedy in known:
        if remedy.build is not None and wanted in ("", remedy.name):
            return remedy
    by_hand = "; ".join(remedy.how.en for remedy in known)
    raise NoRemedy(
        f"{finding.code} ({finding.title.en}) has no remedy that can be done from here",
        next_step=by_hand or "See what the verdict says, and the section of the guide.",
        section=finding.section,
    )
