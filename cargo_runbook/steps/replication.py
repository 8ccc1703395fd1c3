"""Sections 镜像同步一直同步中 and 镜像同步同步失败: Harbor, jobs, their logs, workers, and what is to be done."""

from __future__ import annotations

from collections.abc import Callable

from cargo_runbook.facts.admin_records import AdminReplication
from cargo_runbook.facts.harbor.jobs import Job
from cargo_runbook.facts.harbor.replication import Answer, ReplicationFacts
from cargo_runbook.facts.replication import EnvironmentReplication
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.replication.consequences import DOING
from cargo_runbook.rules.replication.environment import AT_DESTINATION, SYMPTOMS, codes
from cargo_runbook.rules.replication.progress import age, running, silent
from cargo_runbook.steps.destination import CONCERN, Row, closely, destination, names, seen_of, sides, table
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

_MOST = 20
_RECORDS = 5
_GOOD, _BAD = frozenset({"finished"}), frozenset({"error", "retrying", "stopped", "canceled"})
_POLICY = Text("policy", "策略")


def able(gathered: Gathered) -> tuple[Table, ...]:
    """Whether each side's Harbor and registry answer."""
    seen = seen_of(gathered)
    rows: list[Row] = []
    if (generation := seen.generation) is not None:
        version = Text(f"Harbor {generation.version}", f"Harbor {generation.version}")
        said = version if generation.version else Text(f"status {generation.status}", f"状态码 {generation.status}")
        verdict = Verdict.OK if generation.version else Verdict.FAULT if generation.status == 500 else Verdict.UNKNOWN
        rows.append(
            (Cell(gathered.environment.name), Cell("systeminfo"), Cell(said, verdict, evidence=generation.evidence))
        )
    if (own := next((p.facts.source.registry for p in closely(gathered)), None)) is not None:
        rows.append((Cell(gathered.environment.name), Cell("/v2/"), _status(own, (401, 200))))
    for policy in {p.policy.endpoint: p for p in closely(gathered)}.values():
        name = policy.destination or policy.policy.host
        for what, answer, good in (
            ("systeminfo", policy.facts.destination.systeminfo, (200,)),
            ("/v2/", policy.facts.destination.registry, (401, 200)),
        ):
            if answer is not None:
                rows.append((Cell(name), Cell(what), _status(answer, good)))
    columns = (Text("side", "一侧"), Text("asked", "询问"), Text("answer", "应答"))
    note = Text(
        "With adminserver or database down Harbor answers the right password with 401, and systeminfo with 500.",
        "adminserver 或数据库停止时，正确的密码也得到 401，systeminfo 返回 500。",
    )
    return table(Text("Is Harbor itself able?", "Harbor 自身是否正常？"), columns, rows, note)


def _status(answer: Answer, good: tuple[int, ...]) -> Cell:
    text = str(answer.status) if answer.status else answer.said or "-"
    verdict = Verdict.OK if answer.status in good else Verdict.FAULT if answer.status >= 500 else Verdict.UNKNOWN
    return Cell(text, verdict, evidence=answer.evidence)


def jobs(gathered: Gathered) -> tuple[Table, ...]:
    """The newest job of each repository, by policy, and what Cargo-Admin calls it."""
    rows: list[Row] = []
    for policy in seen_of(gathered).policies:
        listed = policy.facts.jobs
        newest = listed.latest() if listed is not None else ()
        head = (Cell(policy.policy.name), Cell(policy.policy.endpoint))
        if listed is None or not newest:
            none = Text("no job", "没有任务") if listed is not None else Text("could not be listed", "无法列出")
            rows.append((*head, Cell("-"), Cell(none), Cell("-")))
        rows += [
            (*head, Cell(f"{job.repository} ({job.id})"), _state(job, listed.evidence), Cell(_age(age(job, listed))))
            for job in newest[:_MOST]
            if listed is not None
        ]
    columns = (
        _POLICY,
        Text("destination", "目的仓库"),
        Text("newest job", "最新任务"),
        Text("state", "状态"),
        Text("since", "持续"),
    )
    note = Text(
        "retrying: an error that is no HTTP status, tried again every 5 minutes without limit. error: an HTTP status, at "
        "once and for good. One job that does not end keeps Cargo-Admin's record syncing (同步中).",
        "retrying：不是 HTTP 状态码的错误，每 5 分钟重试，没有次数限制。error：HTTP 状态码，立即失败。只要有一个任务未结束，"
        "Cargo-Admin 的记录就一直显示同步中。",
    )
    tables = table(Text("What do the jobs say?", "同步任务的状态"), columns, rows, note if rows else None)
    return tables + _records(seen_of(gathered))


