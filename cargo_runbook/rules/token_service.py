"""Section Token Service 配置错误: which token service answers, and why not the right one?"""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token_service import Issuer, TokenServiceFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"


def judge_token_service(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG301, CRG302, CRG303 and CRG203: which token service answers, and why not the right one?"""
    seen = facts.token_service
    if seen is None or seen.issuer in (Issuer.UNTOLD, Issuer.BROKEN):
        summary = Text("which token service answers could not be told", "无法判断由哪个 token service 应答")
        untold = () if seen is None else (Link(seen.evidence, summary, Text("not tested", "未测试")),)
        skipped = seen is None or (facts.challenge is not None and facts.challenge.reason == "tls")
        status = Verdict.SKIPPED if skipped else Verdict.UNKNOWN
        return tuple(finding(code, status, _OPERATOR, summary, *untold) for code in _SERVICE_CODES)
    if not facts.has_token_service:
        summary = Text(
            "the inventory names no token service beside Harbor's own", "清单没有指定 Harbor 之外的 token service"
        )
        return tuple(finding(code, Verdict.OK, _OPERATOR, summary) for code in _SERVICE_CODES)
    return (_judge_check(facts, seen), *_judge_addresses(facts, seen), _judge_built_in(facts, seen))


_SERVICE_CODES = ("CRG203", "CRG302", "CRG303", "CRG301")


def _judge_built_in(facts: PathFacts, seen: TokenServiceFacts) -> Finding:
    if seen.issuer is Issuer.CARGO_TOKEN:
        who = Text("cargo-token answers", "由 cargo-token 应答")
        link = Link(seen.evidence, who, Text("platform users can be known", "平台用户可以被识别"))
        return finding("CRG301", Verdict.OK, _OPERATOR, who, link, *_entries(seen))
    summary = Text(
        "Harbor's built-in token service answers instead of cargo-token; only admin can work",
        "应答的是 Harbor 内置的 token service 而不是 cargo-token，只有 admin 可用",
    )
    refused = [login for login in facts.logins if login.kind == "platform" and login.status == 401]
    links = [
        Link(
            seen.evidence,
            Text(
                "a token request for the service `probe` gets 400 `Unable to handle service: probe`",
                "请求服务名 `probe` 的 token，返回 400 `Unable to handle service: probe`",
            ),
            Text("only Harbor's own token service looks at that name", "只有 Harbor 内置的服务会检查该名称"),
        ),
        *_entries(seen),
        *_health(seen),
        *(
            Link(
                login.evidence,
                Text(f"{login.username}, a platform user, gets 401", f"平台用户 {login.username} 得到 401"),
                Text("platform users and pipelines can't log in", "平台用户和流水线无法登录"),
            )
            for login in refused
        ),
    ]
    return finding("CRG301", Verdict.FAULT, _OPERATOR, summary, *links)


def _judge_addresses(facts: PathFacts, seen: TokenServiceFacts) -> tuple[Finding, Finding]:
    """CRG302 and CRG303, by what each address that a front is pointed to answers to its own host."""
    answers = {place: answer for place, answer in seen.answers.items() if answer[0] >= 0}
    dead = {place: evidence for place, (status, evidence) in answers.items() if status == 0 or status >= 500}
    strange = {place: evidence for place, (status, evidence) in answers.items() if 400 <= status < 500}
    if not answers:
        nothing = Text("no address but a loopback one to ask", "除回环地址外没有可查询的地址")
        asked = bool(seen.answers)
        status = Verdict.UNKNOWN if asked or not seen.entries else Verdict.OK
        summary = Text(
            "the token service could not be asked from the Cargo host", "无法从 Cargo 主机查询 token service"
        )
        said = nothing if status is Verdict.OK else summary
        return (finding("CRG302", status, _OPERATOR, said), finding("CRG303", status, _OPERATOR, said))
    return (
        _judge_place(
            "CRG302",
            dead,
            Text("no token service answers at {address}, where Cargo on {host} looks for it",
                 "{host} 上的 Cargo 使用的 {address} 没有 token service 应答"),
            Text("tengine takes it for dead and uses the built-in one", "tengine 认为它失效而改用内置服务"),
            seen,
        ),
        _judge_place(
            "CRG303",
            strange,
            Text(f"the token service at {{address}} does not know {facts.domain} (asked from {{host}})",
                 f"{{address}} 的 token service 不认识 {facts.domain}（从 {{host}} 查询）"),
            Text("it belongs to another cluster", "它属于其他集群"),
            seen,
        ),
    )  # fmt: skip


def _judge_place(
    code: str, places: Mapping[tuple[str, str], str], said: Text, follows: Text, seen: TokenServiceFacts
) -> Finding:
    if not places:
        return finding(
            code, Verdict.OK, _OPERATOR, Text("the token service answers as its own", "token service 应答正常")
        )
    told = {place: said.fill({"host": place[0], "address": place[1]}) for place in places}
    links = [Link(evidence, told[place], follows) for place, evidence in places.items()]
    first = next(iter(told.values()))
    host = next(iter(places))[0]
    return finding(code, Verdict.FAULT, f"cargo host {host}", first, *_entries(seen), *links, *_health(seen))


def _judge_check(facts: PathFacts, seen: TokenServiceFacts) -> Finding:
    """CRG203: does tengine's health check ask for the domain in use?"""
    wrong = [s for s in facts.settings if s.checked_domains and facts.domain.lower() not in s.checked_domains]
    if not wrong:
        summary = Text("tengine's health check asks for the domain in use", "tengine 的健康检查使用的就是当前域名")
        return finding("CRG203", Verdict.OK, _OPERATOR, summary)
    links = [
        Link(
            settings.checked_evidence,
            Text(
                f"nginx.conf on {settings.host} checks with X-Cargo: {', '.join(settings.checked_domains)}; "
                f"the domain in use is {facts.domain}",
                f"{settings.host} 的 nginx.conf 用 X-Cargo: {', '.join(settings.checked_domains)} 检查；"
                f"正在使用的域名是 {facts.domain}",
            ),
            Text(
                "cargo-token answers 400 to it, so tengine takes it for dead",
                "cargo-token 返回 400，tengine 认为它失效",
            ),
        )
        for settings in wrong
    ]
    summary = Text(
        f"tengine's health check asks for {', '.join(wrong[0].checked_domains)} instead of {facts.domain}",
        f"tengine 的健康检查使用 {', '.join(wrong[0].checked_domains)}，而不是 {facts.domain}",
    )
    return finding("CRG203", Verdict.FAULT, f"cargo host {wrong[0].host}", summary, *links)


def token_service_at_fault(facts: PathFacts) -> bool:
    """Whether platform users can't be known by whoever answers for tokens."""
    return any(f.status is Verdict.FAULT for f in judge_token_service(facts))


def _entries(seen: TokenServiceFacts) -> tuple[Link, ...]:
    evidence = dict(zip((host for host, _ in seen.entries), seen.entries_evidence, strict=False))
    return tuple(
        Link(
            evidence.get(host, seen.evidence),
            Text(
                f"tengine on {host} has `{entry.address} {' '.join(entry.names)}` in /etc/hosts",
                f"{host} 上 tengine 的 /etc/hosts 有 `{entry.address} {' '.join(entry.names)}`",
            ),
            Text("this is where Cargo looks for its token service", "Cargo 到这里找 token service"),
        )
        for host, entry in seen.entries
    )


def _health(seen: TokenServiceFacts) -> tuple[Link, ...]:
    if not seen.health_evidence:
        return ()
    if seen.health == 200:
        said = Text("the token service that the inventory names is well (200)", "清单中的 token service 正常（200）")
        follows = Text("Cargo's setting is wrong, not the token service", "错的是 Cargo 的配置，而不是 token service")
    else:
        answer = str(seen.health) if seen.health else "nothing"
        said = Text(
            f"the token service that the inventory names answers {answer} for this domain",
            f"清单中的 token service 对该域名返回 {seen.health or '空'}",
        )
        follows = Text("tengine takes it for dead and falls back", "tengine 认为它失效而改用内置服务")
    return (Link(seen.health_evidence, said, follows),)
