"""Sections 镜像同步一直同步中 and 镜像同步同步失败: policies and jobs of this environment's Harbor, and what is behind them.

Lists are read always; logs, and the destination from its own side, only where the newest job of some repository is in
trouble. The questions are those of Harbor 1.x (goharbor/harbor v1.4.0, docs/swagger.yaml).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import quote

from cargo_runbook.facts.admin_records import AdminReplication, read_records, read_replications
from cargo_runbook.facts.harbor.job_log import JobLog, read_job_log
from cargo_runbook.facts.harbor.jobs import Job, JobList, join_pages, read_jobs
from cargo_runbook.facts.harbor.replication import Answer, Health, OtherPolicy, ReplicationFacts, Silence
from cargo_runbook.facts.replication import (
    EnvironmentReplication,
    Generation,
    PolicyFacts,
    Reason,
    SavedPolicy,
    at_work,
    read_generation,
    read_policies,
    read_silence,
    troubled,
)
from cargo_runbook.inventory.models import Account, AccountKind, Environment
from cargo_runbook.observations import HttpRequest, Observation, Question
from cargo_runbook.probes.asking import Ask, together
from cargo_runbook.probes.destination import DestinationSeen, look_at_destination
from cargo_runbook.probes.scene import Scene

# Harbor shows 500 entries on a page at most.
PAGE = 500
MOST_PAGES = 20
SECONDS = 4.0
# How long a silent destination is listened to.
PATIENCE = 2.0
# Of many jobs that fail alike a few logs tell all.
MOST_LOGS = 8
EARLIER = 4
MOST_POLICIES = 8
AT_ONCE = 8


@dataclass(frozen=True)
class SourceHarbor:
    """The Harbor of the environment that is looked at, asked as its admin."""

    ask: Ask
    environment: Environment
    connect_to: str
    admin: Account

    def question(self, path: str, *, account: bool = True) -> HttpRequest:
        return HttpRequest(
            url=f"https://{self.environment.authority}{path}",
            connect_to=self.connect_to,
            account=self.admin.name if account else "",
            deadline=SECONDS,
        )

    def pages(self, first: Observation, path: str) -> list[Observation]:
        """The first page and those that its X-Total-Count promises."""
        counted = first.header("x-total-count")
        last = min(math.ceil(int(counted) / PAGE), MOST_PAGES) if counted.isdecimal() else 1
        return [first, *together(self.ask, [self.question(_page(path, number)) for number in range(2, last + 1)])]


def _page(path: str, number: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}page={number}&page_size={PAGE}"


def first_policies(harbor: SourceHarbor) -> Observation:
    """The first page of the policies: one question, whoever asks it."""
    return harbor.ask(harbor.question(_page("/api/policies/replication", 1)))


def ask_replication(scene: Scene) -> EnvironmentReplication:
    """All about the replications that this environment's Harbor carries out."""
    admin = scene.environment.account(AccountKind.ADMIN)
    if admin is None:
        return EnvironmentReplication(reason=Reason.NO_ADMIN)
    harbor = SourceHarbor(scene.ask, scene.environment, scene.connect_to(), admin)
    generation = read_generation(harbor.ask(harbor.question("/api/systeminfo", account=False)))
    if (generation.status == 200 and not generation.version) or generation.status == 404:
        later = harbor.ask(harbor.question("/api/v2.0/systeminfo", account=False))
        generation = read_generation(later)
    if generation.is_later:
        return EnvironmentReplication(generation=generation, reason=Reason.LATER_GENERATION)
    if not generation.version:
        broken = generation.status == 500
        return EnvironmentReplication(generation=generation, reason="" if broken else Reason.NOT_REACHED)
    listed = first_policies(harbor)
    if listed.data.get("status") != 200:
        refused = listed.data.get("status") in (401, 403)
        reason = Reason.REFUSED if refused else Reason.NOT_REACHED
        return EnvironmentReplication(generation=generation, reason=reason, evidence=listed.id)
    policies = read_policies(harbor.pages(listed, "/api/policies/replication"))
    wanted = [p for p in policies if not scene.wanted.policy or p.name == scene.wanted.policy]
    if scene.wanted.policy and not wanted:
        return EnvironmentReplication(generation=generation, reason=Reason.NO_SUCH_POLICY, evidence=listed.id)
    jobs = _jobs(harbor, policies)
    looked = _look(scene, harbor, generation, policies, wanted, jobs)
    return EnvironmentReplication(
        generation=generation,
        policies=looked,
        records=_records(scene, [each.policy for each in looked if each.facts.closely]),
        evidence=listed.id,
    )


def _jobs(harbor: SourceHarbor, policies: Sequence[SavedPolicy]) -> dict[int, JobList]:
    paths = [f"/api/jobs/replication?policy_id={policy.id}" for policy in policies]
    firsts = together(harbor.ask, [harbor.question(_page(path, 1)) for path in paths])
    lists = [
        join_pages(read_jobs(page) for page in harbor.pages(first, path))
        for first, path in zip(firsts, paths, strict=True)
    ]
    return {policy.id: jobs for policy, jobs in zip(policies, lists, strict=True) if jobs is not None}