def _records(seen: EnvironmentReplication) -> tuple[Table, ...]:
    if not seen.records:
        return ()
    rows = [
        (
            Cell(r.name),
            Cell(f"{r.source} → {r.target}"),
            Cell(r.project),
            Cell(r.status or "-", evidence=r.evidence),
            Cell(_starts(r), evidence=r.records_evidence),
        )
        for r in seen.records
    ]
    columns = (
        Text("replication", "同步策略"),
        Text("from, to", "方向"),
        Text("project", "项目"),
        Text("state", "状态"),
        Text("its last records, newest first", "最近的记录（新的在前）"),
    )
    note = Text(
        "Syncing (同步中) as long as one job is running, pending or retrying; else Failed (失败) when one ended badly.",
        "只要有任务处于 running、pending 或 retrying，记录就是 Syncing（同步中）；否则有任务失败时为 Failed（失败）。",
    )
    return (Table(Text("What Cargo-Admin calls them", "Cargo-Admin 中的记录"), columns, tuple(rows), note),)


def _starts(replication: AdminReplication) -> Text | str:
    if replication.records is None:
        return Text("could not be read", "无法读取")
    shown = [
        f"{r.status} {r.done}/{r.total}" if r.done is not None and r.total is not None else r.status
        for r in replication.records[:_RECORDS]
    ]
    more = len(replication.records) - len(shown)
    return ", ".join(shown) + (f" … (+{more})" if more > 0 else "") or "-"


def _state(job: Job, evidence: str) -> Cell:
    verdict = Verdict.OK if job.status in _GOOD else Verdict.FAULT if job.status in _BAD else Verdict.UNKNOWN
    return Cell(job.status, verdict, evidence=evidence)


def _age(seconds: float | None) -> Text | str:
    if seconds is None:
        return "-"
    if seconds < 120:
        return Text(f"{seconds:.0f} s", f"{seconds:.0f} 秒")
    return Text(f"{seconds / 60:.0f} min", f"{seconds / 60:.0f} 分钟")


def logs(gathered: Gathered) -> tuple[Table, ...]:
    """The error that ended each job, taken apart."""
    rows: list[Row] = []
    for policy in closely(gathered):
        for job in policy.troubled[:_MOST]:
            log = policy.facts.logs.get(job.id)
            attempt = log.last if log is not None else None
            failure = attempt.failure if attempt is not None else None
            if log is None or failure is None:
                last = attempt.last_message if attempt is not None else (log.said if log is not None else "-")
                empty = (Cell(Text("no error yet", "尚无错误")), Cell("-"), Cell(last[:120] or "-"))
                rows.append((Cell(f"{policy.policy.name} ({job.id})"), *empty))
                continue
            kind = Text("no HTTP status: retried", "不是 HTTP 状态码：会重试")
            if not failure.is_network:
                kind = Text(f"HTTP {failure.error.status}: over", f"HTTP {failure.error.status}：不再重试")
            rows.append(
                (
                    Cell(f"{policy.policy.name} ({job.id})"),
                    Cell(DOING[failure.operation], hint=failure.source_line),
                    Cell(kind, Verdict.FAULT, evidence=log.evidence),
                    Cell(f"{failure.url}: {failure.error.text or '-'}"),
                )
            )
    columns = (
        Text("job", "任务"),
        Text("it was", "当时正在"),
        Text("class", "类别"),
        Text("where and why", "位置与原因"),
    )
    note = Text(
        "The guide's line `[transfer.go:395] … 401 ` has at least four causes: no role at the destination, a token that is "
        "not trusted, a token of another cluster, an endpoint without https://. Only the destination tells them apart.",
        "指南中的 `[transfer.go:395] … 401 ` 至少有四种原因：在目的项目没有角色、token 不被信任、token 来自其他集群、endpoint "
        "没有 https://。只有询问目的仓库才能区分。",
    )
    return table(Text("What do the jobs' logs say?", "任务日志"), columns, rows, note)


def workers(gathered: Gathered) -> tuple[Table, ...]:
    """The jobs that hold a worker, whether they move, and whether they can be stopped."""
    rows: list[Row] = []
    for policy in seen_of(gathered).policies:
        facts = policy.facts
        for job in running(facts.jobs):
            hangs = job in silent(facts.jobs, facts.logs, facts.silence)
            said = (
                Text("no answer: a stop does not end it", "没有应答：停止任务无效")
                if hangs
                else Text("at work", "工作中")
            )
            verdict = Verdict.FAULT if hangs else None
            since = age(job, facts.jobs) if facts.jobs is not None else None
            held = (Cell(policy.policy.name), Cell(f"{job.repository} ({job.id})"), Cell(policy.policy.endpoint))
            rows.append((*held, Cell(_age(since)), Cell(said, verdict, evidence=_log(facts, job))))
    columns = (
        _POLICY,
        Text("job", "任务"),
        Text("destination", "目的仓库"),
        Text("since", "持续"),
        Text("state", "状态"),
    )
    note = Text(
        "Harbor 1.4 has few workers (three by default) and no time limit. A silent destination holds them all, so jobs to "
        "healthy destinations stay pending. A running job stops only when its connection ends.",
        "Harbor 1.4 的 worker 很少（默认 3 个）且没有超时。无应答的目的仓库会占满它们，发往正常仓库的任务一直 pending。"
        "运行中的任务只有在连接中断时才会停止。",
    )
    empty = Text("No job is running.", "没有运行中的任务。")
    return (Table(Text("Who holds the workers?", "谁占用了 worker？"), columns, tuple(rows), note if rows else empty),)


