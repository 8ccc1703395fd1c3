"""The replications of one environment: what its Harbor has saved, how the jobs went, and what each place says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from cargo_runbook.facts.admin_records import AdminReplication
from cargo_runbook.facts.answers import read_json
from cargo_runbook.facts.harbor.go_error import origin
from cargo_runbook.facts.harbor.jobs import Job, JobList
from cargo_runbook.facts.harbor.replication import Answer, Clock, ReplicationFacts, Silence
from cargo_runbook.facts.hosts_file import addresses_of, read_hosts
from cargo_runbook.observations import Command, Observation

LATER_GENERATION = "2"


class Reason(StrEnum):
    """Why the replications of an environment could not be looked at."""

    NO_ADMIN = "no admin"
    NOT_REACHED = "not reached"
    REFUSED = "refused"
    LATER_GENERATION = "later generation"
    NO_SUCH_POLICY = "no such policy"


class NotAsked(StrEnum):
    """Why the destination could not be asked something."""

    NO_ENVIRONMENT = "no environment"
    NO_ACCOUNT = "no account"


@dataclass(frozen=True)
class SavedPolicy:
    """A replication policy with its target, as Harbor 1.x lists it."""

    id: int
    name: str
    project: str
    target: int
    endpoint: str
    username: str
    insecure: bool
    trigger: str
    evidence: str

    @property
    def host(self) -> str:
        return origin(self.endpoint)[1]

    @property
    def authority(self) -> str:
        """Host and port of the endpoint, as an environment of the inventory would call it."""
        scheme, host, port = origin(self.endpoint)
        return host if port in (443, 80) or not scheme else f"{host}:{port}"


@dataclass(frozen=True)
class Generation:
    """`systeminfo` of a Harbor: its version, or why it told none. `status` 0: no answer came."""

    status: int
    version: str
    reason: str
    evidence: str

    @property
    def is_later(self) -> bool:
        """2.x, whose replication has executions and tasks instead of jobs."""
        return self.version.lstrip("v").startswith(LATER_GENERATION)


@dataclass(frozen=True)
class NameSeen:
    """What a name resolves to in one place. `addresses` is empty where it does not, None where nobody could be asked."""

    name: str
    place: str
    addresses: tuple[str, ...] | None
    source: str
    evidence: str


@dataclass(frozen=True)
class NodeSeen:
    """What `/v2/` of one node of the destination answers to a token of the replication's user."""

    host: str
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class PolicyFacts:
    """One policy: what the rules read, and what the tables show beside it.

    Args:
        destination: name of the destination's environment; empty when the inventory has none with that domain.
        not_asked: why something could not be asked there.
        names: what the destination's name resolves to, by place. nodes: of the destination, where it has several.
        address: of the destination by the inventory, for a hosts file.
    """

    policy: SavedPolicy
    facts: ReplicationFacts
    destination: str = ""
    not_asked: tuple[NotAsked, ...] = ()
    names: tuple[NameSeen, ...] = ()
    nodes: tuple[NodeSeen, ...] = ()
    address: str = ""

    @property
    def troubled(self) -> tuple[Job, ...]:
        return troubled(self.facts.jobs)


@dataclass(frozen=True, kw_only=True)
class EnvironmentReplication:
    """All that was asked about the replications of an environment.

    Args:
        generation: of Harbor; None when nobody could ask.
        reason: why no policies could be listed; empty when they could, and where Harbor itself is not able.
        records: replications of the projects in trouble, in Cargo-Admin. evidence: of the list of policies.
    """

    generation: Generation | None = None
    reason: str = ""
    policies: tuple[PolicyFacts, ...] = ()
    records: tuple[AdminReplication, ...] = ()
    evidence: str = ""


def troubled(jobs: JobList | None) -> tuple[Job, ...]:
    """The newest jobs that did not end well, or do not end: younger than 10 s they may just be at work."""
    if jobs is None or jobs.jobs is None:
        return ()
    return tuple(job for job in jobs.latest() if job.status != "finished" and not at_work(job, jobs))


