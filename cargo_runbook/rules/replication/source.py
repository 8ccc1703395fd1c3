"""The source itself: its jobservice, its registry, whether a start makes jobs, and whether Harbor knows the repositories."""

from __future__ import annotations

from collections.abc import Iterator

from cargo_runbook.facts.harbor.go_error import Kind, read_go_error
from cargo_runbook.facts.harbor.replication import ReplicationFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.replication.causes import question
from cargo_runbook.rules.replication.progress import SOURCE
from cargo_runbook.texts import Text


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
