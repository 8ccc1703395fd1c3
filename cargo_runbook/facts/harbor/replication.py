"""All facts about one replication, as the rules read them. None or an empty tuple means: not asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cargo_runbook.facts.harbor.job_log import JobLog
from cargo_runbook.facts.harbor.jobs import JobList
from cargo_runbook.facts.harbor.logs import FrontLog, RegistryLog
from cargo_runbook.facts.token import TokenFacts, read_token
from cargo_runbook.observations import Observation


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that matters by its status. `status` is 0 when nothing came; then `said` tells the reason."""

    status: int
    said: str
    evidence: str


@dataclass(frozen=True)
class TokenAnswer:
    """What the destination's token service answered to the replication's user.

    Args:
        status: HTTP status, 0 when nothing came.
        scoped: whether a repository was asked for. Without, wrong credentials are 401; with, 200 and nobody's token.
        token: the decoded token of a 200.
        node: the host that was asked, where several stand behind one name; empty for the name itself.
    """

    status: int
    scoped: bool
    token: TokenFacts | None
    evidence: str
    node: str = ""

    @property
    def knows_user(self) -> bool | None:
        """Whether the token service took the credentials; None when this answer does not tell."""
        if self.status == 401:
            return False
        if self.status == 200 and self.token is not None:
            return bool(self.token.subject)
        return None


@dataclass(frozen=True)
class Redirect:
    """What the saved endpoint's `/v2/` answers: `location` of a redirect, else empty."""

    status: int
    location: str
    evidence: str

    @property
    def redirects(self) -> bool:
        return self.status in (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class TrustedKeys:
    """Ids of the keys in the destination registry's root certificate, on one host."""

    host: str
    key_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True)
class Health:
    """One side: `systeminfo` of its Harbor, which is 500 when adminserver or database is down, and `/v2/`."""

    name: str
    systeminfo: Answer | None = None
    registry: Answer | None = None


@dataclass(frozen=True)
class RepositoryFacts:
    """One repository at the source: whether Harbor lists it, and how many tags the registry has (None: not asked)."""

    name: str
    listed: bool | None
    tags: int | None
    tags_status: int
    evidence: str


@dataclass(frozen=True)
class StartFacts:
    """A start of the policy: ids of the jobs that are there after it and were not before, `seconds` after it."""

    status: int
    new_jobs: tuple[int, ...]
    seconds: float
    evidence: str


@dataclass(frozen=True)
class Silence:
    """What the endpoint's `/v2/` said when it was asked: nothing at all, though the connection was made?"""

    silent: bool
    said: str
    evidence: str


@dataclass(frozen=True)
class Clock:
    """How many seconds the clock at `place` is ahead of the operator's, as far as whole seconds tell."""

    place: str
    ahead: float
    evidence: str


@dataclass(frozen=True)
class OtherPolicy:
    """Another policy of the same source: its jobs share the same few workers."""

    name: str
    endpoint: str
    jobs: JobList
    logs: Mapping[int, JobLog] = field(default_factory=dict)
    silence: Silence | None = None


@dataclass(frozen=True, kw_only=True)
class ReplicationFacts:
    """The facts of one policy and one destination.

    Args:
        policy: its name. endpoint, username: as saved in the target, for where the job's log does not name them.
        jobs, logs: jobs of this policy, and logs by job id.
        others: the other policies of the same source.
        pings: answers to a ping of the saved target, by the source's Harbor.
        tokens: answers of the destination's token service to the replication's user.
        keys: what the destination registry trusts.
        redirect: what the saved endpoint answers without credentials.
        registry_logs, front_logs: of the destination, for the time of the failure; one for each host.
        source, destination: health of both.
        repositories: repositories of the project at the source. start: what a start led to.
        silence: of the endpoint, asked where jobs run without an end. clocks: of both sides.
        closely: whether logs and the destination were asked. Where nothing is in trouble they are not, and what a
            finished job does not prove is left alone.
    """

    policy: str = ""
    endpoint: str = ""
    username: str = ""
    jobs: JobList | None = None
    logs: Mapping[int, JobLog] = field(default_factory=dict)
    others: tuple[OtherPolicy, ...] = ()
    pings: tuple[Answer, ...] = ()
    tokens: tuple[TokenAnswer, ...] = ()
    keys: tuple[TrustedKeys, ...] = ()
    redirect: Redirect | None = None
    registry_logs: tuple[RegistryLog, ...] = ()
    front_logs: tuple[FrontLog, ...] = ()
    source: Health = Health("source")
    destination: Health = Health("destination")
    repositories: tuple[RepositoryFacts, ...] = ()
    start: StartFacts | None = None
    silence: Silence | None = None
    clocks: tuple[Clock, ...] = ()
    closely: bool = True


def read_answer(observation: Observation) -> Answer:
    """Status and text of any HTTP answer."""
    if observation.answered:
        return Answer(int(observation.data.get("status", 0) or 0), observation.output.strip(), observation.id)
    return Answer(0, str(observation.data.get("reason", "") or observation.status), observation.id)


def read_token_answer(observation: Observation, *, scoped: bool, node: str = "") -> TokenAnswer:
    """The answer to a token request of the replication's user."""
    answer = read_answer(observation)
    return TokenAnswer(answer.status, scoped, read_token(observation), observation.id, node)


def read_redirect(observation: Observation) -> Redirect:
    """Whether the endpoint redirects."""
    return Redirect(read_answer(observation).status, observation.header("location"), observation.id)


def read_repositories(listing: Observation, tags: Mapping[str, Observation]) -> tuple[RepositoryFacts, ...]:
    """Repositories that Harbor lists, and those whose tags were asked for (name -> answer of `.../tags`).

    A repository that is not known to Harbor has tags and is not listed (recorded from Harbor 1.4.1).
    """
    body = _json(listing)
    names = {str(e.get("name", "")) for e in body if isinstance(e, Mapping)} if isinstance(body, list) else None
    listed = set() if body is None and _status(listing) == 200 and listing.output.strip() == "null" else names
    facts = []
    for name in sorted((listed or set()) | set(tags)):
        answer = tags.get(name)
        found = _json(answer) if answer is not None and _status(answer) == 200 else None
        facts.append(
            RepositoryFacts(
                name,
                None if listed is None else name in listed,
                len(found) if isinstance(found, list) else None,
                _status(answer) if answer is not None else 0,
                answer.id if answer is not None else listing.id,
            )
        )
    return tuple(facts)


def new_jobs(before: Sequence[int], after: JobList) -> tuple[int, ...]:
    """Ids that a start added. A start is proven by these, never by its own 200."""
    return tuple(job.id for job in after.jobs or () if job.id not in set(before))


def _status(observation: Observation) -> int:
    return read_answer(observation).status


def _json(observation: Observation) -> Any:
    try:
        return json.loads(observation.output)
    except ValueError:
        return None
