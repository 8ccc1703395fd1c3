"""Jobs that do not end: a silent destination, workers that are taken, jobs that were stopped or never made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cargo_runbook.facts.harbor.job_log import JobLog
from cargo_runbook.facts.harbor.jobs import WAITING, Job, JobList
from cargo_runbook.facts.harbor.replication import ReplicationFacts, Silence
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.replication.causes import question
from cargo_runbook.texts import Text

SOURCE = "jobservice of the source"
# Younger jobs may just have begun: a list right after a start shows every state.
YOUNG = 10.0
# A look-up without an answer can take half a minute, and the job's first request begins with one.
_SILENT_AT_FIRST = 30.0
_SILENT_LATER = 10.0
# Dropped packets end by themselves after about 130 s.
_CONNECTED = 150.0


def age(job: Job, jobs: JobList) -> float | None:
    """Seconds since the job's status changed; None when Harbor's time can't be read."""
    return (jobs.seen - job.updated).total_seconds() if job.updated is not None else None


def silent(jobs: JobList | None, logs: Mapping[int, JobLog], heard: Silence | None = None) -> tuple[Job, ...]:
    """Jobs that have run for a while and whose log stopped before an answer of the destination.

    Older jobs of a repository count as well: each holds a worker. `heard`: what the endpoint said when it was asked.
    """
    return tuple(job for job in running(jobs) if jobs and _is_silent(job, jobs, logs.get(job.id), heard))


def running(jobs: JobList | None) -> tuple[Job, ...]:
    """All jobs that hold a worker, newest first."""
    held = [job for job in (jobs.jobs or ()) if job.status == "running"] if jobs is not None else []
    return tuple(sorted(held, key=lambda job: -job.id))


def _is_silent(job: Job, jobs: JobList, log: JobLog | None, heard: Silence | None) -> bool:
    seconds = age(job, jobs)
    if seconds is None or log is None or log.last is None or log.last.failure is not None:
        return False
    if heard is not None and heard.silent:
        return seconds >= YOUNG
    # A layer on its way may take long; everything else is answered at once.
    if _sending(log):
        return False
    return seconds >= (_SILENT_AT_FIRST if _at_first(log) else _SILENT_LATER)


def _sending(log: JobLog | None) -> bool:
    return log is not None and log.last is not None and log.last.last_message.startswith("transferring blob")


def at_work(facts: ReplicationFacts) -> tuple[Job, ...]:
    """Jobs of the source that run and are not silent as far as is known: just begun, or sending a layer."""
    found = []
    for _, _, jobs, logs, heard in _policies(facts):
        hanging = silent(jobs, logs, heard)
        for job in running(jobs):
            young = jobs is not None and (age(job, jobs) or 0.0) < YOUNG
            if job not in hanging and (young or _sending(logs.get(job.id))):
                found.append(job)
    return tuple(found)


def _at_first(log: JobLog) -> bool:
    """Whether the job has not heard from the destination at all."""
    return log.last is not None and log.last.last_message.startswith("initializ")


