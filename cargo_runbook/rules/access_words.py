"""What the findings about rights say: a sentence for each cause, and the links that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from cargo_runbook.facts.access import AccessFacts, ProjectFacts, Right, role_of
from cargo_runbook.findings import Link
from cargo_runbook.texts import Text


def summary_of(code: str, rights: Sequence[Right], facts: AccessFacts) -> Text:
    """One sentence about all rights that one cause keeps away."""
    said = [_filled(_SENTENCES[code], right, facts) for right in rights]
    return Text("; ".join(dict.fromkeys(s.en for s in said)), "；".join(dict.fromkeys(s.zh for s in said)))


_SENTENCES: Mapping[str, Text] = {
    "CRG505": Text(
        "docker on the operator is not logged in to this registry; nobody may {action} {project} without",
        "操作机的 docker 没有登录该仓库；不登录不能对 {project} 执行 {action}",
    ),
    "CRG506": Text(
        "the password that docker has saved for {who} is refused; docker says `denied` all the same",
        "docker 为 {who} 保存的密码被拒绝；docker 提示的仍是 denied",
    ),
    "CRG508": Text("Harbor has no project {project}", "Harbor 中没有项目 {project}"),
    "CRG509": Text(
        "Cargo-Admin has no project {project}, so only admin can use it",
        "Cargo-Admin 中没有项目 {project}，因此只有 admin 可以使用",
    ),
    "CRG510": Text(
        "{who} has no role in tenant {tenant}, which the private project {project} belongs to",
        "私有项目 {project} 属于租户 {tenant}，{who} 在其中没有角色",
    ),
    "CRG511": Text(
        "{who} may pull from {project} and not push: the role is {role}, concluded from the token",
        "{who} 对 {project} 只能拉取不能推送：由 token 推断其角色为{role}",
    ),
    "CRG512": Text(
        "{project} is public, so {who} may pull and only admin may push; that is by design",
        "{project} 是公开项目，{who} 只能拉取，只有 admin 可以推送，这是设计如此",
    ),
    "CRG513": Text(
        "{who} is the pipeline of another tenant than {tenant}, which {project} belongs to",
        "{project} 属于租户 {tenant}，{who} 是另一个租户的流水线账号",
    ),
    "CRG514": Text(
        "{who} may not {action} {repository}; left: {left}",
        "{who} 不能对 {repository} 执行 {action}；可能的原因：{left}",
    ),
}


def _filled(sentence: Text, right: Right, facts: AccessFacts) -> Text:
    project = facts.projects.get(right.project, ProjectFacts(right.project))
    role, rest = role_of(right.actions) or Text("none", "无"), left(right, project)
    values = {
        "who": right.who,
        "action": right.action,
        "repository": right.repository,
        "project": right.project,
        "tenant": project.tenant or "?",
    }
    english = sentence.fill({**values, "role": role.en, "left": rest.en})
    return Text(english.en, sentence.fill({**values, "role": role.zh, "left": rest.zh}).zh)


def left(right: Right, project: ProjectFacts) -> Text:
    """The causes that are left, each with the question that decides."""
    if right.login == 401:
        return Text("the login is refused", "登录被拒绝")
    causes = []
    if project.in_harbor is None:
        causes.append(
            Text("the project is missing in Harbor (look in Harbor)", "项目在 Harbor 中不存在（在 Harbor 中查看）")
        )
    if project.in_cargo_admin is None and right.kind != "admin":
        causes.append(
            Text(
                "the project is missing in Cargo-Admin (look there, or give cargo_admin in the inventory)",
                "项目在 Cargo-Admin 中不存在（在其中查看，或在清单中填写 cargo_admin）",
            )
        )
    if right.kind != "admin":
        causes.append(
            Text("no role, or one too low (look at the project's members)", "没有角色或角色过低（查看权限分配）")
        )
    causes.append(Text("cargo-token's own log says why", "查看 cargo-token 的日志"))
    return Text("; ".join(c.en for c in causes), "；".join(c.zh for c in causes))


def links_of(code: str, right: Right, facts: AccessFacts) -> Iterator[Link]:
    """The proof that a cause keeps a right away: the token first, then what tells the cause apart."""
    project = facts.projects.get(right.project, ProjectFacts(right.project))
    yield _token(right)
    for link in _PROOFS[code]:
        yield from link(right, project, facts)


def _token(right: Right) -> Link:
    held = ", ".join(sorted(right.actions))
    whose = right.subject or "nobody"
    if right.login_reason == "not_logged_in" or not right.status:
        rule = Text(
            f"no token for {right.account}: docker has no login", f"没有 {right.account} 的 token：docker 未登录"
        )
    else:
        rule = Text(
            f"the token for {right.repository} is {whose}'s and holds {held or 'nothing'}",
            f"{right.repository} 的 token 属于 {right.subject or '匿名'}，权限：{held or '无'}",
        )
    return Link(right.evidence, rule, Text("docker prints `denied`", "docker 提示 denied"))


def _login(right: Right, project: ProjectFacts, facts: AccessFacts) -> Iterator[Link]:
    if right.login == 401:
        rule = Text(
            f"without a scope the token service refuses {right.who} (401)",
            f"不带 scope 时 token service 拒绝 {right.who}（401）",
        )
        follows = Text("with one it falls back to nobody, without a word", "带 scope 时静默降级为匿名")
        yield Link(right.login_evidence, rule, follows)


def _harbor(right: Right, project: ProjectFacts, facts: AccessFacts) -> Iterator[Link]:
    if project.in_harbor is None:
        return
    if project.in_harbor:
        rule = Text(f"Harbor has the project {project.name}", f"Harbor 中有项目 {project.name}")
        yield Link(project.harbor_evidence, rule, Text("it is not missing there", "并非在 Harbor 中缺失"))
        return
    rule = Text(f"Harbor answers 404 for the project {project.name}", f"Harbor 对项目 {project.name} 返回 404")
    yield Link(project.harbor_evidence, rule, Text("every token for it is empty", "所有针对它的 token 都没有权限"))


def _cargo_admin(right: Right, project: ProjectFacts, facts: AccessFacts) -> Iterator[Link]:
    if project.in_cargo_admin is None:
        return
    if not project.in_cargo_admin:
        rule = Text(
            f"Cargo-Admin answers 404 for the project {project.name}", f"Cargo-Admin 对项目 {project.name} 返回 404"
        )
        follows = Text("cargo-token gives platform users nothing there", "cargo-token 不给平台用户任何权限")
        yield Link(project.cargo_admin_evidence, rule, follows)
        return
    kind = {True: Text("public", "公开"), False: Text("private", "私有"), None: Text("?", "？")}[project.public]
    rule = Text(
        f"in Cargo-Admin {project.name} is {kind.en} and belongs to tenant {project.tenant or '?'}",
        f"在 Cargo-Admin 中 {project.name} 是{kind.zh}项目，属于租户 {project.tenant or '？'}",
    )
    follows = {
        True: Text("everybody may pull, only admin may push", "所有人可拉取，只有 admin 可推送"),
        False: Text("only members of that tenant get rights", "只有该租户的成员有权限"),
        None: Text("whom it is open to is not said", "没有说明对谁开放"),
    }[project.public]
    yield Link(project.cargo_admin_evidence, rule, follows)


def _anonymous(right: Right, project: ProjectFacts, facts: AccessFacts) -> Iterator[Link]:
    if project.anonymous is None:
        return
    held = ", ".join(sorted(project.anonymous))
    rule = Text(
        f"a token without credentials holds {held or 'nothing'} there", f"匿名 token 在那里的权限：{held or '无'}"
    )
    follows = Text("the project is public", "项目是公开的") if held else Text("it is no public one", "项目不是公开的")
    yield Link(project.anonymous_evidence, rule, follows)


def _member(right: Right, project: ProjectFacts, facts: AccessFacts) -> Iterator[Link]:
    seen = facts.membership(right.user, project.tenant)
    if seen is None or seen.member is None:
        return
    if seen.member:
        rule = Text(
            f"Cargo-Admin shows {seen.user} the projects of {seen.tenant}",
            f"Cargo-Admin 允许 {seen.user} 查看 {seen.tenant} 的项目",
        )
        yield Link(seen.evidence, rule, Text("a member; the role is too low, or for others", "是成员，但角色不够"))
        return
    rule = Text(
        f"Cargo-Admin refuses {seen.user} the projects of tenant {seen.tenant}",
        f"Cargo-Admin 拒绝 {seen.user} 查看租户 {seen.tenant} 的项目",
    )
    yield Link(seen.evidence, rule, Text("no role in that tenant", "在该租户中没有角色"))


_Proof = Callable[[Right, ProjectFacts, AccessFacts], Iterator[Link]]
_PROOFS: Mapping[str, tuple[_Proof, ...]] = {
    "CRG505": (_anonymous,),
    "CRG506": (_login,),
    "CRG508": (_harbor,),
    "CRG509": (_harbor, _cargo_admin),
    "CRG510": (_harbor, _cargo_admin, _member),
    "CRG511": (_anonymous, _cargo_admin, _member),
    "CRG512": (_anonymous, _cargo_admin),
    "CRG513": (_cargo_admin,),
    "CRG514": (_login, _harbor, _cargo_admin, _anonymous, _member),
}