def _look(
    scene: Scene,
    harbor: SourceHarbor,
    generation: Generation,
    policies: Sequence[SavedPolicy],
    wanted: Sequence[SavedPolicy],
    jobs: Mapping[int, JobList],
) -> tuple[PolicyFacts, ...]:
    """Every policy that is wanted; closely where something is wrong with it."""
    source = Health(scene.environment.name, Answer(generation.status, "", generation.evidence))
    closely = [p for p in wanted if troubled(jobs.get(p.id))][:MOST_POLICIES]
    # Jobs of other policies hold the same few workers.
    running = [p for p in policies if p in closely or _runs(jobs.get(p.id))] if closely else []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        logs = dict(zip((p.id for p in running), pool.map(lambda p: _logs(harbor, jobs[p.id]), running), strict=True))
        hanging = [p for p in running if _hanging(jobs.get(p.id))]
        listening = {p.id: pool.submit(_listen, scene, p) for p in hanging}
        looking = {
            p.id: pool.submit(look_at_destination, scene, harbor.admin, p, jobs[p.id], logs[p.id]) for p in closely
        }
        heard = {number: asked.result() for number, asked in listening.items()}
        sides = {number: asked.result() for number, asked in looking.items()}
    registry = _registry(harbor) if closely else None
    looked = []
    for policy in wanted:
        facts = ReplicationFacts(
            policy=policy.name,
            endpoint=policy.endpoint,
            username=policy.username,
            jobs=jobs.get(policy.id),
            source=source,
            closely=policy in closely,
        )
        seen = sides.get(policy.id)
        if seen is None:
            looked.append(PolicyFacts(policy=policy, facts=facts))
            continue
        others = tuple(
            OtherPolicy(other.name, other.endpoint, jobs[other.id], logs[other.id], heard.get(other.id))
            for other in running
            if other != policy
        )
        facts = replace(
            facts,
            logs=logs[policy.id],
            others=others,
            silence=heard.get(policy.id),
            source=replace(source, registry=registry),
        )
        looked.append(_with(policy, facts, seen))
    return tuple(looked)


def _with(policy: SavedPolicy, facts: ReplicationFacts, seen: DestinationSeen) -> PolicyFacts:
    facts = replace(
        facts,
        pings=seen.pings,
        tokens=seen.tokens,
        keys=seen.keys,
        redirect=seen.redirect,
        registry_logs=seen.registry_logs,
        front_logs=seen.front_logs,
        destination=seen.health,
        clocks=seen.clocks,
    )
    return PolicyFacts(
        policy=policy,
        facts=facts,
        destination=seen.environment,
        not_asked=seen.not_asked,
        names=seen.names,
        nodes=seen.nodes,
        address=seen.address,
    )


def _runs(jobs: JobList | None) -> bool:
    return jobs is not None and any(job.status == "running" for job in jobs.jobs or ())


def _hanging(jobs: JobList | None) -> tuple[Job, ...]:
    running = (job for job in (jobs.jobs or ()) if job.status == "running") if jobs is not None else ()
    return tuple(job for job in running if jobs is not None and not at_work(job, jobs))


def _logs(harbor: SourceHarbor, jobs: JobList) -> dict[int, JobLog]:
    """Logs of the jobs in trouble, of those that run, and of earlier and neighbouring ones that tell how it used to be."""
    chosen = [*troubled(jobs)[:MOST_LOGS], *_hanging(jobs)[:MOST_LOGS]]
    for repository in [job.repository for job in chosen if job.status in ("error", "retrying")][:1]:
        mine = sorted((job for job in jobs.jobs or () if job.repository == repository), key=lambda job: -job.id)
        chosen += mine[1 : 1 + EARLIER]
    chosen += [job for job in jobs.latest() if job.status == "finished"][:2]
    numbers = list(dict.fromkeys(job.id for job in chosen if job.status not in ("pending", "scheduled")))
    asked = [harbor.question(f"/api/jobs/replication/{number}/log") for number in numbers]
    return dict(zip(numbers, map(read_job_log, together(harbor.ask, asked)), strict=True))


def _listen(scene: Scene, policy: SavedPolicy) -> Silence:
    """Ask the endpoint itself, without credentials: does it say anything at all?"""
    return read_silence(scene.ask(HttpRequest(url=f"{policy.endpoint}/v2/", deadline=PATIENCE)))


def _registry(harbor: SourceHarbor) -> Answer:
    seen = harbor.ask(harbor.question("/v2/", account=False))
    return Answer(int(seen.data.get("status", 0) or 0), "", seen.id)


def _records(scene: Scene, policies: Iterable[SavedPolicy]) -> tuple[AdminReplication, ...]:
    """How Cargo-Admin calls the replications of the projects in trouble, and how their starts went."""
    place = scene.environment.cargo_admin
    projects = dict.fromkeys(policy.project for policy in policies)
    if place is None or not projects:
        return ()
    base = f"{place.url.rstrip('/')}/api/v2/replications"
    query = "direction=forward&triggerType=AllTriggerType&project="
    lists: list[Question] = [HttpRequest(url=f"{base}?{query}{quote(name)}", deadline=SECONDS) for name in projects]
    known = [each for answer in together(scene.ask, lists) for each in read_replications(answer)]
    asked: list[Question] = [
        HttpRequest(url=f"{base}/{quote(each.name, safe='')}/records", deadline=SECONDS) for each in known
    ]
    return tuple(
        replace(each, records=read_records(answer), records_evidence=answer.id)
        for each, answer in zip(known, together(scene.ask, asked), strict=True)
    )
