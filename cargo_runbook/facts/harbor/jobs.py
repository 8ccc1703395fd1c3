"""Replication jobs as Harbor 1.x lists them (`GET /api/jobs/replication`, swagger of v1.4.0)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from cargo_runbook.observations import Observation

WAITING = frozenset({"pending", "scheduled"})
ENDED = frozenset({"finished", "error", "stopped", "canceled"})


@dataclass(frozen=True)
class Job:
    """One job: one repository, all its tags. `created` and `updated` are None when Harbor's time can't be read."""

    id: int
    status: str
    repository: str
    policy_id: int
    operation: str
    tags: tuple[str, ...]
    created: datetime | None
    updated: datetime | None

    @property
    def project(self) -> str:
        return self.repository.partition("/")[0]


@dataclass(frozen=True)
class JobList:
    """The jobs of a policy. `jobs` is None when no list came; `total` is what Harbor says that there are."""

    status: int
    jobs: tuple[Job, ...] | None
    total: int
    said: str
    seen: datetime
    evidence: str

    @property
    def complete(self) -> bool:
        """Whether all jobs are here; a page has 500 at most."""
        return self.jobs is not None and len(self.jobs) >= self.total

    def latest(self) -> tuple[Job, ...]:
        """The newest job of each repository and operation, newest first: older ones say how it was, not how it is."""
        return self._latest

    @cached_property
    def _latest(self) -> tuple[Job, ...]:
        newest: dict[tuple[str, str], Job] = {}
        for job in sorted(self.jobs or (), key=lambda job: job.id):
            newest[job.repository, job.operation] = job
        return tuple(sorted(newest.values(), key=lambda job: -job.id))


def read_jobs(observation: Observation) -> JobList:
    """The jobs in one answer. With no match the body is `[]` or `null`; both are an empty list."""
    status = int(observation.data.get("status", 0) or 0) if observation.answered else 0
    said = observation.output.strip() or observation.error
    if status != 200:
        return JobList(status, None, 0, said, observation.started, observation.id)
    try:
        body: Any = json.loads(observation.output)
    except ValueError:
        return JobList(status, None, 0, said, observation.started, observation.id)
    if body is not None and not isinstance(body, list):
        return JobList(status, None, 0, said, observation.started, observation.id)
    jobs = tuple(job for entry in body or () if (job := _read_job(entry)) is not None)
    counted = observation.header("x-total-count")
    total = int(counted) if counted.isdecimal() else len(jobs)
    return JobList(status, jobs, total, "", _seen(observation), observation.id)


def _seen(observation: Observation) -> datetime:
    """The time at the server, by its Date header where there is one: the operator's clock may differ."""
    date = observation.header("date")
    try:
        seen = parsedate_to_datetime(date) if date else observation.started
    except ValueError:
        seen = observation.started
    return seen if seen.tzinfo else seen.replace(tzinfo=UTC)


def join_pages(pages: Iterable[JobList]) -> JobList | None:
    """One list out of pages; a page that did not come makes the list incomplete, never shorter without a word."""
    kept = list(pages)
    if not kept:
        return None
    readable = [page for page in kept if page.jobs is not None]
    if not readable:
        return kept[0]
    jobs = {job.id: job for page in readable for job in page.jobs or ()}
    total = max(page.total for page in readable)
    first = readable[0]
    return JobList(200, tuple(jobs.values()), total, "", first.seen, first.evidence)


def _read_job(entry: Any) -> Job | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), int):
        return None
    tags, policy = entry.get("tags"), entry.get("policy_id")
    return Job(
        id=entry["id"],
        status=str(entry.get("status", "")).lower(),
        repository=str(entry.get("repository", "")),
        policy_id=policy if isinstance(policy, int) else 0,
        operation=str(entry.get("operation", "")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        created=_time(entry.get("creation_time")),
        updated=_time(entry.get("update_time")),
    )


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else None
