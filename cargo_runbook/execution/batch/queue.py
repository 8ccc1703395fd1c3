"""Which run may start next: bounded in all, for each Cargo host and for each cluster. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """One environment to be run, with the hosts and clusters that it asks.

    `domain` is empty where its file could not be read.
    """

    environment: str
    hosts: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    domain: str = ""


@dataclass(frozen=True)
class Limits:
    """How many runs at the same time: in all, that ask one host, that ask one cluster."""

    at_once: int
    per_host: int = 4
    per_cluster: int = 8


class Queue:
    """Jobs in their order; one whose hosts are busy is overtaken and keeps its place.

    A run that has been silent for long gives its slot up, so that those behind it need not wait for its deadline; its
    hosts stay taken. There are never more such runs than there are slots.
    """

    def __init__(self, jobs: Iterable[Job], limits: Limits) -> None:
        self._waiting = list(jobs)
        self._limits = limits
        self._running: set[Job] = set()
        self._silent: set[Job] = set()
        # All that wait need a host or a cluster that is busy. It is asked whenever a cell ends, and they may be ten thousand.
        self._stuck = False

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        return len(self._waiting)

    @property
    def running(self) -> frozenset[Job]:
        """Those that were taken and are not done."""
        return frozenset(self._running)

    def take(self) -> Job | None:
        """The next job that may start; it counts as running from here on."""
        if self._stuck or len(self._running - self._silent) >= self._limits.at_once:
            return None
        hosts = _full(self._limits.per_host, (job.hosts for job in self._running))
        clusters = _full(self._limits.per_cluster, (job.clusters for job in self._running))
        for place, job in enumerate(self._waiting):
            if job.hosts.isdisjoint(hosts) and job.clusters.isdisjoint(clusters):
                del self._waiting[place]
                self._running.add(job)
                return job
        self._stuck = True
        return None

    def silent(self, job: Job) -> None:
        """It has told nothing for long."""
        if job in self._running and len(self._silent) < self._limits.at_once:
            self._silent.add(job)

    def heard(self, job: Job) -> None:
        """It goes on."""
        self._silent.discard(job)

    def done(self, job: Job) -> None:
        """It is over."""
        self._running.discard(job)
        self._silent.discard(job)
        self._stuck = False

    def drop(self) -> None:
        """Nothing more is started."""
        self._waiting.clear()


def _full(limit: int, asked: Iterable[frozenset[str]]) -> frozenset[str]:
    """Names that as many ask as may."""
    counts = Counter(name for names in asked for name in names)
    return frozenset(name for name, count in counts.items() if count >= limit)
