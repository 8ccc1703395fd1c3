"""Does the destination answer the same thing every time? Nodes behind one name may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from cargo_runbook.facts.harbor.jobs import Job
from cargo_runbook.facts.harbor.logs import FrontLine
from cargo_runbook.facts.harbor.replication import ReplicationFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import catalog, finding
from cargo_runbook.rules.replication.consequences import SO
from cargo_runbook.texts import Text


def votes(facts: ReplicationFacts, user: str) -> tuple[tuple[bool, str], ...]:
    """Each time that a token service took or refused the user, with the evidence. A bad ping has other reasons too."""
    cast = [(True, ping.evidence) for ping in facts.pings if ping.status == 200]
    cast += [(a.knows_user, a.evidence) for a in facts.tokens if a.knows_user is not None]
    for log in facts.front_logs:
        asked = [line for line in log.token_requests() if not user or line.user == user]
        cast += [(line.status == 200, log.evidence) for line in asked if not line.scope and line.status in (200, 401)]
    return tuple(cast)


def counted(cast: Sequence[tuple[bool, str]]) -> Text:
    taken = sum(known for known, _ in cast)
    return Text(
        f"the token service took the user {taken} times and refused it {len(cast) - taken} times",
        f"token service 接受该账号 {taken} 次，拒绝 {len(cast) - taken} 次",
    )


def mixed_pings(facts: ReplicationFacts) -> Link | None:
    """Pings of one look that are good and bad."""
    if not {200, 400} <= {ping.status for ping in facts.pings}:
        return None
    pinged = ", ".join(str(ping.status) for ping in facts.pings)
    said = Text(f"pings of the same target answer {pinged}", f"对同一目标的测试连接返回 {pinged}")
    return Link(facts.pings[0].evidence, said, SO["mixed"])


def history(facts: ReplicationFacts, repository: str) -> tuple[tuple[str, str], ...]:
    """How the repository's jobs went, oldest first: `sent` or `refused`, with the evidence. Others tell nothing."""
    went = []
    mine = [job for job in (facts.jobs.jobs or () if facts.jobs else ()) if job.repository == repository]
    for job in sorted(mine, key=lambda job: job.id):
        log = facts.logs.get(job.id)
        attempt = log.attempts[-1] if log is not None and log.attempts else None
        if log is None or attempt is None:
            continue
        if job.status == "finished" and attempt.sent:
            went.append(("sent", log.evidence))
        elif attempt.failure is not None and attempt.failure.error.status == 401:
            went.append(("refused", log.evidence))
    return tuple(went)


def changes(values: Sequence[object]) -> int:
    return sum(a != b for a, b in pairwise(values))


def mixed_jobs(facts: ReplicationFacts, repository: str) -> Link | None:
    """Jobs that failed and went through by turns; a single change has a simpler reason, somebody mended or broke it."""
    went = history(facts, repository)
    if changes([how for how, _ in went]) < 2:
        return None
    listed = ", ".join(how for how, _ in went)
    said = Text(f"jobs of {repository} went: {listed}", f"{repository} 的任务依次为：{listed}")
    return Link(went[-1][1], said, SO["mixed"])


# Jobs of one start run within minutes; older ones tell how it was before somebody changed something.
_ONE_START = 600.0


def siblings(facts: ReplicationFacts, job: Job) -> tuple[int, Link | None]:
    """Jobs of the same project around the same time: how many were refused (this one too), and one that went through."""
    refused, through = 1, None
    for other in facts.jobs.latest() if facts.jobs is not None else ():
        log = facts.logs.get(other.id)
        attempt = log.last if log is not None else None
        if other.id == job.id or other.project != job.project or log is None or attempt is None:
            continue
        if not (other.updated and job.updated) or abs((other.updated - job.updated).total_seconds()) > _ONE_START:
            continue
        if attempt.failure is not None and attempt.failure.error.status == 401:
            refused += 1
        elif other.status == "finished" and attempt.sent:
            said = Text(
                f"job {other.id} of {other.repository} was sent with the same user",
                f"{other.repository} 的任务 {other.id} 以同一账号推送成功",
            )
            through = Link(log.evidence, said, SO["same project"])
    return refused, through


def waited(lines: tuple[FrontLine, ...], line: FrontLine) -> bool:
    """Whether a token request ended later after the request before it than a login that is taken does.

    The log has whole seconds, so that a difference of 1 can be a moment.
    """
    before = [a.time for a in lines[: lines.index(line)] if a.time is not None]
    if not before or line.time is None:
        return False
    return (line.time - before[-1]).total_seconds() >= 2


def judge_steadiness(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG422, also where the newest job happened to get through."""
    newest: Mapping[str, Job] = {job.repository: job for job in (facts.jobs.latest() if facts.jobs else ())}
    links = [link for repository in newest if (link := mixed_jobs(facts, repository)) is not None]
    asked = [(a.knows_user, a.evidence) for a in facts.tokens if a.knows_user is not None]
    if len({known for known, _ in asked}) > 1:
        links.append(Link(asked[0][1], counted(asked), SO["mixed"]))
    if changes([ping.status for ping in facts.pings]) > 1 and (pinged := mixed_pings(facts)) is not None:
        links.append(pinged)
    if links:
        title = catalog()["CRG422"].title
        yield finding("CRG422", Verdict.FAULT, "destination", title, *links)
