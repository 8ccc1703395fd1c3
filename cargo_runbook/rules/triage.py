"""The guide's ordered path (Cargo 问题排查路径): all rules in their order, and the root cause picked out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import CHECKS, Diagnosis, Finding, Health, Verdict
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.rules.challenge import judge_challenge
from cargo_runbook.rules.hosts import judge_containers, judge_hosts
from cargo_runbook.rules.names import judge_address, judge_names
from cargo_runbook.rules.permission import judge_login, judge_project, judge_pull
from cargo_runbook.rules.token import judge_token
from cargo_runbook.rules.token_service import judge_token_service
from cargo_runbook.rules.transport import judge_transport

ON_PATH = (*CHECKS, "host")
"""Checks that must all be ok for an environment to be healthy."""

Rule = Callable[[PathFacts], tuple[Finding, ...]]

RULES: tuple[Rule, ...] = (
    judge_hosts,
    judge_containers,
    judge_names,
    judge_address,
    judge_transport,
    judge_challenge,
    judge_token_service,
    judge_login,
    judge_token,
    judge_project,
    judge_pull,
)


def judge(facts: PathFacts) -> tuple[Finding, ...]:
    """All findings about the path, each fault that follows from another one marked with what it follows from."""
    return explain(tuple(_placed(facts, finding) for rule in RULES for finding in rule(facts)))


def _placed(facts: PathFacts, finding: Finding) -> Finding:
    """A fault that was seen by asking one of several hosts names it."""
    if facts.looked_at and finding.status is Verdict.FAULT and finding.vantage == "operator" and finding.check != "dns":
        return replace(finding, vantage=f"operator, at {facts.looked_at}")
    return finding


def explain(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sets `consequence_of` of each fault to the faults here that the catalog names as its possible causes."""
    at_fault = {f.code for f in findings if f.status is Verdict.FAULT}
    return tuple(
        replace(f, consequence_of=tuple(c for c in catalog()[f.code].follows_from if c in at_fault))
        if f.status is Verdict.FAULT
        else f
        for f in findings
    )


def conclude(
    environment: str,
    domain: str,
    findings: Sequence[Finding],
    *,
    started: str,
    seconds: float,
    replayed: str = "",
    operation: str = "",
) -> Diagnosis:
    """The diagnosis out of explained findings. A fault that follows from no other one is a root cause.

    What was left out beside the path of a pull (an environment without replication, say) leaves it healthy.
    """
    roots = tuple(dict.fromkeys(f.code for f in findings if f.status is Verdict.FAULT and not f.consequence_of))
    at_fault = {f.code for f in findings if f.status is Verdict.FAULT}
    if at_fault:
        status = Health.FAULT
    elif all(f.status is Verdict.OK or (f.status is Verdict.SKIPPED and f.check not in ON_PATH) for f in findings):
        status = Health.HEALTHY
    else:
        status = Health.UNKNOWN
    return Diagnosis(
        environment=environment,
        domain=domain,
        status=status,
        root_causes=roots,
        findings=tuple(findings),
        # What holds on one host and not on another is not refuted.
        refuted=tuple(
            c for c in dict.fromkeys(f.code for f in findings if f.status is Verdict.OK) if c not in at_fault
        ),
        untested=tuple(dict.fromkeys(f.code for f in findings if f.status in (Verdict.UNKNOWN, Verdict.SKIPPED))),
        started=started,
        seconds=seconds,
        replayed=replayed,
        operation=operation,
    )
