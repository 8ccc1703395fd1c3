"""Section 域名无法解析 / 本地场景, the guide's own error text: the name failed at an HTTP proxy.

Go prints the status text of the proxy's answer to CONNECT in the place of the cause: `Service Unavailable` for 503.
"""

from __future__ import annotations

from http import HTTPStatus

from cargo_runbook.facts.docker_proxy import ProxyFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_CODES = ("CRG610", "CRG611", "CRG612")
_VANTAGE = "dockerd at operator"


def judge_proxy(path: PathFacts, facts: ProxyFacts) -> tuple[Finding, ...]:
    """CRG610 to CRG612."""
    if not facts.docker.told:
        # Without a Docker daemon at the operator there is no proxy of one.
        return ()
    if not facts.proxy:
        summary = Text(f"Docker reaches {path.domain} without a proxy", f"Docker 不经代理访问 {path.domain}")
        return tuple(finding(code, Verdict.OK, _VANTAGE, summary) for code in _CODES)
    settings = Link(
        facts.docker.evidence,
        Text(f"docker info names the proxy {facts.place}", f"docker info 显示使用代理 {facts.place}"),
        Text(
            f"the proxy resolves {path.domain}, not this machine; its hosts file has no effect",
            f"由代理解析 {path.domain}，本机的 hosts 文件不起作用",
        ),
    )
    if 200 <= facts.status < 300:
        summary = Text(f"the proxy {facts.place} reaches {path.domain}", f"代理 {facts.place} 可以访问 {path.domain}")
        return tuple(finding(code, Verdict.OK, _VANTAGE, summary, settings) for code in _CODES)
    code, summary, rule = _what_is_wrong(path.domain, facts)
    end = Link(facts.evidence, rule, _client_text(path.domain, facts))
    found = finding(code, Verdict.FAULT, _VANTAGE, summary, settings, end)
    others = Text(f"the proxy answers with {facts.status}", f"代理返回 {facts.status}")
    verdict = Verdict.OK if facts.status else Verdict.SKIPPED
    if not facts.status:
        others = Text("the proxy does not answer", "代理没有应答")
    return (found, *(finding(other, verdict, _VANTAGE, others) for other in _CODES if other != code))


def _what_is_wrong(domain: str, facts: ProxyFacts) -> tuple[str, Text, Text]:
    if not facts.status:
        summary = Text(
            f"Docker's proxy {facts.place} does not answer ({facts.reason})",
            f"Docker 的代理 {facts.place} 没有应答（{facts.reason}）",
        )
        return "CRG611", summary, Text(f"curl -x {facts.place}: {facts.said}", f"curl -x {facts.place}：{facts.said}")
    rule = Text(
        f"CONNECT {domain} at {facts.place} is answered with {facts.status}",
        f"向 {facts.place} 发送 CONNECT {domain}，返回 {facts.status}",
    )
    if facts.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        summary = Text(f"Docker's proxy {facts.place} asks for a login", f"Docker 的代理 {facts.place} 要求认证")
        return "CRG612", summary, rule
    summary = Text(
        f"Docker's proxy {facts.place} answers {facts.status} for {domain}",
        f"Docker 的代理 {facts.place} 对 {domain} 返回 {facts.status}",
    )
    return "CRG610", summary, rule


def _client_text(domain: str, facts: ProxyFacts) -> Text:
    try:
        words = HTTPStatus(facts.status).phrase
    except ValueError:
        words = "proxyconnect tcp: …"
    return Text(
        f'docker stops with `Get "https://{domain}/v2/": {words}`',
        f'docker 以 `Get "https://{domain}/v2/": {words}` 失败',
    )
