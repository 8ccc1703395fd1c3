"""All replications of an environment: each policy judged by itself, and the findings of all put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.replication import EnvironmentReplication, PolicyFacts, Reason
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.replication import codes, judge_replication, merge
from cargo_runbook.rules.replication.progress import SOURCE
from cargo_runbook.texts import Text

__all__ = ["AT_DESTINATION", "SYMPTOMS", "codes", "judge_environment"]

SYMPTOMS = ("CRG401", "CRG402")
# What these say was learnt at the destination, or is to be changed there.
AT_DESTINATION = frozenset(
    {"CRG416", "CRG417", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422", "CRG424", "CRG425", "CRG426", "CRG427"}
    | {"CRG428", "CRG429", "CRG430", "CRG431", "CRG434", "CRG439"}
)
# A job that has just begun is no trouble and no riddle.
_JUST_BEGUN = frozenset({"CRG414", "CRG415", "CRG432"})

_REASONS = {
    Reason.NO_ADMIN: Text(
        "the inventory has no admin of this Harbor, who alone may list jobs", "环境文件中没有该 Harbor 的管理员账号"
    ),
    Reason.NOT_REACHED: Text("Harbor's API was not reached", "未能访问 Harbor API"),
    Reason.REFUSED: Text("Harbor refuses the admin of the inventory", "Harbor 拒绝了环境文件中的管理员账号"),
    Reason.LATER_GENERATION: Text(
        "a Harbor of generation 2, whose executions and tasks are not read here",
        "Harbor 2.x，其 execution 与 task 不在检查范围内",
    ),
    Reason.NO_SUCH_POLICY: Text("Harbor has no policy of that name", "Harbor 中没有该名称的同步策略"),
}
_NOT_TOLD = (Reason.REFUSED, Reason.NO_SUCH_POLICY)


def judge_environment(_path: PathFacts, facts: EnvironmentReplication) -> tuple[Finding, ...]:
    """The findings of the concern `replication`.

    Nothing is said of causes while no newest job is in trouble, and nothing is a fault where Harbor was not reached:
    that is a matter of the path.
    """
    generation = facts.generation
    if generation is not None and generation.status == 500 and not generation.version:
        # A matter of its own (CRG507): this Harbor carries out nothing, and refuses its admin as well.
        return tuple(_left_out(Text("Harbor itself is not able", "Harbor 自身异常"), evidence=generation.evidence))
    if facts.reason:
        told = Verdict.UNKNOWN if facts.reason in _NOT_TOLD else Verdict.SKIPPED
        return tuple(_left_out(_REASONS[Reason(facts.reason)], told, facts.evidence))
    if not facts.policies:
        return tuple(_left_out(Text("there is no replication policy", "没有同步策略"), Verdict.OK, facts.evidence))
    found = [finding_ for policy in facts.policies for finding_ in _judge_policy(policy)]
    merged = merge(found)
    if any(policy.facts.closely for policy in facts.policies):
        return tuple(merged)
    return tuple(f for f in merged if f.status is not Verdict.SKIPPED or f.code in SYMPTOMS)


def _judge_policy(policy: PolicyFacts) -> Iterator[Finding]:
    for each in judge_replication(policy.facts):
        unclear = each.status is Verdict.UNKNOWN and each.code in _JUST_BEGUN
        if each.status is Verdict.SKIPPED and each.code not in SYMPTOMS:
            continue
        if unclear and not policy.facts.closely:
            continue
        # Where there is no job, none is stuck and none has failed.
        idle = each.status is Verdict.SKIPPED and not policy.facts.closely
        yield _placed(replace(each, status=Verdict.OK) if idle else each, policy)


def _placed(each: Finding, policy: PolicyFacts) -> Finding:
    """With the place in its vantage: which destination, or which policy."""
    if each.vantage not in (SOURCE, "destination") or each.status is Verdict.OK:
        return each
    if each.code in AT_DESTINATION:
        return replace(each, vantage=f"destination {policy.destination or policy.policy.endpoint}")
    return replace(each, vantage=f"{SOURCE}, policy {policy.policy.name}")


def _left_out(why: Text, status: Verdict = Verdict.SKIPPED, evidence: str = "") -> Iterator[Finding]:
    links = (Link(evidence, why, Text("jobs were not looked at", "未检查同步任务")),) if evidence else ()
    yield from (finding(code, status, SOURCE, why, *links) for code in SYMPTOMS)
