"""Jobs that do not end: a silent destination, workers that are taken, jobs that were stopped or never made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cargo_runbook.facts.harbor.go_error import Kind, read_go_error
from cargo_runbook.facts.harbor.job_log import JobLog
from cargo_runbook.facts.harbor.jobs import WAITING, Job, JobList
from cargo_runbook.facts.harbor.replication import ReplicationFacts
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


def silent(jobs: JobList | None, logs: Mapping[int, JobLog]) -> tuple[Job, ...]:
    """Jobs that have run for a while and whose log stopped before an answer of the destination."""
    return tuple(job for job in (jobs.latest() if jobs else ()) if jobs and _is_silent(job, jobs, logs.get(job.id)))


def _is_silent(job: Job, jobs: JobList, log: JobLog | None) -> bool:
    seconds = age(job, jobs)
    if job.status != "running" or seconds is None or log is None or log.last is None or log.last.failure is not None:
        return False
    # A layer on its way may take long; everything else is answered at once.
    if log.last.last_message.startswith("transferring blob"):
        return False
    return seconds >= (_SILENT_AT_FIRST if _at_first(log) else _SILENT_LATER)


def _at_first(log: JobLog) -> bool:
    """Whether the job has not heard from the destination at all."""
    return log.last is not None and log.last.last_message.startswith("initializ")


def judge_running(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG414: running jobs that wait for an answer."""
    for policy, endpoint, jobs, logs in _policies(facts):
        hanging = silent(jobs, logs)
        if hanging and jobs is not None:
            names = ", ".join(job.repository for job in hanging)
            where = endpoint or next((_destination(logs.get(job.id)) for job in hanging), "") or policy
            summary = _silence(where, names, all(_at_first(logs[job.id]) for job in hanging), hanging, jobs)
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
            yield finding("CRG414", Verdict.FAULT, f"{SOURCE}, policy {policy}" if policy else SOURCE, summary, *links)
        elif jobs is facts.jobs and jobs is not None:
            running = [job for job in jobs.latest() if job.status == "running"]
            if running:
                yield finding("CRG414", Verdict.UNKNOWN, SOURCE, _busy(running), *_states(running, jobs))


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


def _policies(
    facts: ReplicationFacts,
) -> Iterator[tuple[str, str, JobList | None, Mapping[int, JobLog]]]:
    yield facts.policy, facts.endpoint, facts.jobs, facts.logs
    for other in facts.others:
        yield other.name, other.endpoint, other.jobs, other.logs


def _destination(log: JobLog | None) -> str:
    return log.last.destination if log is not None and log.last is not None else ""


def _busy(running: list[Job]) -> Text:
    names = ", ".join(job.repository for job in running)
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
    blockers = [job for _, _, jobs, logs in _policies(facts) for job in silent(jobs, logs)]
    if blockers and old:
        ids = ", ".join(str(job.id) for job in blockers)
        summary = Text(f"{names} wait; the workers are held by jobs {ids}", f"{names} 在等待；worker 被任务 {ids} 占用")
        yield finding("CRG415", Verdict.FAULT, SOURCE, summary, *links)
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


