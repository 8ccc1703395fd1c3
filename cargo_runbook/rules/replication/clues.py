"""Clues from the destination about a failure: ping, tokens, keys, redirect, its logs, its health."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cargo_runbook.facts.harbor.go_error import origin
from cargo_runbook.facts.harbor.job_log import Failure, Operation
from cargo_runbook.facts.harbor.jobs import Job
from cargo_runbook.facts.harbor.logs import FrontLine, Refusal
from cargo_runbook.facts.harbor.replication import ReplicationFacts
from cargo_runbook.findings import Link
from cargo_runbook.rules.replication.causes import Clue
from cargo_runbook.rules.replication.consequences import SO
from cargo_runbook.rules.replication.failure import pushing
from cargo_runbook.rules.replication.steadiness import counted, mixed_jobs, mixed_pings, siblings, votes, waited
from cargo_runbook.texts import Text

_ROLE = frozenset({"CRG416", "CRG417"})
_TRUST = frozenset({"CRG418", "CRG419", "CRG420"})
_IDENTITY = frozenset({"CRG421", "CRG422"})
# Harbor waits 1.5 s after a wrong name or password, and not after an error of its own (src/ui/auth/authenticator.go).
_PENALTY = 1.5
_CHANCE = 4


@dataclass(frozen=True)
class Failed:
    """A failure with where it is written: `repository` is without a tag, `evidence` the job's log."""

    failure: Failure
    repository: str
    evidence: str
    job: Job
    created: bool | None = None


def clues(facts: ReplicationFacts, failed: Failed) -> tuple[Clue, ...]:
    """All clues about `failed`. A network error and a plain refusal need none: their text tells."""
    if failed.failure.is_network or not (
        failed.failure.error.status in (401, 403) or failed.failure.error.status >= 500
    ):
        return ()
    yields = [*_health(facts, failed), *_front(facts, failed)]
    if failed.failure.error.status in (401, 403) and failed.failure.operation is not Operation.CREATE_PROJECT:
        yields += [
            *_endpoint(facts, failed),
            *_registry(facts, failed),
            *_redirect(facts),
            *_ping(facts),
            *_keys(facts),
            *_rights(facts, failed),
            *_identity(facts, failed),
        ]
    return tuple(yields)


