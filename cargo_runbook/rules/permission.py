"""Section 权限问题: can the accounts log in, may they pull, and does the registry serve the image?"""

from __future__ import annotations

from cargo_runbook.facts.path import LoginFacts, PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.token_service import token_service_at_fault
from cargo_runbook.texts import Text

_OPERATOR = "operator"


def judge_login(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG501: does the token service take the accounts of the inventory?

    A refusal by a token service that works is no proof of a fault in Cargo: the reference in the inventory may be
    out of date. Then the verdict is `unknown`, with what to check. The login that docker has saved is what the
    engineer really uses: CRG505 and CRG506 tell about it.
    """
    at_fault = token_service_at_fault(facts)
    logins = [login for login in facts.logins if at_fault or login.status == 200 or not login.saved]
    if not facts.logins:
        summary = Text("not tested: no account was asked", "未测试：没有可用的账号")
        status = Verdict.SKIPPED if facts.challenge is not None and facts.challenge.reason == "tls" else Verdict.UNKNOWN
        return (finding("CRG501", status, _OPERATOR, summary),)
    if not logins:
        summary = Text("no account but the login that docker has saved", "除 docker 保存的登录信息外没有其他账号")
        return (finding("CRG501", Verdict.SKIPPED, _OPERATOR, summary),)
    refused = [login for login in logins if login.status == 401]
    untold = [login for login in logins if login.status not in (200, 401) and login.reason != "not_logged_in"]
    taken = [login for login in logins if login.status == 200]
    links = [_login_link(login) for login in logins]
    if refused:
        names = ", ".join(login.username for login in refused)
        if at_fault:
            summary = Text(f"the login of {names} is refused", f"{names} 登录被拒绝")
            return (finding("CRG501", Verdict.FAULT, _OPERATOR, summary, *links),)
        summary = Text(
            f"the token service refuses name or password of {names}; check the account and its password in the inventory",
            f"token service 拒绝 {names} 的用户名或密码；请检查该账号以及清单中的密码",
        )
        return (finding("CRG501", Verdict.UNKNOWN, _OPERATOR, summary, *links),)
    if untold:
        names = ", ".join(f"{login.username} ({login.reason or login.status})" for login in untold)
        summary = Text(f"the login of {names} could not be tested", f"无法测试 {names} 的登录")
        return (finding("CRG501", Verdict.UNKNOWN, _OPERATOR, summary, *links),)
    names = ", ".join(login.username for login in taken)
    return (finding("CRG501", Verdict.OK, _OPERATOR, Text(f"{names} can log in", f"{names} 可以登录"), *links),)


def _login_link(login: LoginFacts) -> Link:
    answer = login.status or login.reason
    follows = {
        200: Text("name and password are taken", "用户名和密码被接受"),
        401: Text("login is refused", "登录被拒绝"),
    }
    return Link(
        login.evidence,
        Text(
            f"the token service answers {answer} to {login.username}",
            f"token service 对 {login.username} 返回 {answer}",
        ),
        follows.get(login.status, Text("it can't be told", "无法判断")),
    )


def judge_project(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG502: does the token hold the right to pull? Read in the token's `access`, never guessed from the request."""
    who = facts.token_account or "anonymous"
    if facts.token is None or _refused(facts, facts.token_account):
        status = Verdict.UNKNOWN if facts.unreached else Verdict.SKIPPED
        summary = Text(f"not testable: no token for {who}", f"无法测试：没有 {who} 的 token")
        return (finding("CRG502", status, _OPERATOR, summary),)
    token = facts.token
    granted = ", ".join(sorted(token.access.get(f"repository:{facts.repository}", ()))) or "nothing"
    rule = Text(
        f"the token of {who} grants {granted} on {facts.repository}",
        f"{who} 的 token 对 {facts.repository} 的权限：{granted}",
    )
    if token.grants(facts.repository, "pull"):
        link = Link(token.evidence, rule, Text("the account may pull", "账号可以拉取"))
        return (finding("CRG502", Verdict.OK, _OPERATOR, rule, link),)
    link = Link(token.evidence, rule, Text("docker prints `denied` or `pull access denied`", "docker 会提示 denied"))
    summary = Text(f"{who} has no right to pull {facts.repository}", f"{who} 没有拉取 {facts.repository} 的权限")
    return (finding("CRG502", Verdict.FAULT, _OPERATOR, summary, link),)


def judge_pull(facts: PathFacts) -> tuple[Finding, ...]:
    """CRG503 and CRG504: does the registry serve the manifest to that token?"""
    image = f"{facts.repository}:{facts.tag}"
    seen = facts.manifest
    if seen is None or not seen.status:
        status = Verdict.UNKNOWN if seen is not None or facts.unreached else Verdict.SKIPPED
        summary = Text(f"not testable: {image} was not asked for", f"无法测试：没有请求 {image}")
        return tuple(finding(code, status, _OPERATOR, summary) for code in ("CRG504", "CRG503"))
    rule = Text(f"the manifest of {image} answers {seen.status}", f"{image} 的 manifest 返回 {seen.status}")
    link = Link(seen.evidence, rule, Text("this is what a pull begins with", "拉取从这里开始"))
    if seen.status in (401, 403):
        summary = Text(
            f"the registry refuses the token for {image} ({seen.status})",
            f"仓库拒绝了 {image} 的 token（{seen.status}）",
        )
        skipped = Text("not testable: the token is refused", "无法测试：token 被拒绝")
        return (
            finding("CRG504", Verdict.FAULT, _OPERATOR, summary, link),
            finding("CRG503", Verdict.SKIPPED, _OPERATOR, skipped),
        )
    accepted = finding("CRG504", Verdict.OK, _OPERATOR, Text("the registry takes the token", "仓库接受 token"), link)
    if seen.status == 200:
        return (accepted, finding("CRG503", Verdict.OK, _OPERATOR, Text(f"{image} is there", f"{image} 存在"), link))
    if seen.status == 404:
        return (
            accepted,
            finding("CRG503", Verdict.FAULT, _OPERATOR, Text(f"{image} is not there", f"{image} 不存在"), link),
        )
    return (
        finding("CRG504", Verdict.UNKNOWN, _OPERATOR, rule, link),
        finding("CRG503", Verdict.UNKNOWN, _OPERATOR, rule, link),
    )


def _refused(facts: PathFacts, username: str) -> bool:
    return any(login.username == username and login.status != 200 for login in facts.logins)
