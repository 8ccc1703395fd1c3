"""Section 权限问题: one client text, `denied`, split into its causes.

For each right that is missing the causes are gone through in cargo-token's own order: the project in Harbor, in
Cargo-Admin, who asks, and only then roles. Whatever a token service says that is itself at fault counts for nothing:
then only what Harbor and Cargo-Admin say of projects and members is held against anybody.
"""

from __future__ import annotations

from collections.abc import Mapping

from cargo_runbook.facts.access import AccessFacts, ProjectFacts, Right
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.access_words import links_of, summary_of
from cargo_runbook.rules.catalog import finding
from cargo_runbook.rules.token_service import token_service_at_fault
from cargo_runbook.texts import Text

CODES = ("CRG507", "CRG505", "CRG506", "CRG508", "CRG509", "CRG510", "CRG511", "CRG512", "CRG513", "CRG514")
"""In the order in which they are told."""

_OPERATOR = "operator"
_LEFT = "CRG514"
_ADMIN = "admin"


def judge_access(path: PathFacts, facts: AccessFacts) -> tuple[Finding, ...]:
    """Whether Harbor is able, and every right that is needed is there; else why not."""
    if facts.rights is None:
        summary = Text("not testable: the registry was not reached", "无法测试：没有连上仓库")
        return tuple(finding(code, Verdict.SKIPPED, _OPERATOR, summary) for code in CODES)
    if not facts.rights:
        return (_judge_harbor(facts),)
    at_fault = token_service_at_fault(path)
    causes: dict[str, list[Right]] = {}
    for right in facts.rights:
        code = cause_of(right, facts, token_service_at_fault=at_fault)
        if code:
            causes.setdefault(code, []).append(right)
    harbor = _judge_harbor(facts)
    return (harbor, *(_judge(code, causes, facts) for code in CODES[1:]))


UNTOLD = "untold"
"""What `cause_of` says where the answer can't be trusted, or did not come: told elsewhere, and no cause of its own."""


def cause_of(right: Right, facts: AccessFacts, *, token_service_at_fault: bool) -> str:
    """The code of what keeps a right away; empty when it is there, UNTOLD when another finding tells why not.

    Args:
        token_service_at_fault: whoever answers for tokens can't know platform users.
    """
    if right.saved and right.login == 401 and facts.able is not False and not token_service_at_fault:
        return "CRG506"
    if right.granted:
        return ""
    if facts.able is False:
        return UNTOLD
    project = facts.projects.get(right.project, ProjectFacts(right.project))
    if _as_nobody(right) and right.action == "pull" and project.public:
        return ""
    return (
        _missing_project(right, project)
        or ("CRG505" if _as_nobody(right) else "")
        or _by_rule(right, project, facts)
        or _by_token(right, project, facts, token_service_at_fault)
    )


def _missing_project(right: Right, project: ProjectFacts) -> str:
    if project.in_harbor is False:
        return "CRG508"
    # Registry admin needs no project in Cargo-Admin (cargo-token, step 3).
    return "CRG509" if right.kind != _ADMIN and project.in_cargo_admin is False else ""


def _as_nobody(right: Right) -> bool:
    """Whether docker asks without credentials, because it has none."""
    return right.saved and right.login_reason == "not_logged_in"


def _by_rule(right: Right, project: ProjectFacts, facts: AccessFacts) -> str:
    """What follows from the project's owner and from who its members are, whatever the token says."""
    if right.kind == _ADMIN:
        return ""
    if project.public and right.action == "push":
        return "CRG512"
    if right.tenant and project.public is False and project.tenant and right.tenant != project.tenant:
        return "CRG513"
    seen = facts.membership(right.user, project.tenant)
    return "CRG510" if project.public is False and seen is not None and seen.member is False else ""


def _by_token(right: Right, project: ProjectFacts, facts: AccessFacts, token_service_at_fault: bool) -> str:
    if token_service_at_fault:
        return _LEFT
    if right.login != 200 or right.status != 200:
        return UNTOLD
    if right.kind == _ADMIN or not right.subject:
        return _LEFT
    if right.action == "push" and "pull" in right.actions:
        # A public project gives everybody pull; where it is not known to be private, it may be that.
        return "CRG511" if project.public is False or project.anonymous == frozenset() else _LEFT
    known = project.in_harbor and project.in_cargo_admin and project.public is False
    return "CRG510" if known and not right.actions else _LEFT


def _judge_harbor(facts: AccessFacts) -> Finding:
    answer = facts.harbor or facts.harbor_reason
    rule = Text(f"GET /api/systeminfo answers {answer}", f"GET /api/systeminfo 返回 {answer}")
    if facts.able is None:
        return finding("CRG507", Verdict.SKIPPED, _OPERATOR, rule)
    if facts.able:
        link = Link(facts.harbor_evidence, rule, Text("Harbor has its database", "Harbor 的数据库可用"))
        summary = Text("Harbor is able to work", "Harbor 可以正常工作")
        return finding("CRG507", Verdict.OK, _OPERATOR, summary, link)
    follows = Text(
        "its database or adminserver is down; the right password is refused as well",
        "其数据库或 adminserver 不可用，正确的密码也会被拒绝",
    )
    summary = Text(f"Harbor itself is not able: systeminfo {answer}", f"Harbor 自身无法工作：systeminfo {answer}")
    return finding("CRG507", Verdict.FAULT, _OPERATOR, summary, Link(facts.harbor_evidence, rule, follows))


def _judge(code: str, causes: Mapping[str, list[Right]], facts: AccessFacts) -> Finding:
    rights = causes.get(code)
    if rights:
        links = [link for right in rights for link in links_of(code, right, facts)]
        return finding(code, Verdict.FAULT, _OPERATOR, summary_of(code, rights, facts), *dict.fromkeys(links))
    assert facts.rights is not None
    if UNTOLD in causes or _LEFT in causes:
        summary = Text("not tested: rights are missing for another reason", "未测试：权限缺失另有原因")
        return finding(code, Verdict.SKIPPED, _OPERATOR, summary)
    links = [
        Link(
            right.evidence,
            Text(
                f"the token of {right.who} holds {_listed(right)} on {right.repository}",
                f"{right.who} 的 token 对 {right.repository} 有 {_listed(right)}",
            ),
            Text(f"it may {right.action}", f"可以 {right.action}"),
        )
        for right in facts.rights
        if right.granted
    ]
    summary = Text("no right is missing for this reason", "没有因此缺失的权限")
    return finding(code, Verdict.OK, _OPERATOR, summary, *links)


def _listed(right: Right) -> str:
    return ", ".join(sorted(right.actions))
