"""Sections 镜像同步一直同步中 and 镜像同步同步失败: stuck told from failed, and the cause of either.

In Harbor 1.4 the class of the error decides: an error that is no HTTP status is tried again every 5 minutes without
limit, an HTTP status ends the job at once (src/jobservice, and recorded). The cause is narrowed down from the codes
that the last error can mean, by what the destination was asked; what can't be told apart stays `unknown` together
with the question that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cargo_runbook.facts.harbor.job_log import JobLog
from cargo_runbook.facts.harbor.jobs import WAITING, Job
from cargo_runbook.facts.harbor.replication import ReplicationFacts, TokenAnswer
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import catalog, finding
from cargo_runbook.rules.replication.causes import Cause, question
from cargo_runbook.rules.replication.clues import Failed, clues
from cargo_runbook.rules.replication.consequences import DOING
from cargo_runbook.rules.replication.failure import ALL_STAGES, suspects, works
from cargo_runbook.rules.replication.progress import (
    SOURCE,
    YOUNG,
    age,
    at_work,
    judge_running,
    judge_stopped,
    judge_waiting,
)
from cargo_runbook.rules.replication.source import judge_jobservice, judge_source, judge_start
from cargo_runbook.rules.replication.steadiness import judge_steadiness
from cargo_runbook.texts import Text

_SHOWN = 4
_WEIGHT = (Verdict.FAULT, Verdict.UNKNOWN, Verdict.OK, Verdict.SKIPPED)
_NOT_PROVEN_BY_NOTHING_NEW = frozenset({"CRG417", "CRG428", "CRG439"})


def judge_replication(facts: ReplicationFacts) -> tuple[Finding, ...]:
    """One finding a code of the check `replication`, more where several jobs or policies are at fault for it.

    Which fault is a root cause is decided over all findings by `explain`.
    """
    found = [
        *_judge_symptom(facts),
        *(f for job in _newest(facts) for f in _judge_job(facts, job)),
        *judge_running(facts),
        *judge_waiting(facts),
        *judge_jobservice(facts),
        *judge_source(facts),
        *judge_start(facts),
        *judge_stopped(facts),
        *judge_steadiness(facts),
    ]
    return tuple(merge(found))


def codes() -> tuple[str, ...]:
    """The codes that these rules tell."""
    return tuple(code for code, entry in catalog().items() if entry.check == "replication")


def _newest(facts: ReplicationFacts) -> tuple[Job, ...]:
    return facts.jobs.latest() if facts.jobs is not None else ()


def merge(found: Iterable[Finding]) -> Iterator[Finding]:
    """One finding a code, the weightiest; faults once for each place."""
    by_code: dict[str, list[Finding]] = {}
    for each in found:
        by_code.setdefault(each.code, []).append(each)
    untested = Text("not tested", "未测试")
    for code in codes():
        mine = by_code.get(code, [])
        worst = next((v for v in _WEIGHT if any(f.status is v for f in mine)), None)
        if worst is None:
            yield finding(code, Verdict.SKIPPED, SOURCE, untested)
        elif worst is Verdict.FAULT:
            yield from _gathered(f for f in mine if f.status is worst)
        else:
            yield next(f for f in mine if f.status is worst)


def _gathered(faults: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each place: hundreds of repositories that fail alike are one thing to read."""
    places: dict[str, list[Finding]] = {}
    for fault in dict.fromkeys(faults):
        places.setdefault(fault.vantage, []).append(fault)
    for first, *others in places.values():
        if not others:
            yield first
            continue
        more = Text(
            f"{first.summary.en} (and {len(others)} more like it)", f"{first.summary.zh}（另有 {len(others)} 个相同）"
        )
        links = [other.chain[0] for other in others[:_SHOWN] if other.chain]
        yield replace(first, summary=more, chain=(*first.chain, *(x for x in links if x not in first.chain)))


def _cause(facts: ReplicationFacts, job: Job) -> tuple[Cause, Failed] | None:
    log = facts.logs.get(job.id)
    if log is None or log.last is None or log.last.failure is None:
        return None
    failure = log.last.failure
    failure = replace(failure, url=failure.url or facts.endpoint, user=failure.user or facts.username)
    repository = failure.image.rsplit(":", 1)[0] or job.repository
    failed = Failed(failure, repository, log.evidence, job, log.last.created)
    doing, at = DOING[failure.operation], f"({failure.url}): {failure.error.text or '-'}"
    detail = Text(f"{job.repository}, {doing.en} {at}", f"{job.repository}，{doing.zh} {at}")
    return Cause(suspects(failure), clues(facts, failed), detail), failed