def judge_jobservice(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG432: harbor-ui fetches logs from jobservice, and says so when it is not there."""
    for log in facts.logs.values():
        if log.status == 500 and (error := read_go_error(log.said)).requests and error.kind is not Kind.OTHER:
            said = Text(f"the log comes with 500: {log.said}", f"日志请求返回 500：{log.said}")
            link = Link(log.evidence, said, Text("harbor-ui can't reach jobservice", "harbor-ui 无法访问 jobservice"))
            summary = Text("harbor-ui can't reach its jobservice", "harbor-ui 无法访问 jobservice")
            yield finding("CRG432", Verdict.FAULT, "ui of the source", summary, link)
            return
    if any(log.status == 200 for log in facts.logs.values()):
        yield finding(
            "CRG432", Verdict.OK, "ui of the source", Text("jobservice hands out logs", "jobservice 可以返回日志")
        )


def judge_start(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG436 and CRG437: did a start make jobs, and does Harbor know the repositories?"""
    hidden = [r for r in facts.repositories if r.listed is False and r.tags]
    if hidden:
        names = ", ".join(r.name for r in hidden)
        links = [
            Link(
                r.evidence,
                Text(
                    f"{r.name} has {r.tags} tags and Harbor does not list it",
                    f"{r.name} 有 {r.tags} 个标签，但 Harbor 未列出",
                ),
                Text("no start makes a job for it", "触发同步不会为它产生任务"),
            )
            for r in hidden
        ]
        summary = Text(f"not known to Harbor: {names}", f"Harbor 不知道：{names}")
        yield finding("CRG436", Verdict.FAULT, "source", summary, *links)
    elif facts.repositories and all(r.listed for r in facts.repositories):
        yield finding(
            "CRG436", Verdict.OK, "source", Text("Harbor lists the repositories", "Harbor 列出了这些镜像仓库")
        )
    made = len(facts.jobs.latest()) if facts.jobs is not None else 0
    if made and not facts.repositories:
        known = Text(
            f"Harbor knows the {made} repositories that have a job; others were not asked for",
            f"Harbor 知道有任务的 {made} 个镜像仓库；其余未查询",
        )
        yield finding("CRG436", Verdict.OK, "source", known)
    if facts.start is None:
        if made:
            yield finding("CRG437", Verdict.OK, SOURCE, Text("jobs are made", "可以产生任务"))
        return
    if facts.start.new_jobs:
        ids = ", ".join(map(str, facts.start.new_jobs))
        yield finding("CRG437", Verdict.OK, SOURCE, Text(f"new jobs: {ids}", f"新任务：{ids}"))
        return
    asked = question(("CRG432", "CRG433", "CRG436"))
    summary = Text(
        f"no new job {facts.start.seconds:.0f} s after a start. Candidates: jobservice down (CRG432), source registry "
        f"down (CRG433), adminserver or database down (CRG434), repository not known (CRG436), nothing in the project; "
        f"what decides: {asked.en}",
        f"触发 {facts.start.seconds:.0f} 秒后没有新任务。可能：jobservice 停止（CRG432）、源 registry 停止（CRG433）、"
        f"adminserver 或数据库停止（CRG434）、Harbor 不知道该仓库（CRG436）、项目为空；需要查看：{asked.zh}",
    )
    link = Link(
        facts.start.evidence,
        Text(f"the start was answered with {facts.start.status}", f"触发同步返回 {facts.start.status}"),
        Text("that alone proves nothing", "仅此不能说明问题"),
    )
    status = Verdict.FAULT if facts.start.seconds >= 2 else Verdict.UNKNOWN
    yield finding("CRG437", status, SOURCE, summary, link)


def judge_source(facts: ReplicationFacts) -> Iterator[Finding]:
    """CRG433 and CRG434 at the source, by what it answers about itself."""
    seen = facts.source.systeminfo
    if seen is not None and seen.status == 500:
        said = Text(f"systeminfo of {facts.source.name} answers 500", f"{facts.source.name} 的 systeminfo 返回 500")
        follows = Text("Harbor itself is not able", "Harbor 自身异常")
        yield finding("CRG434", Verdict.FAULT, facts.source.name, said, Link(seen.evidence, said, follows))
    registry = facts.source.registry
    if registry is not None and registry.status >= 500:
        said = Text(
            f"/v2/ of {facts.source.name} answers {registry.status}",
            f"{facts.source.name} 的 /v2/ 返回 {registry.status}",
        )
        follows = Text("its registry does not answer", "其 registry 没有应答")
        yield finding("CRG433", Verdict.FAULT, facts.source.name, said, Link(registry.evidence, said, follows))
        return
    broken = [r for r in facts.repositories if r.tags_status == 500]
    if broken and registry is not None and registry.status:
        said = Text(
            f"Harbor answers 500 for the tags of {broken[0].name}, and its registry answers {registry.status}",
            f"Harbor 对 {broken[0].name} 的标签返回 500，而其 registry 返回 {registry.status}",
        )
        follows = Text(
            "harbor-ui gets no token for its own registry; its signing key may be missing",
            "harbor-ui 无法为自己的 registry 签发 token，可能缺少签名密钥",
        )
        yield finding("CRG433", Verdict.FAULT, facts.source.name, said, Link(broken[0].evidence, said, follows))