def at_work(job: Job, jobs: JobList) -> bool:
    """Whether a job was made or begun just now."""
    if job.status not in ("pending", "scheduled", "running") or job.updated is None:
        return False
    return (jobs.seen - job.updated).total_seconds() < YOUNG


YOUNG = 10.0
"""Seconds; younger jobs may just have begun."""


def read_generation(observation: Observation) -> Generation:
    """Version in the answer of systeminfo; an answer that is no object of Harbor's has none."""
    if not observation.answered:
        reason = str(observation.data.get("reason", "") or observation.status)
        return Generation(0, "", reason, observation.id)
    status = int(observation.data.get("status", 0) or 0)
    body = read_json(observation)
    if status != 200 or not isinstance(body, Mapping) or "auth_mode" not in body:
        return Generation(status, "", observation.output.strip()[:80], observation.id)
    return Generation(status, str(body.get("harbor_version", "") or "unknown"), "", observation.id)


def read_policies(observations: Iterable[Observation]) -> tuple[SavedPolicy, ...]:
    """The policies of all pages; one whose target is not shown is left out."""
    found = []
    for observation in observations:
        body = read_json(observation)
        found += [
            policy
            for entry in (body if isinstance(body, list) else ())
            if (policy := _policy(entry, observation.id)) is not None
        ]
    return tuple(found)


def _policy(entry: Any, evidence: str) -> SavedPolicy | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), int):
        return None
    target, project = _first(entry.get("targets")), _first(entry.get("projects"))
    if not isinstance(target.get("id"), int):
        return None
    trigger = entry.get("trigger")
    return SavedPolicy(
        id=entry["id"],
        name=str(entry.get("name", "")),
        project=str(project.get("name", "")),
        target=target["id"],
        endpoint=str(target.get("endpoint", "")),
        username=str(target.get("username", "")),
        insecure=bool(target.get("insecure")),
        trigger=str(trigger.get("kind", "")) if isinstance(trigger, Mapping) else "",
        evidence=evidence,
    )


def _first(value: Any) -> Mapping[str, Any]:
    found = value[0] if isinstance(value, list) and value else {}
    return found if isinstance(found, Mapping) else {}


def is_address(text: str) -> bool:
    """Whether it is an IP address, so that there is nothing to resolve."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def read_name(name: str, place: str, asked: Observation, hosts: Observation | None) -> NameSeen:
    """What `getent hosts NAME` (or `ahostsv4`) printed, and whether it stands in the hosts file of the place."""
    if not asked.answered or asked.exit_code not in (0, 2):
        return NameSeen(name, place, None, str(asked.data.get("reason", "") or asked.error.strip()[:80]), asked.id)
    addresses = tuple(dict.fromkeys(line.split()[0] for line in asked.output.splitlines() if line.split()))
    text = hosts.output if hosts is not None and hosts.answered and hosts.exit_code == 0 else ""
    written = bool(set(addresses_of(read_hosts(text), name)) & set(addresses))
    source = "" if not addresses else "hosts" if written else "DNS"
    return NameSeen(name, place, addresses, source, asked.id)


def read_silence(observation: Observation) -> Silence:
    """Whether the connection was made, and nothing was heard on it until the time was over.

    A connection that was never made is another matter (dropped packets), and so is a name server without an answer.
    """
    late = observation.data.get("reason") == "timeout" and bool(observation.data.get("peer"))
    return Silence(late and not observation.data.get("status"), observation.error.strip(), observation.id)


def read_date(observation: Observation, place: str) -> Clock | None:
    """The clock in the Date header of an answer."""
    date = observation.header("date")
    try:
        told = parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, TypeError):
        told = None
    return _clock(observation, place, told)


def read_seconds(observation: Observation, place: str) -> Clock | None:
    """The clock that `date +%s` printed."""
    text = observation.output.strip()
    answered = observation.answered and isinstance(observation.question, Command) and observation.exit_code == 0
    return _clock(observation, place, float(text) if answered and text.isdecimal() else None)


def _clock(observation: Observation, place: str, told: float | None) -> Clock | None:
    if told is None:
        return None
    # The answer was written some time between question and answer, and whole seconds are cut.
    middle = observation.started.timestamp() + observation.duration / 2
    return Clock(place, told + 0.5 - middle, observation.id)
