"""Section 权限问题: from "is Harbor able" to the role and the rule, a table a step."""

from __future__ import annotations

from collections.abc import Iterable

from cargo_runbook.facts.access import AccessFacts, ProjectFacts, Right, role_of
from cargo_runbook.facts.path import LoginFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

_ACCOUNT = Text("account", "账号")
_USER = Text("user", "用户")
_MUST = Text("must be able to", "需要的操作")
_PROJECT = Text("project", "项目")
_NOTHING = Cell("-")
_YES, _NO = Text("yes", "是"), Text("no", "否")
_KINDS = {True: Text("public", "公开"), False: Text("private", "私有"), None: Text("?", "？")}
_NOT_ASKED = Text(
    "Every right is there, so the projects were not looked at. With image, account and action they are.",
    "所需权限均已具备，因此没有查询项目。填写 image、account、action 参数可强制查询。",
)
_UNREACHED = Text("The registry was not reached, so nothing could be asked.", "没有连上仓库，无法查询。")


def _facts(gathered: Gathered) -> AccessFacts:
    seen = gathered.concerns.get("access")
    return seen if isinstance(seen, AccessFacts) else AccessFacts(0, "", "", None)


def _table(title: Text, columns: tuple[Text, ...], rows: Iterable[tuple[Cell, ...]], empty: Text) -> tuple[Table, ...]:
    shown = tuple(rows)
    return (Table(title, columns, shown, None if shown else empty),)


def _able(gathered: Gathered) -> tuple[Table, ...]:
    facts = _facts(gathered)
    verdict = {True: Verdict.OK, False: Verdict.FAULT, None: Verdict.UNKNOWN}[facts.able]
    answer = Cell(str(facts.harbor or facts.harbor_reason or "-"), verdict, evidence=facts.harbor_evidence)
    means = {
        True: Text(
            "Harbor has its database; a refused password is a refused password", "数据库可用，密码被拒即为密码错误"
        ),
        False: Text("the right password is refused as well", "正确的密码也会被拒绝"),
        None: Text("it could not be told", "无法判断"),
    }[facts.able]
    columns = (Text("asked", "查询"), Text("answer", "应答"), Text("means", "含义"))
    return (Table(Text("Harbor", "Harbor"), columns, ((Cell("GET /api/systeminfo"), answer, Cell(means)),)),)


def _logins(gathered: Gathered) -> tuple[Table, ...]:
    users = {right.account: right.user for right in _facts(gathered).rights or ()}
    rows = [
        (
            Cell(login.username),
            Cell(users.get(login.username, "") or ("" if login.saved else login.username) or "-"),
            Cell(login.kind),
            Cell(_saved(login)),
            _login(login),
        )
        for login in gathered.path.logins
    ]
    columns = (_ACCOUNT, _USER, Text("kind", "类型"), Text("password from", "密码来源"), Text("login", "登录"))
    return _table(Text("Who can log in", "谁可以登录"), columns, rows, _UNREACHED)


def _saved(login: LoginFacts) -> Text:
    return Text("docker login on this computer", "本机的 docker login") if login.saved else Text("inventory", "清单")


def _login(login: LoginFacts) -> Cell:
    if login.status == 200:
        return Cell(Text("taken", "接受"), Verdict.OK, evidence=login.evidence)
    if login.status == 401:
        hint = Text(
            "with a scope it is taken for nobody, and docker says `denied`",
            "带 scope 时会降级为匿名，docker 提示 denied",
        )
        return Cell(Text("refused (401)", "拒绝（401）"), Verdict.FAULT, hint, login.evidence)
    if login.reason == "not_logged_in":
        return Cell(Text("docker is not logged in", "docker 未登录"), Verdict.UNKNOWN, evidence=login.evidence)
    return Cell(str(login.status or login.reason), Verdict.UNKNOWN, evidence=login.evidence)


def _tokens(gathered: Gathered) -> tuple[Table, ...]:
    facts = _facts(gathered)
    rows = [
        (
            Cell(right.account),
            Cell(f"{right.action} {right.repository}"),
            Cell(right.subject or Text("nobody", "匿名"), evidence=right.evidence),
            Cell(
                ", ".join(sorted(right.actions)) or "-",
                Verdict.OK if right.granted else Verdict.FAULT,
                evidence=right.evidence,
            ),
            _anonymous(facts.projects.get(right.project)),
        )
        for right in facts.rights or ()
    ]
    columns = (
        _ACCOUNT,
        _MUST,
        Text("the token is for", "token 属于"),
        Text("actions in it", "其中的权限"),
        Text("actions of a token for nobody", "匿名 token 的权限"),
    )
    return _table(Text("Decoded tokens", "解码后的 token"), columns, rows, _UNREACHED)


