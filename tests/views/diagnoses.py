"""Hand-made diagnoses for tests of views and records: a broken environment, a healthy one, a silent one."""

from __future__ import annotations

from datetime import UTC, datetime

from cargo_runbook.findings import CHECKS, Diagnosis, Finding, Health, Link, Verdict
from cargo_runbook.observations import DnsQuery, HttpRequest, Observation, Status
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

DOMAIN = "cargo.caicloudprivatetest.com"
OLD = "old-cargo.caicloudprivatetest.com"
STARTED = datetime(2026, 3, 4, 10, 4, 11, tzinfo=UTC)


def evidence() -> tuple[Observation, ...]:
    """Three answers: the domain resolves, the challenge names another host, that host does not exist."""
    return (
        Observation(
            question=DnsQuery(name=DOMAIN, server="203.0.113.53"),
            status=Status.ANSWERED,
            output=f"{DOMAIN}. 60 IN A 203.0.113.14",
            data={"rcode": "NOERROR", "addresses": ["203.0.113.14"]},
            started=STARTED,
            duration=0.0123,
            id="E1",
        ),
        Observation(
            question=HttpRequest(url=f"https://{DOMAIN}/v2/"),
            status=Status.ANSWERED,
            output='{"errors":[{"code":"UNAUTHORIZED","message":"<script>alert(1)</script>\x1b[31m"}]}',
            data={"status": 401, "headers": {"www-authenticate": f'Bearer realm="https://{OLD}/service/token"'}},
            started=STARTED,
            duration=0.04,
            sha256="ab" * 32,
            id="E2",
        ),
        Observation(
            question=DnsQuery(name=OLD, server="203.0.113.53"),
            status=Status.ANSWERED,
            data={"rcode": "NXDOMAIN", "addresses": []},
            started=STARTED,
            duration=0.01,
            id="E3",
        ),
    )


def wrong_domain(environment: str = "cargo", replayed: str = "") -> Diagnosis:
    """CRG201 as the root cause, CRG501 following from it, what lies behind not testable."""
    root = finding(
        "CRG201",
        Verdict.FAULT,
        "operator",
        Text(f"The challenge names {OLD}", f"质询指向 {OLD}"),
        Link(
            "E2",
            Text(f"the registry answers 401 with realm https://{OLD}/service/token", f"仓库返回 401，realm 为 {OLD}"),
            Text("clients fetch their token from another host", "客户端会去另一个主机获取 token"),
        ),
        Link(
            "E3",
            Text(f"the name {OLD} does not exist", f"域名 {OLD} 不存在"),
            Text("every login fails before a password is sent", "所有登录都会在发送密码之前失败"),
        ),
    )
    findings = (
        ok("dns", Text(f"{DOMAIN} is 203.0.113.14", f"{DOMAIN} 解析为 203.0.113.14"), "E1"),
        ok("tls", Text("The certificate is trusted", "证书受信任"), "E1"),
        root,
        *(skipped(check) for check in CHECKS[3:]),
    )
    return Diagnosis(
        environment=environment,
        domain=DOMAIN,
        status=Health.FAULT,
        root_causes=("CRG201",),
        findings=findings,
        refuted=("CRG101", "CRG602"),
        untested=("CRG304", "CRG502"),
        started="2026-03-04T10:04:11Z",
        seconds=1.9,
        replayed=replayed,
    )


def healthy(environment: str = "devops") -> Diagnosis:
    """Every check ok."""
    return Diagnosis(
        environment=environment,
        domain=DOMAIN,
        status=Health.HEALTHY,
        root_causes=(),
        findings=tuple(ok(check, Text("As it should be", "正常")) for check in CHECKS),
        refuted=("CRG101",),
        untested=(),
        started="2026-03-04T10:04:11Z",
        seconds=0.7,
    )


def silent(environment: str = "dark") -> Diagnosis:
    """A host that does not answer: nothing can be told."""
    findings = tuple(
        Finding(
            code="CRG703" if check == "tls" else "",
            check=check,
            status=Verdict.UNKNOWN,
            vantage="operator",
            summary=Text("The host does not answer", "主机没有应答"),
        )
        for check in CHECKS
    )
    return Diagnosis(
        environment=environment,
        domain=DOMAIN,
        status=Health.UNKNOWN,
        root_causes=(),
        findings=findings,
        refuted=(),
        untested=("CRG201",),
    )


def ok(check: str, summary: Text, *ids: str) -> Finding:
    links = tuple(Link(id, summary, Text("", "")) for id in ids)
    return Finding(code="", check=check, status=Verdict.OK, vantage="operator", summary=summary, chain=links)


def skipped(check: str) -> Finding:
    summary = Text("Not testable while the challenge is wrong", "质询错误，无法测试")
    return Finding(code="", check=check, status=Verdict.SKIPPED, vantage="", summary=summary)
