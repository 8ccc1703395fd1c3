"""The Cargo hosts: can they be looked at, and does everything run there?"""

from __future__ import annotations

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"


def judge_hosts(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG704: can each Cargo host be looked at over SSH?"""
    closed = [host for host in facts.hosts if host.reason]
    if not facts.hosts:
        return ()
    if not closed:
        names = ", ".join(host.name for host in facts.hosts)
        summary = Text(f"SSH to {names} works", f"{names} 的 SSH 可用")
        return (finding("CRG704", Verdict.OK, _OPERATOR, summary),)
    summary = Text(
        "; ".join(f"{host.name}: {host.sentence.en or host.reason}" for host in closed),
        "；".join(f"{host.name}：{host.sentence.zh or host.reason}" for host in closed),
    )
    links = [
        Link(
            host.evidence,
            Text(f"SSH to {host.name} ends with: {host.reason}", f"{host.name} 的 SSH 失败：{host.reason}"),
            Text("its files and containers could not be read", "未能读取其文件和容器"),
        )
        for host in closed
    ]
    return (finding("CRG704", Verdict.UNKNOWN, _OPERATOR, summary, *links),)


# Containers of Cargo and Harbor (1.2 to 2.x); others on the host are not our business.
_OURS = ("harbor-", "tengine", "registry", "nginx", "redis", "cargo-")


def judge_containers(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG710: does every container of Cargo run?"""
    listed = [(settings, c) for settings in facts.settings for c in settings.containers if c.name.startswith(_OURS)]
    if not facts.settings:
        return ()
    if not listed:
        summary = Text("the containers could not be listed", "无法列出容器")
        return (finding("CRG710", Verdict.UNKNOWN, _OPERATOR, summary),)
    stopped = [(settings, c) for settings, c in listed if not c.running]
    if not stopped:
        names = ", ".join(sorted({c.name for _, c in listed}))
        return (finding("CRG710", Verdict.OK, _OPERATOR, Text(f"{names} run", f"{names} 正在运行")),)
    summary = Text(
        "; ".join(f"{c.name} on {settings.host} is not running: {c.status or '?'}" for settings, c in stopped),
        "；".join(f"{settings.host} 上的 {c.name} 没有运行：{c.status or '?'}" for settings, c in stopped),
    )
    links = [
        Link(
            settings.containers_evidence,
            Text(f"docker lists {c.name} as `{c.status}`", f"docker 显示 {c.name} 的状态为 `{c.status}`"),
            Text("what it serves does not answer", "它提供的服务没有应答"),
        )
        for settings, c in stopped
    ]
    return (finding("CRG710", Verdict.FAULT, f"cargo host {stopped[0][0].host}", summary, *links),)