def _anonymous(project: ProjectFacts | None) -> Cell:
    if project is None or project.anonymous is None:
        return _NOTHING
    held = ", ".join(sorted(project.anonymous))
    return Cell(held or Text("none", "无"), evidence=project.anonymous_evidence)


def _projects(gathered: Gathered) -> tuple[Table, ...]:
    facts = _facts(gathered)
    rows = [
        (
            Cell(project.name),
            _there(project.in_harbor, project.harbor_evidence),
            _there(project.in_cargo_admin, project.cargo_admin_evidence),
            Cell(project.tenant or "-"),
            Cell(_KINDS[project.public]),
        )
        for project in facts.projects.values()
    ]
    columns = (_PROJECT, Text("Harbor", "Harbor"), Text("Cargo-Admin", "Cargo-Admin"), Text("tenant", "租户"),
               Text("kind", "类型"))  # fmt: skip
    empty = _UNREACHED if facts.rights is None else _NOT_ASKED
    return _table(Text("The projects on both sides", "两侧的项目"), columns, rows, empty)


def _there(there: bool | None, evidence: str) -> Cell:
    if there is None:
        return Cell("?", Verdict.UNKNOWN, Text("it could not be asked", "无法查询"), evidence)
    return Cell(_YES if there else _NO, Verdict.OK if there else Verdict.FAULT, evidence=evidence)


def _roles(gathered: Gathered) -> tuple[Table, ...]:
    facts = _facts(gathered)
    rows = [
        (Cell(right.who), Cell(right.project), *_ruled(right, facts.projects[right.project], facts))
        for right in facts.rights or ()
        if right.project in facts.projects
    ]
    columns = (
        _USER,
        _PROJECT,
        Text("member of its tenant", "是否租户成员"),
        Text("role", "角色"),
        Text("rule", "规则"),
        _MUST,
    )
    note = Text(
        "The role is concluded from the token: pull is a guest (访客), push a user (操作员), * an owner (管理员).",
        "角色由 token 推断：pull 为访客，push 为操作员，* 为管理员。",
    )
    if not rows:
        return _table(_WHO, columns, (), _UNREACHED if facts.rights is None else _NOT_ASKED)
    return (Table(_WHO, columns, tuple(rows), note),)


_WHO = Text("Role and rule", "角色与规则")


def _ruled(right: Right, project: ProjectFacts, facts: AccessFacts) -> tuple[Cell, ...]:
    """Membership, role, the rule that decides, and whether what is needed is allowed."""
    seen = facts.membership(right.user, project.tenant)
    member = _NOTHING
    if seen is not None and seen.member is not None:
        member = Cell(_YES if seen.member else _NO, None if seen.member else Verdict.FAULT, evidence=seen.evidence)
    role = role_of(right.actions) if not project.public else None
    if right.kind == "admin":
        rule = Text("admin may do all, without Cargo-Admin", "admin 拥有所有权限，不需要 Cargo-Admin 中有项目")
        role = Text("the registry's administrator", "仓库管理员")
    elif project.public:
        rule = Text("public: everybody pulls, only admin pushes", "公开项目：所有人可拉取，只有 admin 可推送")
    elif right.tenant:
        rule = Text(f"pipeline of tenant {right.tenant}", f"租户 {right.tenant} 的流水线")
    else:
        rule = Text("private: by role in the tenant", "私有项目：按租户中的角色")
    needed = Cell(right.action, Verdict.OK if right.granted else Verdict.FAULT, evidence=right.evidence)
    return member, Cell(role or "-"), Cell(rule), needed


STEPS = (
    Step(
        "able",
        Text("Is Harbor itself able to work?", "Harbor 自身能否正常工作？"),
        needs=("challenge", "access"),
        codes=("CRG507",),
        tables=_able,
    ),
    Step(
        "logins",
        Text("Who can log in?", "谁可以登录？"),
        needs=("login", "access"),
        codes=("CRG501", "CRG505", "CRG506"),
        tables=_logins,
    ),
    Step(
        "tokens",
        Text("Which actions stand in the tokens?", "token 中有哪些权限？"),
        needs=("login", "access"),
        codes=("CRG502", "CRG514"),
        tables=_tokens,
    ),
    Step(
        "projects",
        Text("Is the project in Harbor and in Cargo-Admin?", "项目在 Harbor 和 Cargo-Admin 中是否均存在？"),
        needs=("login", "access"),
        codes=("CRG508", "CRG509"),
        tables=_projects,
    ),
    Step(
        "roles",
        Text("Which role and which rule decide?", "由哪个角色、哪条规则决定？"),
        needs=("login", "access"),
        codes=("CRG510", "CRG511", "CRG512", "CRG513"),
        tables=_roles,
    ),
)
"""The steps of `60_permission`."""