def _endpoint(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    """What the job's own log says of the endpoint: a POST that a redirect made a GET never meets a 409."""
    tokenless = any(r.reason is Refusal.NO_TOKEN for log in facts.registry_logs for r in log.refusals)
    https = origin(failed.failure.url)[0] == "https"
    if failed.created is False:
        said = Text("the destination answered 409 to the new project", "目的仓库对创建项目返回 409")
        yield Clue(Link(failed.evidence, said, SO["reached"]), frozenset({"CRG423"}))
    elif failed.created and https:
        said = Text("the replication's user created the project itself", "该项目由同步账号自己创建")
        yield Clue(Link(failed.evidence, said, SO["creator"]), _ROLE)
    if https and not tokenless:
        said = Text(f"the endpoint is saved as {failed.failure.url}", f"endpoint 保存为 {failed.failure.url}")
        yield Clue(Link(failed.evidence, said, SO["https"]), frozenset({"CRG423"}))


def _registry(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    for log in facts.registry_logs:
        here = [r for r in log.refusals if not r.path or r.path.startswith(f"/v2/{failed.repository}/")]
        for refusal in here:
            said = Text(
                f"the destination's registry wrote `{refusal.text}`", f"目的仓库 registry 日志：`{refusal.text}`"
            )
            link = Link(log.evidence, said, SO[str(refusal.reason)])
            if refusal.reason is Refusal.KEY:
                yield Clue(link, frozenset({"CRG423"}), "CRG418")
            elif refusal.reason is Refusal.TIME:
                yield Clue(link, frozenset({"CRG423"}), "CRG419")
            elif refusal.reason is Refusal.CLAIMS:
                yield Clue(link, frozenset({"CRG423"}), "CRG420")
            elif refusal.reason is Refusal.SCOPE:
                yield Clue(link, _TRUST | {"CRG423"})
            elif refusal.reason is Refusal.MALFORMED:
                yield Clue(link, frozenset({"CRG423"}), "CRG413")
            elif refusal.reason is Refusal.NO_TOKEN and refusal.referer:
                yield Clue(link, proves="CRG423")
            elif refusal.reason is Refusal.NO_TOKEN:
                yield Clue(link, _TRUST | _ROLE | _IDENTITY)
            else:
                yield Clue(link, _ROLE | {"CRG421", "CRG423"})


def _redirect(facts: ReplicationFacts) -> Iterator[Clue]:
    seen = facts.redirect
    if seen is None or not seen.status:
        return
    if seen.redirects:
        said = Text(
            f"the endpoint answers {seen.status} to {seen.location}",
            f"endpoint 返回 {seen.status}，指向 {seen.location}",
        )
        yield Clue(Link(seen.evidence, said, SO["redirects"]), proves="CRG423")
    else:
        said = Text(f"the endpoint answers {seen.status}, no redirect", f"endpoint 返回 {seen.status}，没有重定向")
        yield Clue(Link(seen.evidence, said, SO["stays"]), frozenset({"CRG423"}))


def _ping(facts: ReplicationFacts) -> Iterator[Clue]:
    answers = {ping.status for ping in facts.pings if ping.status in (200, 400)}
    if not answers:
        return
    counted = ", ".join(str(ping.status) for ping in facts.pings)
    link_to = facts.pings[-1].evidence
    said = Text(f"a ping of the target answers {counted}", f"测试目标连接返回 {counted}")
    if answers == {200}:
        yield Clue(Link(link_to, said, SO["ping good"]), _TRUST | {"CRG421", "CRG423"})
    elif answers == {400}:
        yield Clue(Link(link_to, said, SO["ping bad"]), _ROLE)


def _keys(facts: ReplicationFacts) -> Iterator[Clue]:
    signed = {answer.token.key_id for answer in facts.tokens if answer.token is not None and answer.token.key_id}
    readable = [keys for keys in facts.keys if keys.key_ids]
    for keys in readable:
        strangers = signed - set(keys.key_ids)
        said = Text(
            f"tokens are signed by {', '.join(sorted(signed))}; root.crt on {keys.host} holds {', '.join(keys.key_ids)}",
            f"token 由 {'、'.join(sorted(signed))} 签发；{keys.host} 的 root.crt 是 {'、'.join(keys.key_ids)}",
        )
        if strangers:
            yield Clue(Link(keys.evidence, said, SO["key"]), proves="CRG418")
        elif signed and keys is readable[-1] and all(signed <= set(k.key_ids) for k in readable):
            yield Clue(Link(keys.evidence, said, SO["key good"]), frozenset({"CRG418"}))


def _rights(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    """What the claims of a token for this repository grant, or what the same user was let do beside it."""
    _, through = siblings(facts, failed.job)
    if through is not None:
        yield Clue(through, _ROLE)
    known = [
        (answer, answer.token)
        for answer in facts.tokens
        if answer.scoped and answer.token is not None and answer.token.subject
    ]
    for answer, token in known[-1:]:
        if f"repository:{failed.repository}" not in token.access:
            continue
        granted = ", ".join(sorted(token.access[f"repository:{failed.repository}"])) or "-"
        said = Text(
            f"the token of {token.subject} for {failed.repository} grants: {granted}",
            f"{token.subject} 对 {failed.repository} 的 token 权限：{granted}",
        )
        needed, code = ("push", "CRG417") if pushing(failed.failure) else ("pull", "CRG416")
        if token.grants(failed.repository, needed):
            yield Clue(Link(answer.evidence, said, SO["granted"]), _ROLE)
        else:
            yield Clue(Link(answer.evidence, said, SO["not granted"]), frozenset({"CRG421"}), code)


def _identity(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    """Whether the token service takes the user: always, never, or from one time to the next."""
    cast = votes(facts, failed.failure.user)
    taken, refused = [e for known, e in cast if known], [e for known, e in cast if not known]
    if (mixed := mixed_pings(facts)) is not None:
        yield Clue(mixed, _ROLE | {"CRG421"}, "CRG422")
    if taken and refused:
        yield Clue(Link(refused[-1], counted(cast), SO["mixed"]), _ROLE | {"CRG421"}, "CRG422")
    elif (turns := mixed_jobs(facts, failed.repository)) is not None:
        yield Clue(turns, _ROLE | {"CRG421"}, "CRG422")
    elif refused:
        # The project's answer came from Harbor itself, unless a redirect made it a question that anybody may ask.
        taken_by_harbor = failed.created is False or origin(failed.failure.url)[0] == "https"
        steady = {"CRG422"} if len(refused) > 1 else set()
        proof = "CRG421" if steady and taken_by_harbor else ""
        against = _ROLE | _TRUST | {"CRG423"} | steady if not proof else _ROLE | steady
        yield Clue(Link(refused[-1], counted(cast), SO["stranger"]), against, proof)
    elif taken:
        gap = failed.failure.gap
        late = (gap is not None and gap >= _PENALTY) or any(
            line.scope and waited(log.lines, line) for log in facts.front_logs for line in log.token_requests()
        )
        alike, _ = siblings(facts, failed.job)
        # Of several jobs at once only the first is made to wait, but by chance several would not all fail.
        prompt = (alike == 1 and gap is not None and gap < _PENALTY - 1) or alike > _CHANCE
        again = len(taken) + prompt > 1 and not late and not _granted(facts, failed)
        steady = set(_IDENTITY) if again else {"CRG421"}
        yield Clue(Link(taken[-1], counted(cast), SO["known"]), frozenset(steady))


def _granted(facts: ReplicationFacts, failed: Failed) -> bool:
    """Whether a token holds the very right that was refused: then something differs from what it was."""
    needed = "push" if pushing(failed.failure) else "pull"
    return any(a.token is not None and a.knows_user and a.token.grants(failed.repository, needed) for a in facts.tokens)


def _front(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    """What the front's log shows of the same requests. It holds everybody's, so each is matched to the replication."""
    for log in facts.front_logs:
        before: FrontLine | None = None
        for line in log.lines:
            said = Text(
                f"the destination's front answered {line.status} to {line.method} {line.path}",
                f"目的仓库前端对 {line.method} {line.path} 返回 {line.status}",
            )
            if (clue := _front_line(failed, line, before, Link(log.evidence, said, said))) is not None:
                yield clue
            before = line


def _front_line(failed: Failed, line: FrontLine, before: FrontLine | None, link: Link) -> Clue | None:
    status, creating = failed.failure.error.status, failed.failure.operation is Operation.CREATE_PROJECT
    token, base = line.path.endswith("/service/token"), line.path.rstrip("/") == "/v2"
    ours = line.path.startswith(f"/v2/{failed.repository}/")
    if creating:
        late = failed.failure.gap is not None and failed.failure.gap >= _PENALTY
        if token and line.status == 500:
            return Clue(replace(link, consequence=SO["token 500"]), proves="CRG434")
        if (line.method, line.status, line.user) == ("POST", 401, failed.failure.user) and late:
            return Clue(replace(link, consequence=SO["waited"]), frozenset({"CRG434"}))
        return None
    if status >= 500 and line.status >= 500 and (token or base or ours):
        code = "CRG427" if token else "CRG425"
        return Clue(replace(link, consequence=SO[code]), proves=code)
    if status != 401 or pushing(failed.failure):
        return None
    plain = base and origin(failed.failure.url)[0] == "http"
    if line.status in (301, 302, 307, 308) and (plain or ours):
        return Clue(replace(link, consequence=SO["redirects"]), proves="CRG423")
    pinged = before is not None and before.path.endswith("/service/token") and before.status == 200 and not before.scope
    if pinged and before is not None and before.user == failed.failure.user and (line.method, base) == ("HEAD", True):
        if line.status == 200:
            return Clue(replace(link, consequence=SO["ping good"]), _TRUST | {"CRG421", "CRG423"})
        if line.status == 401:
            return Clue(replace(link, consequence=SO["ping bad"]), _ROLE)
    return None


def _health(facts: ReplicationFacts, failed: Failed) -> Iterator[Clue]:
    seen, creating = facts.destination.systeminfo, failed.failure.operation is Operation.CREATE_PROJECT
    if seen is not None and seen.status in (200, 500):
        said = Text(f"systeminfo of the destination answers {seen.status}", f"目的仓库的 systeminfo 返回 {seen.status}")
        if seen.status == 500:
            yield Clue(Link(seen.evidence, said, SO["broken"]), proves="CRG434")
        else:
            yield Clue(Link(seen.evidence, said, SO["able"]), frozenset({"CRG434"}))
    if creating:
        for answer in facts.tokens:
            said = Text(f"a token request answers {answer.status}", f"token 请求返回 {answer.status}")
            if answer.scoped and answer.status == 500:
                yield Clue(Link(answer.evidence, said, SO["token 500"]), proves="CRG434")
            elif answer.scoped and answer.knows_user is False:
                yield Clue(Link(answer.evidence, said, SO["nobody"]), frozenset({"CRG434"}))
        return
    registry = facts.destination.registry
    if registry is not None and failed.failure.error.status >= 500 and registry.status:
        said = Text(f"/v2/ of the destination answers {registry.status}", f"目的仓库的 /v2/ 返回 {registry.status}")
        if registry.status >= 500:
            yield Clue(Link(registry.evidence, said, SO["CRG425"]), proves="CRG425")
        else:
            yield Clue(Link(registry.evidence, said, SO["registry up"]), frozenset({"CRG425"}))
    for log in facts.registry_logs:
        if log.disk_full and failed.failure.error.status >= 500:
            said = Text(
                f"the destination's registry wrote `{log.disk_full}`", f"目的仓库 registry 日志：`{log.disk_full}`"
            )
            yield Clue(Link(log.evidence, said, SO["disk"]), proves="CRG439")
    if failed.failure.error.status >= 500:
        for answer in facts.tokens[-1:]:
            said = Text(f"a token request answers {answer.status}", f"token 请求返回 {answer.status}")
            if answer.status >= 500:
                yield Clue(Link(answer.evidence, said, SO["CRG427"]), proves="CRG427")
            elif answer.status:
                yield Clue(Link(answer.evidence, said, SO["token up"]), frozenset({"CRG427"}))