def _judge_job(facts: ReplicationFacts, job: Job) -> Iterator[Finding]:
    log = facts.logs.get(job.id)
    if job.status == "finished":
        yield from _judge_finished(facts, job, log)
        return
    if job.status not in ("error", "retrying", "stopped", "canceled"):
        return
    told = _cause(facts, job)
    if told is None:
        return
    cause, failed = told
    at = Link(
        failed.evidence,
        Text(f"job {job.id} is {job.status}: {cause.detail.en}", f"任务 {job.id}（{job.status}）：{cause.detail.zh}"),
        Text("no HTTP status, so it is tried again every 5 minutes", "不是 HTTP 状态码，因此每 5 分钟重试")
        if failed.failure.is_network
        else Text("an HTTP status, so it ended at once", "是 HTTP 状态码，因此立即失败"),
    )
    # A stopped job tells what was wrong then, not what is.
    proven = cause.told and job.status in ("error", "retrying")
    for code in cause.left:
        title = catalog()[code].title
        if proven:
            summary = Text(f"{title.en}: {cause.detail.en}", f"{title.zh}：{cause.detail.zh}")
            yield finding(code, Verdict.FAULT, SOURCE, summary, at, *cause.links(code))
        else:
            yield finding(code, Verdict.UNKNOWN, SOURCE, _undecided(cause, code, job), at, *cause.links(code))
    for code in sorted((cause.refuted | works(failed.failure)) - set(cause.left)):
        said = Text(f"ruled out: {catalog()[code].title.en}", f"已排除：{catalog()[code].title.zh}")
        against = [clue.link for clue in cause.clues if code in clue.refutes]
        yield finding(code, Verdict.OK, SOURCE, said, at, *against)


def _undecided(cause: Cause, code: str, job: Job) -> Text:
    if job.status not in ("error", "retrying"):
        return Text(
            f"this stopped {job.repository} before; a new start tells if it still does ({cause.detail.en})",
            f"停止之前的故障：{cause.detail.zh}；重新触发即可得知是否仍然存在",
        )
    others = ", ".join(other for other in cause.left if other != code) or "-"
    asked = question((code,))
    return Text(
        f"a candidate beside {others} for {cause.detail.en}; what decides: {asked.en or '-'}",
        f"{cause.detail.zh} 的可能原因之一（另有 {others}）；需要查看：{asked.zh or '-'}",
    )


def _judge_finished(facts: ReplicationFacts, job: Job, log: JobLog | None) -> Iterator[Finding]:
    if job.operation == "delete":
        return
    attempt = log.attempts[-1] if log is not None and log.attempts else None
    said = Text(f"job {job.id} of {job.repository} is finished", f"{job.repository} 的任务 {job.id} 已完成")
    evidence = log.evidence if log is not None else ""
    links = [Link(evidence, said, Text("it got through", "同步成功"))] if evidence else []
    sent = attempt is not None and attempt.sent > 0
    for code in ALL_STAGES:
        if sent or code not in _NOT_PROVEN_BY_NOTHING_NEW:
            yield finding(code, Verdict.OK, SOURCE, said, *links)
    if sent:
        return
    known = [a for a in facts.tokens if a.token is not None and f"repository:{job.repository}" in a.token.access]
    for answer in known[-1:]:
        yield _push_right(answer, job)
        return
    if not facts.closely:
        return
    asked = question(("CRG417",))
    summary = Text(
        f"{job.repository} is finished and no layer is known to have been sent, which proves no right to push; "
        f"what decides: {asked.en}",
        f"{job.repository} 已完成，但没有推送任何层的记录，不能证明有推送权限；需要查看：{asked.zh}",
    )
    yield finding("CRG417", Verdict.UNKNOWN, SOURCE, summary, *links)


