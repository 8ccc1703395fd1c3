"""权限问题: a login for the engineer's docker, and a project that Harbor lacks."""

from __future__ import annotations

import json
from dataclasses import replace

from cargo_runbook.connections.api_calls import ApiRequest, Row, Service
from cargo_runbook.errors import SecretUnavailable
from cargo_runbook.facts.access import AccessFacts, Right
from cargo_runbook.inventory.credentials import Login, login_of
from cargo_runbook.inventory.docker_login import docker_config_path
from cargo_runbook.inventory.models import AccountKind, Action
from cargo_runbook.observations import OPERATOR
from cargo_runbook.remedies.actions import ApiCall, Effect
from cargo_runbook.remedies.edits.docker_config import HasStore, set_login
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench, text_of
from cargo_runbook.texts import Text, tell

SECTION = "权限问题"
_PULLS, _PUSHES = "guest", "user"
"""The roles of a tenant that pull, and that push (cargo-token)."""


def log_in(bench: Workbench) -> Draft:
    """The engineer's docker gets the login of an account of the inventory that may do what is needed.

    Raises:
        NoRemedy: no account's password is at hand, or a credential store keeps the logins.
    """
    environment = bench.environment
    own = next((account for account in environment.accounts if account.is_docker_login), None)
    needed = [right for right in _facts(bench).rights or () if right.saved and not right.granted]
    able = _able(bench, needed) if needed else None
    if own is None or able is None:
        raise NoRemedy(
            tell(
                "the inventory has no platform account that may do it and whose password is at hand here",
                "环境清单中没有既有权限、密码又可在本机取得的平台账号",
            ),
            next_step=tell(
                f"Log in yourself: docker login {environment.authority}",
                f"请自行登录：docker login {environment.authority}",
            ),
            section=SECTION,
        )
    path, draft = docker_config_path(own, environment), Draft()
    state = bench.file(OPERATOR, str(path))
    if state.content is None:
        # As docker makes it: it holds a password.
        state = replace(state, mode="600", owner=bench.owner_of(path.parent))
    try:
        draft.edit(state, set_login(text_of(state), environment.authority, able))
    except HasStore as error:
        raise NoRemedy(
            tell(
                f"{path} names a credential store, which keeps the logins", f"{path} 指定了凭据存储，登录信息由它保存"
            ),
            next_step=tell(
                f"Log in yourself: docker login {environment.authority}",
                f"请自行登录：docker login {environment.authority}",
            ),
            section=SECTION,
        ) from error
    except ValueError as error:
        raise NoRemedy(
            tell(f"{path} can't be edited: it is not JSON", f"无法修改 {path}：它不是 JSON"),
            vantage="operator",
            section=SECTION,
        ) from error
    draft.notes.append(
        Text(
            f"Docker is logged in as {able.username}, as `docker login {environment.authority}` would do; to be somebody "
            "else, type that.",
            f"docker 将以 {able.username} 登录，效果与 docker login {environment.authority} 相同；如需使用其他账号请自行执行。",
        )
    )
    return draft


def _able(bench: Workbench, needed: list[Right]) -> Login | None:
    """The login of the first platform account that holds all the rights that the engineer lacks."""
    rights = _facts(bench).rights or ()
    for account in bench.environment.accounts:
        if account.is_docker_login or account.kind is not AccountKind.PLATFORM:
            continue
        mine = [right for right in rights if right.account == account.name]
        if all(any(r.repository == n.repository and n.action in (*r.actions,) for r in mine) for n in needed):
            try:
                return login_of(bench.environment, account)
            except SecretUnavailable:
                continue
    return None


