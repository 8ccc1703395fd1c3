"""Section 使用错误的域名访问: does the challenge send clients to the domain in use?"""

from __future__ import annotations

from cargo_runbook.facts.challenge import Realm, read_realm
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.registry import ChallengeFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"
_CODES = ("CRG702", "CRG202", "CRG201")


def judge_challenge(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG702, CRG202 and CRG201."""
    seen = facts.challenge
    if seen is None or not seen.status:
        return _not_asked(facts, seen)
    if seen.status >= 500:
        return _front_fails(seen)
    answers = finding("CRG702", Verdict.OK, _OPERATOR, Text(f"/v2/ answers {seen.status}", f"/v2/ 返回 {seen.status}"))
    if seen.status != 401 or seen.realm is None or seen.realm.scheme != "https":
        return (answers, *_unusable(seen))
    realm = seen.realm
    usable = finding(
        "CRG202",
        Verdict.OK,
        _OPERATOR,
        Text(f"401 with a Bearer challenge, realm {realm.text}", f"401，Bearer 质询，realm 为 {realm.text}"),
        Link(
            seen.evidence,
            Text(f"the registry answers 401 with realm {realm.text}", f"仓库返回 401，realm 为 {realm.text}"),
            Text("clients fetch their token there", "客户端去那里获取 token"),
        ),
    )
    if _same_place(realm, facts):
        summary = Text(
            f"the realm's host is the domain in use, {facts.authority}", f"realm 的主机就是 {facts.authority}"
        )
        return (answers, usable, finding("CRG201", Verdict.OK, _OPERATOR, summary))
    return (answers, usable, _wrong_domain(facts, seen, realm))


def _same_place(realm: Realm, facts: PathFacts) -> bool:
    return (realm.host, realm.port) == (facts.domain.lower().rstrip("."), facts.port)


def _not_asked(facts: PathFacts, seen: ChallengeFacts | None) -> tuple[Finding, ...]:
    reachable = seen is not None and seen.reason == "tls"
    status = Verdict.SKIPPED if reachable or seen is None else Verdict.UNKNOWN
    summary = Text(
        f"/v2/ could not be asked ({seen.reason if seen else 'not connected'})",
        f"无法请求 /v2/（{seen.reason if seen else '未连接'}）",
    )
    links = (Link(seen.evidence, summary, Text("the challenge was not seen", "没有看到质询")),) if seen else ()
    return tuple(finding(code, status, _OPERATOR, summary, *links) for code in _CODES)


def _front_fails(seen: ChallengeFacts) -> tuple[Finding, ...]:
    summary = Text(f"/v2/ answers {seen.status}", f"/v2/ 返回 {seen.status}")
    consequence = Text(
        "what stands behind the front (registry, harbor-ui) does not answer it",
        "前端背后的 registry 或 harbor-ui 没有应答",
    )
    skipped = Text("not testable: no challenge came", "无法测试：没有收到质询")
    return (
        finding("CRG702", Verdict.FAULT, _OPERATOR, summary, Link(seen.evidence, summary, consequence)),
        *(finding(code, Verdict.SKIPPED, _OPERATOR, skipped) for code in _CODES[1:]),
    )


def _unusable(seen: ChallengeFacts) -> tuple[Finding, ...]:
    if seen.status != 401:
        summary = Text(f"/v2/ answers {seen.status}, not 401", f"/v2/ 返回 {seen.status}，而不是 401")
    elif seen.challenge is None:
        summary = Text("/v2/ answers 401 without a Bearer challenge", "/v2/ 返回 401，但没有 Bearer 质询")
    else:
        realm = seen.challenge.parameters.get("realm", "")
        summary = Text(f"the realm is no https URL: {realm!r}", f"realm 不是 https 地址：{realm!r}")
    consequence = Text("a client can't learn where to fetch a token", "客户端无法得知去哪里获取 token")
    skipped = Text("not testable: no usable challenge came", "无法测试：没有可用的质询")
    return (
        finding("CRG202", Verdict.FAULT, _OPERATOR, summary, Link(seen.evidence, summary, consequence)),
        finding("CRG201", Verdict.SKIPPED, _OPERATOR, skipped),
    )


def _wrong_domain(facts: PathFacts, seen: ChallengeFacts, realm: Realm) -> Finding:
    links = [
        Link(
            seen.evidence,
            Text(
                f"the registry answers 401 with realm {realm.text}; the domain in use is {facts.authority}",
                f"仓库返回 401，realm 为 {realm.text}；正在使用的域名是 {facts.authority}",
            ),
            Text(f"clients are sent to {realm.authority} for their token", f"客户端会去 {realm.authority} 获取 token"),
        )
    ]
    names = facts.realm_names
    if names is not None and names.resolves:
        reach = Text(f"it resolves to {', '.join(names.addresses)}", f"它解析为 {', '.join(names.addresses)}")
        effect = Text("docker sends names and passwords to that host", "docker 会把用户名和密码发给那台主机")
    else:
        reach = Text(f"{realm.host} does not resolve at the operator", f"操作机无法解析 {realm.host}")
        effect = Text(
            f"docker login ends with `lookup {realm.host}: no such host`",
            f"docker login 以 `lookup {realm.host}: no such host` 失败",
        )
    if names is not None and realm.host != facts.domain:
        links.append(Link(names.system.evidence, reach, effect))
    for settings in facts.settings:
        written = read_realm(settings.auth.realm) if settings.auth else None
        if written is not None and written.authority == realm.authority:
            links.append(
                Link(
                    settings.evidence,
                    Text(
                        f"the realm stands so in config/registry/config.yml on {settings.host}",
                        f"{settings.host} 上的 config/registry/config.yml 就是这样写的",
                    ),
                    Text(
                        "the registry itself writes the challenge: that line decides",
                        "质询由 registry 自己发出，由该行决定",
                    ),
                )
            )
    summary = Text(
        f"{facts.authority} sends clients to {realm.authority} for their token",
        f"{facts.authority} 让客户端去 {realm.authority} 获取 token",
    )
    return finding("CRG201", Verdict.FAULT, _OPERATOR, summary, *links)
