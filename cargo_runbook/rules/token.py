"""Section Token Service 配置错误: does the registry trust what the token service signs?"""

from __future__ import annotations

from collections.abc import Sequence

from cargo_runbook.facts.path import HostSettings, PathFacts
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

_OPERATOR = "operator"


def judge_token(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG304, CRG305 and CRG306: does the registry trust the token's key, issuer, audience and times?"""
    token = facts.token or next((login.token for login in facts.logins if login.token), None)
    if token is None:
        summary = Text("not testable: no token was received", "无法测试：没有收到 token")
        status = Verdict.UNKNOWN if facts.unreached else Verdict.SKIPPED
        return tuple(finding(code, status, _OPERATOR, summary) for code in ("CRG304", "CRG305", "CRG306"))
    return (_judge_key(facts, token), _judge_claims(facts, token), _judge_clocks(facts, token))


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
        return finding("CRG304", Verdict.FAULT, _where(facts, strangers), summary, link, *links)
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


def _where(facts: PathFacts, strangers: Sequence[HostSettings]) -> str:
    """The hosts that it is the matter of, where it is not all of them."""
    if len(strangers) == len(facts.settings):
        return _OPERATOR
    return f"cargo host {', '.join(settings.host for settings in strangers)}"


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


LEEWAY = 60.0
"""Seconds by which a token may be too early or too late for the registry (distribution, registry/auth/token)."""


def _judge_clocks(facts: PathFacts, token: TokenFacts) -> Finding:
    clock = facts.challenge.clock if facts.challenge else 0.0
    if not clock or not token.issued:
        summary = Text("the clocks could not be compared", "无法比较时钟")
        return finding("CRG306", Verdict.UNKNOWN, _OPERATOR, summary)
    # The registry was asked up to some seconds before the token was made; that much is no skew.
    ahead = token.issued - clock
    if abs(ahead) <= LEEWAY:
        return finding("CRG306", Verdict.OK, _OPERATOR, Text("the clocks agree within a minute", "时钟相差不到一分钟"))
    side = Text("ahead of", "快于") if ahead > 0 else Text("behind", "慢于")
    summary = Text(
        f"the token service's clock is {abs(ahead):.0f} s {side.en} the registry's",
        f"token service 的时钟{side.zh}仓库 {abs(ahead):.0f} 秒",
    )
    assert facts.challenge is not None
    links = (
        Link(
            token.evidence,
            Text("`iat` of the token", "token 的 `iat`"),
            Text("the token service's clock", "token service 的时钟"),
        ),
        Link(
            facts.challenge.evidence,
            Text("the `Date` of the registry's front", "仓库前端的 `Date`"),
            Text("the registry allows a minute and refuses the token", "仓库只允许一分钟误差，会拒绝该 token"),
        ),
    )
    return finding("CRG306", Verdict.FAULT, _OPERATOR, summary, *links)