def _push_right(answer: TokenAnswer, job: Job) -> Finding:
    may = answer.token is not None and answer.token.grants(job.repository, "push")
    said = (
        Text(f"the token grants push on {job.repository}", f"token 有 {job.repository} 的 push 权限")
        if may
        else Text(
            f"job {job.id} had nothing new to send; the token does not grant push on {job.repository}",
            f"任务 {job.id} 没有新内容可推送；token 没有 {job.repository} 的 push 权限",
        )
    )
    follows = (
        Text("a new tag will go through", "新标签可以同步")
        if may
        else Text("the next new tag fails", "下一个新标签会失败")
    )
    status = Verdict.OK if may else Verdict.FAULT
    return finding("CRG417", status, SOURCE, said, Link(answer.evidence, said, follows))


def _judge_symptom(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG401 and CRG402: what the list of jobs shows, with the cause where it is open."""
    if facts.jobs is None or facts.jobs.jobs is None:
        said = facts.jobs.said if facts.jobs is not None else ""
        untold = Text(f"the jobs could not be listed {said}".strip(), f"无法列出同步任务 {said}".strip())
        yield from (finding(code, Verdict.UNKNOWN, SOURCE, untold) for code in ("CRG401", "CRG402"))
        return
    if not facts.jobs.jobs:
        none = Text("there is no job", "没有同步任务")
        yield from (finding(code, Verdict.SKIPPED, SOURCE, none) for code in ("CRG401", "CRG402"))
        return
    newest = facts.jobs.latest()
    working = at_work(facts)
    # While a worker is at work, what waits behind it is a queue.
    unfinished = ("running",) if working else (*WAITING, "running")
    silent_or_waiting = [
        job
        for job in newest
        if job.status in unfinished and job not in working and (age(job, facts.jobs) or 0) >= YOUNG
    ]
    stuck = [job for job in newest if job.status == "retrying"] + silent_or_waiting
    failed = [job for job in newest if job.status == "error"]
    known = {"pending", "scheduled", "running", "retrying", "finished", "error", "stopped", "canceled"}
    for code, jobs in (("CRG401", stuck), ("CRG402", failed)):
        if jobs:
            yield finding(code, Verdict.FAULT, SOURCE, _symptom(facts, jobs), *_listed(facts, jobs))
        elif any(job.status not in known for job in newest):
            odd = ", ".join(sorted({job.status for job in newest} - known))
            yield finding(code, Verdict.UNKNOWN, SOURCE, Text(f"unknown status: {odd}", f"未知状态：{odd}"))
        elif not facts.jobs.complete:
            read, total = len(facts.jobs.jobs), facts.jobs.total
            part = Text(f"only {read} of {total} jobs were read", f"只读取了 {total} 个任务中的 {read} 个")
            yield finding(code, Verdict.UNKNOWN, SOURCE, part)
        else:
            yield finding(code, Verdict.OK, SOURCE, Text("no job is like that", "没有这样的任务"))


def _symptom(facts: ReplicationFacts, jobs: list[Job]) -> Text:
    names = ", ".join(f"{job.repository} ({job.id})" for job in jobs)
    unread = [str(job.id) for job in jobs if _cause(facts, job) is None and job.status in ("error", "retrying")]
    causes = [told[0] for job in jobs if (told := _cause(facts, job)) is not None]
    strange = [cause.detail for cause in causes if not cause.suspects]
    open_codes = tuple(dict.fromkeys(code for cause in causes if not cause.told for code in cause.left))
    en, zh = [names], [names]
    if unread:
        en.append(f"no usable log of {', '.join(unread)}")
        zh.append(f"没有可用的日志：{', '.join(unread)}")
    if strange:
        en.append(f"an error that is not known here: {'; '.join(text.en for text in strange)}")
        zh.append(f"未知的错误：{'；'.join(text.zh for text in strange)}")
    if open_codes:
        asked = question(open_codes)
        en.append(f"candidates: {', '.join(open_codes)}; what decides: {asked.en}")
        zh.append(f"可能：{', '.join(open_codes)}；需要查看：{asked.zh}")
    return Text(". ".join(en), "。".join(zh))


def _listed(facts: ReplicationFacts, jobs: list[Job]) -> list[Link]:
    evidence = facts.jobs.evidence if facts.jobs is not None else ""
    return [
        Link(
            evidence,
            Text(
                f"job {job.id} of {job.repository} is {job.status}", f"{job.repository} 的任务 {job.id}：{job.status}"
            ),
            Text("it is the newest of its repository", "它是该仓库最新的任务"),
        )
        for job in jobs
    ]
