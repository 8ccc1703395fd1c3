"""进阶步骤: the logs of cargo-token and cargo-admin. A line supports a cause that was found otherwise, and is none itself.

A log tells of others' requests too, and of those of an hour ago: so a line alone never makes a fault.
"""

from __future__ import annotations

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.service_logs import SERVICES, ServiceLog, ServicesFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_CODES = dict(zip(SERVICES, ("CRG810", "CRG811"), strict=True))


def judge_services(path: PathFacts, facts: ServicesFacts) -> tuple[Finding, ...]:
    """CRG810 and CRG811: could each log be read, and what in it points at a fault?

    Nothing where the inventory names no cluster: the triage's notebook then shows what to type.
    """
    return tuple(_judge(log) for log in facts.logs)


def _judge(log: ServiceLog) -> Finding:
    code = _CODES[log.service]
    if log.reason:
        summary = Text(f"the log could not be read: {log.reason}", f"无法读取日志：{log.reason}")
        link = Link(log.evidence, summary, Text("what it says is not known", "无法得知其内容"))
        return finding(code, Verdict.SKIPPED, log.service, summary, link)
    since = f" since {log.since}" if log.since else ""
    from_then = f"自 {log.since} 起" if log.since else ""
    if not log.telling:
        summary = Text(
            f"none of {log.lines} lines{since} points at a fault", f"{from_then}共 {log.lines} 行，没有指向故障的内容"
        )
        return finding(code, Verdict.OK, log.service, summary)
    count = sum(each.count for each in log.telling)
    summary = Text(
        f"{count} of {log.lines} lines{since} point at a fault of some request",
        f"{from_then}共 {log.lines} 行，其中 {count} 行指向某些请求的故障",
    )
    links = [
        Link(
            log.evidence,
            Text(f"{each.count}×, last {each.when}: {each.last}", f"{each.count} 次，最近 {each.when}：{each.last}"),
            Text(
                f"{each.meaning.en} (speaks for {', '.join(each.codes)})",
                f"{each.meaning.zh}（支持 {', '.join(each.codes)}）",
            ),
        )
        for each in log.telling
    ]
    return finding(code, Verdict.OK, log.service, summary, *links)
