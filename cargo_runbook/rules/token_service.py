"""Section Token Service 配置错误: which token service answers, and does the registry trust what it signs?"""

from __future__ import annotations

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.facts.token_service import Issuer, TokenServiceFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"


def judge_token_service(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG301: is it the built-in token service that answers, though the inventory names another?"""
    seen = facts.token_service
    if seen is None or seen.issuer in (Issuer.UNTOLD, Issuer.BROKEN):
        summary = Text("which token service answers could not be told", "无法判断由哪个 token service 应答")
        untold = () if seen is None else (Link(seen.evidence, summary, Text("not tested", "未测试")),)
        skipped = seen is None or (facts.challenge is not None and facts.challenge.reason == "tls")
        return (finding("CRG301", Verdict.SKIPPED if skipped else Verdict.UNKNOWN, _OPERATOR, summary, *untold),)
    if seen.issuer is Issuer.CARGO_TOKEN or not facts.has_token_service:
        who = Text("cargo-token answers", "由 cargo-token 应答")
        if seen.issuer is Issuer.BUILT_IN:
            who = Text(
                "Harbor's own token service answers, as the inventory has it", "由 Harbor 内置的服务应答，与清单一致"
            )
        link = Link(seen.evidence, who, Text("platform users can be known", "平台用户可以被识别"))
        return (finding("CRG301", Verdict.OK, _OPERATOR, who, link, *_entries(seen)),)
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
    return (finding("CRG301", Verdict.FAULT, _OPERATOR, summary, *links),)


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


def judge_token(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG304 and CRG305: does the registry trust the token's key, issuer and audience?"""
    token = facts.token or next((login.token for login in facts.logins if login.token), None)
    if token is None:
        summary = Text("not testable: no token was received", "无法测试：没有收到 token")
        status = Verdict.UNKNOWN if _unreached(facts) else Verdict.SKIPPED
        return tuple(finding(code, status, _OPERATOR, summary) for code in ("CRG304", "CRG305"))
    return (_judge_key(facts, token), _judge_claims(facts, token))


def _unreached(facts: PathFacts) -> bool:
    return facts.challenge is None or (not facts.challenge.status and facts.challenge.reason != "tls")


def _judge_key(facts: PathFacts, token: TokenFacts) -> Finding:
    readable = [settings for settings in facts.settings if settings.key_ids]
    strangers = [settings for settings in readable if token.key_id not in settings.key_ids]
    link = Link(
        token.evidence,
        Text(f"the token is signed by key {token.key_id}", f"token 由密钥 {token.key_id} 签发"),
        Text("the registry must trust that key", "仓库必须信任该密钥"),
    )
    if token.key_id and strangers:
        summary = Text("the registry does not trust the key that signed the token", "仓库不信任签发 token 的密钥")
        links = [
            Link(
                settings.keys_evidence,
                Text(
                    f"root.crt on {settings.host} holds {', '.join(settings.key_ids)}",
                    f"{settings.host} 上的 root.crt 是 {', '.join(settings.key_ids)}",
                ),
                Text(
                    "the token comes from another key: another cluster's token service",
                    "token 来自别的密钥，即其他集群",
                ),
            )
            for settings in strangers
        ]
        return finding("CRG304", Verdict.FAULT, _OPERATOR, summary, link, *links)
    if token.key_id and readable:
        links = [
            Link(
                settings.keys_evidence,
                Text(f"root.crt on {settings.host} holds that key", f"{settings.host} 上的 root.crt 就是该密钥"),
                Text("the signature can be verified", "签名可以验证"),
            )
            for settings in readable
        ]
        summary = Text("the registry trusts the key of the token", "仓库信任 token 的密钥")
        return finding("CRG304", Verdict.OK, _OPERATOR, summary, link, *links)
    if facts.manifest is not None and facts.manifest.status in (200, 404):
        accepted = Text(
            f"the registry took the token ({facts.manifest.status})", f"仓库接受了 token（{facts.manifest.status}）"
        )
        return finding("CRG304", Verdict.OK, _OPERATOR, accepted, Link(facts.manifest.evidence, accepted, accepted))
    summary = Text("root.crt could not be read, so the key can't be compared", "无法读取 root.crt，不能比较密钥")
    return finding("CRG304", Verdict.UNKNOWN, _OPERATOR, summary, link)


def _judge_claims(facts: PathFacts, token: TokenFacts) -> Finding:
    wrong = []
    for settings in facts.settings:
        if settings.auth is None:
            continue
        if settings.auth.issuer and settings.auth.issuer != token.issuer:
            wrong.append((settings, f"iss {token.issuer!r} != {settings.auth.issuer!r}"))
        if settings.auth.service and settings.auth.service not in token.audience:
            wrong.append((settings, f"aud {', '.join(token.audience)!r} != {settings.auth.service!r}"))
    if wrong:
        summary = Text("; ".join(text for _, text in wrong), "；".join(text for _, text in wrong))
        links = [
            Link(
                s.evidence,
                Text(f"{s.host}: {text}", f"{s.host}：{text}"),
                Text("the registry refuses it", "仓库会拒绝"),
            )
            for s, text in wrong
        ]
        return finding("CRG305", Verdict.FAULT, _OPERATOR, summary, *links)
    summary = Text(
        f"issuer {token.issuer}, audience {', '.join(token.audience)}",
        f"签发者 {token.issuer}，受众 {', '.join(token.audience)}",
    )
    return finding("CRG305", Verdict.OK, _OPERATOR, summary)