def judge_running(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG414: running jobs that wait for an answer."""
    for policy, endpoint, jobs, logs, heard in _policies(facts):
        hanging = silent(jobs, logs, heard)
        if hanging and jobs is not None:
            names = ", ".join(job.repository for job in hanging)
            where = endpoint or next((_destination(logs.get(job.id)) for job in hanging), "") or policy
            told = heard is not None and heard.silent
            at_first = not told and all(_at_first(logs[job.id]) for job in hanging)
            summary = _silence(where, names, at_first, hanging, jobs)
            links = [
                Link(
                    logs[job.id].evidence,
                    Text(
                        f"job {job.id} has run for {age(job, jobs):.0f} s and its log ends with the request",
                        f"任务 {job.id} 已运行 {age(job, jobs):.0f} 秒，日志停在发出请求处",
                    ),
                    Text("no answer has come, and it holds a worker", "没有收到应答，并占用一个 worker"),
                )
                for job in hanging
            ]
            if heard is not None and heard.silent:
                links.append(_no_answer(where, heard))
            yield finding("CRG414", Verdict.FAULT, f"{SOURCE}, policy {policy}" if policy else SOURCE, summary, *links)
        elif jobs is facts.jobs and jobs is not None:
            begun = [job for job in jobs.latest() if job.status == "running"]
            working = at_work(facts)
            if begun and all(job in working and _sending(logs.get(job.id)) for job in begun):
                yield finding("CRG414", Verdict.SKIPPED, SOURCE, _under_way(begun), *_states(begun, jobs))
            elif begun:
                yield finding("CRG414", Verdict.UNKNOWN, SOURCE, _busy(begun), *_states(begun, jobs))


def _silence(where: str, names: str, at_first: bool, hanging: tuple[Job, ...], jobs: JobList) -> Text:
    told = Text(
        f"{where}, or the realm that it names, does not answer; running: {names}. A stop does not end these jobs: "
        "they go on until the connection ends",
        f"{where} 或其 realm 没有应答；运行中：{names}。停止任务对它们无效，直到连接中断才会结束",
    )
    if not at_first or max((age(job, jobs) or 0.0) for job in hanging) >= _CONNECTED:
        return told
    return Text(
        f"{told.en}. If packets are dropped or a name server is silent, they end by themselves within about two minutes",
        f"{told.zh}。如果是丢包或 DNS 无应答，约两分钟内会自行结束",
    )


def _no_answer(where: str, heard: Silence) -> Link:
    return Link(
        heard.evidence,
        Text(
            f"asked from the operator, {where} accepts the connection and says nothing",
            f"从操作机访问 {where}：连接成功但没有任何应答",
        ),
        Text("it is the destination that hangs", "是目的仓库没有应答"),
    )


def _under_way(jobs: list[Job]) -> Text:
    names = ", ".join(job.repository for job in jobs)
    return Text(
        f"a layer is on its way: {names}; how far it is does not stand in Harbor's log",
        f"正在传输镜像层：{names}；Harbor 日志中没有传输进度",
    )


def _policies(
    facts: ReplicationFacts,
) -> Iterator[tuple[str, str, JobList | None, Mapping[int, JobLog], Silence | None]]:
    yield facts.policy, facts.endpoint, facts.jobs, facts.logs, facts.silence
    for other in facts.others:
        yield other.name, other.endpoint, other.jobs, other.logs, other.silence


def _destination(log: JobLog | None) -> str:
    return log.last.destination if log is not None and log.last is not None else ""


def _busy(jobs: list[Job]) -> Text:
    names = ", ".join(job.repository for job in jobs)
    return Text(
        f"running: {names}; at work or waiting can't be told yet, look at their logs again",
        f"运行中：{names}；尚不能判断是在传输还是在等待，请稍后再看日志",
    )


def _states(jobs: list[Job], seen: JobList) -> list[Link]:
    return [
        Link(
            seen.evidence,
            Text(
                f"job {job.id} of {job.repository} is {job.status}", f"{job.repository} 的任务 {job.id}：{job.status}"
            ),
            Text("it has not ended", "它还没有结束"),
        )
        for job in jobs
    ]


def judge_waiting(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG415: jobs that are pending while the workers are taken."""
    if facts.jobs is None or facts.jobs.jobs is None:
        return
    waiting = [job for job in facts.jobs.latest() if job.status in WAITING]
    if not waiting:
        yield finding("CRG415", Verdict.OK, SOURCE, Text("no job waits for a worker", "没有任务在等待 worker"))
        return
    names = ", ".join(job.repository for job in waiting)
    links = _states(waiting, facts.jobs)
    old = [job for job in waiting if (age(job, facts.jobs) or 0) >= YOUNG]
    blockers = {
        endpoint or policy: hanging
        for policy, endpoint, jobs, logs, heard in _policies(facts)
        if (hanging := silent(jobs, logs, heard))
    }
    if blockers and old:
        held = "; ".join(f"{', '.join(str(job.id) for job in jobs)} ({where})" for where, jobs in blockers.items())
        summary = Text(
            f"{names} wait; the workers are held by jobs {held}", f"{names} 在等待；worker 被任务 {held} 占用"
        )
        yield finding("CRG415", Verdict.FAULT, SOURCE, summary, *links)
    elif old and at_work(facts):
        summary = Text(f"{names} wait for a worker, and workers are at work", f"{names} 在排队，worker 正在工作")
        yield finding("CRG415", Verdict.SKIPPED, SOURCE, summary, *links)
    elif old:
        asked = question(("CRG415", "CRG432"))
        summary = Text(
            f"{names} wait, for a worker (CRG414, CRG415) or for jobservice (CRG432); what decides: {asked.en}",
            f"{names} 在等待 worker（CRG414、CRG415）或 jobservice（CRG432）；需要查看：{asked.zh}",
        )
        yield finding("CRG415", Verdict.UNKNOWN, SOURCE, summary, *links)
        yield finding("CRG432", Verdict.UNKNOWN, SOURCE, summary, *links)
    else:
        summary = Text(f"{names} were made just now: look again", f"{names} 刚刚创建，请稍后再看")
        yield finding("CRG415", Verdict.UNKNOWN, SOURCE, summary, *links)


def judge_stopped(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG438: jobs that were stopped, with nothing newer."""
    if facts.jobs is None or facts.jobs.jobs is None:
        return
    stopped = [job for job in facts.jobs.latest() if job.status in ("stopped", "canceled")]
    if not stopped:
        yield finding("CRG438", Verdict.OK, SOURCE, Text("no job is stopped", "没有被停止的任务"))
        return
    names = ", ".join(job.repository for job in stopped)
    summary = Text(f"stopped, not tried again: {names}", f"已停止，不会重试：{names}")
    links = [
        Link(
            facts.jobs.evidence,
            Text(
                f"the newest job of {job.repository} ({job.id}) is {job.status}",
                f"{job.repository} 最新的任务 {job.id}：{job.status}",
            ),
            Text("it waits for a new start", "需要重新触发"),
        )
        for job in stopped
    ]
    yield finding("CRG438", Verdict.FAULT, SOURCE, summary, *links)