def create_project(bench: Workbench) -> Draft:
    """The project in Harbor, as public or private as Cargo-Admin has it.

    Raises:
        NoRemedy: Cargo-Admin does not say which project is missing, or what it is like.
    """
    draft = Draft()
    for project in _facts(bench).projects.values():
        if project.in_harbor is not False or not project.in_cargo_admin:
            continue
        if project.public is None:
            raise NoRemedy(
                tell(
                    f"Cargo-Admin does not say whether {project.name} is public, so it is not made",
                    f"Cargo-Admin 没有说明 {project.name} 是否公开，因此不创建",
                ),
                next_step=tell("Create it in Harbor as its administrator.", "请以管理员身份在 Harbor 中创建。"),
                section=SECTION,
            )
        name, kind = project.name, "public" if project.public else "private"
        harbor = ApiRequest(
            service=Service.HARBOR, environment=bench.environment.name, method="POST", path="/api/projects"
        )
        body = {"project_name": name, "metadata": {"public": str(project.public).lower()}}
        row = Row(f"/api/projects?name={name}", "name", name, "project_id")
        draft.actions.append(
            ApiCall(
                request=replace(harbor, body=json.dumps(body), already=(409,)),
                undo=replace(harbor, method="DELETE", path="/api/projects/{row}", row=row, already=(404,)),
                effect=Effect.CREATE,
                target=f"project {name} ({kind})",
            )
        )
    if not draft.actions:
        raise NoRemedy(
            tell("no project is known to be missing in Harbor alone", "没有发现只在 Harbor 中缺失的项目"),
            section=SECTION,
        )
    draft.notes.append(
        Text(
            "The project is empty; Harbor itself removes it again only while nothing has been pushed to it.",
            "新建的项目是空的；只有在没有推送任何镜像时 Harbor 才允许再次删除它。",
        )
    )
    return draft


def grant_role(bench: Workbench) -> Draft:
    """The weakest role that gives what is missing, in the tenant that owns the project.

    Raises:
        NoRemedy: the inventory does not say how this platform grants a role, or whose the project is is not known.
    """
    admin = bench.environment.cargo_admin
    roles = admin.roles if admin else None
    if roles is None:
        raise NoRemedy(
            tell("the inventory does not say how this platform grants a role", "环境清单没有写明该平台如何授予角色"),
            next_step=tell(
                f"Grant it there by hand, or add cargo_admin.roles to {bench.environment.file}.",
                f"请在平台上手动授予，或在 {bench.environment.file} 中添加 cargo_admin.roles。",
            ),
            section=SECTION,
        )
    draft, projects = Draft(), _facts(bench).projects
    wanted: dict[tuple[str, str], tuple[str, str]] = {}
    for right in _facts(bench).rights or ():
        project = projects.get(right.project)
        if right.granted or right.kind != AccountKind.PLATFORM or right.tenant or not right.user:
            continue
        if project is None or project.public or not project.tenant:
            continue
        new, old = (_PUSHES, _PULLS) if right.action == Action.PUSH else (_PULLS, "")
        if new == _PUSHES and "pull" not in right.actions:
            old = ""
        if wanted.get((right.user, project.tenant), ("", ""))[0] != _PUSHES:
            wanted[right.user, project.tenant] = new, old
    for (user, tenant), (new, old) in wanted.items():
        before = old or "none"
        back = roles.grant.filled(tenant, user, old) if old else roles.revoke.filled(tenant, user, new)
        method = roles.grant.method if old else roles.revoke.method
        path, body = roles.grant.filled(tenant, user, new)
        ask = ApiRequest(
            service=Service.CARGO_ADMIN,
            environment=bench.environment.name,
            method=roles.grant.method,
            path=path,
            body=body,
        )
        draft.actions.append(
            ApiCall(
                request=ask,
                undo=replace(ask, method=method, path=back[0], body=back[1], already=(404,)),
                effect=Effect.GRANT,
                target=f"{user} in tenant {tenant}",
                shown=(f"role: {before}", f"role: {new}"),
            )
        )
    if not draft.actions:
        raise NoRemedy(
            tell("which role is missing in which tenant is not known", "无法确定缺少的是哪个租户的哪个角色"),
            section=SECTION,
        )
    draft.notes.append(
        Text(
            "Whoever owns the tenant decides who gets a role there: ask, before you confirm.",
            "租户的角色由其管理员决定：确认之前请先征得同意。",
        )
    )
    return draft


def _facts(bench: Workbench) -> AccessFacts:
    seen = bench.gathered.concerns.get("access")
    return seen if isinstance(seen, AccessFacts) else AccessFacts(0, "", "", None)