def _log(facts: ReplicationFacts, job: Job) -> str:
    return facts.logs[job.id].evidence if job.id in facts.logs else ""


def change(gathered: Gathered) -> tuple[Table, ...]:
    """The guide's steps with this environment's values; nothing is done here."""
    environment = gathered.environment
    rows: list[Row] = []
    for policy in closely(gathered):
        waits = any(job.status in ("retrying", "pending", "running") for job in policy.troubled)
        unresolved = [n for n in policy.names if n.addresses == () and "jobservice" in n.place]
        steps: list[tuple[Text, str]] = []
        for name in unresolved:
            entry = f"{policy.address or '<address>'} {name.name}"
            steps += [(Text("/etc/hosts of the Cargo host", "Cargo 主机的 /etc/hosts"), entry),
                      (Text("/etc/hosts of harbor-jobservice (lost when the container is made anew; extra_hosts lasts)",
                            "harbor-jobservice 的 /etc/hosts（重建容器后丢失；extra_hosts 可保留）"), entry)]  # fmt: skip
        if waits:
            steps.append(
                (Text("Harbor, replication: stop the jobs (停止任务)", "Harbor 复制管理：停止任务"), policy.policy.name)
            )
        steps.append(
            (Text("Cargo-Admin: trigger the replication again", "Cargo-Admin：再次触发同步"), policy.policy.project)
        )
        rows += [(Cell(policy.policy.name), Cell(what), Cell(value)) for what, value in steps]
    columns = (_POLICY, Text("where", "位置"), Text("what", "内容"))
    note = Text(
        f"After the cause is removed, on {environment.name}. Trigger in Cargo-Admin, not in Harbor, or Cargo-Admin loses the time. "
        "A job whose call hangs can't be stopped: first its destination must answer or its connection end.",
        f"在 {environment.name} 上消除原因之后进行。请在 Cargo-Admin 中触发，否则 Cargo-Admin 会丢失触发时间。"
        "网络调用挂起的任务无法停止：必须先让目的仓库应答或连接中断。",
    )
    return table(Text("What to do (said, not done)", "解决办法（仅说明，不执行）"), columns, rows, note)


_CAUSES = tuple(code for code in codes() if code not in SYMPTOMS)
_REFUSALS = tuple(code for code in _CAUSES if code in AT_DESTINATION or code == "CRG423")
_WAYS = tuple(code for code in _CAUSES if code not in _REFUSALS)


def _step(name: str, title: Text, tables: Callable[[Gathered], tuple[Table, ...]], *shown: str) -> Step:
    return Step(name, title, needs=(CONCERN,), codes=shown, tables=tables)


_ABLE = _step(
    "able", Text("Is Harbor itself able?", "Harbor 自身是否正常？"), able, "CRG507", "CRG434", "CRG433", "CRG432"
)
_JOBS = _step("jobs", Text("What do policies and jobs say?", "策略和任务的状态？"), jobs, *SYMPTOMS, "CRG438")
_LOGS = _step("logs", Text("Where did the jobs stop?", "任务停在哪里？"), logs)
_NAMES = _step(
    "names", Text("Does the destination's name resolve in jobservice?", "jobservice 能否解析目的域名？"), names, *_WAYS
)
_DESTINATION = _step("destination", Text("What does the destination say?", "目的仓库怎么说？"), destination, *_REFUSALS)
_SIDES = _step("sides", Text("Do the clocks and all nodes agree?", "时钟和各节点是否一致？"), sides, "CRG419", "CRG422")
_WORKERS = _step("workers", Text("Who holds the workers?", "谁占用了 worker？"), workers, "CRG414", "CRG415")
_CHANGE = _step("change", Text("What is to be done?", "如何处理？"), change)

STUCK = (_ABLE, _JOBS, _LOGS, _NAMES, _WORKERS, _DESTINATION, _CHANGE)
FAILED = (_ABLE, _JOBS, _LOGS, _DESTINATION, _NAMES, _SIDES, _WORKERS, _CHANGE)
