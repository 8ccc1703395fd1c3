"""Who may do what: is Harbor able, which actions stand in each account's token, and, where one is missing, why.

Projects and roles are asked for only where a right is missing, or where the engineer asks for one use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cargo_runbook.facts.access import (
    AccessFacts,
    Membership,
    ProjectFacts,
    Right,
    actions_on,
    read_project,
    read_registry,
    read_status,
)
from cargo_runbook.facts.path import LoginFacts
from cargo_runbook.facts.token import read_token
from cargo_runbook.inventory.models import Account, AccountKind, Action, Environment
from cargo_runbook.observations import HttpRequest, Observation, Question
from cargo_runbook.probes.asking import DEADLINE, together
from cargo_runbook.probes.registry import DEFAULT_SERVICE, puller_of, token_request
from cargo_runbook.probes.scene import Scene, Wanted

CARGO_ADMIN = "/api/v2"


@dataclass(frozen=True)
class Need:
    """One use: an account, what it must be able to do, the repository."""

    account: Account
    action: str
    repository: str


def needs(environment: Environment, wanted: Wanted) -> tuple[Need, ...]:
    """What must work: the one use that was asked for, or all of the inventory and a pull of its image."""
    puller = puller_of(environment, wanted.account)
    if puller is None:
        return ()
    if wanted.narrowed:
        return (Need(puller, wanted.action, wanted.repository),)
    needed = [
        Need(account, str(use.action), use.image.partition(":")[0])
        for use in environment.uses
        if (account := environment.account_named(use.account))
    ]
    return tuple(dict.fromkeys((*needed, Need(puller, str(Action.PULL), wanted.repository))))


def ask_access(scene: Scene) -> AccessFacts:
    """Whether Harbor is able, and a token for everything that must work."""
    if not scene.challenge().status:
        return AccessFacts(0, scene.challenge().reason, scene.challenge().evidence, None)
    needed = needs(scene.environment, scene.wanted)
    questions = [_systeminfo(scene), *(_token_for(scene, need) for need in needed)]
    info, *tokens = together(scene.ask, questions)
    probe = scene.tokens()
    logins = {login.username: login for login in probe.logins} if probe else {}
    rights = tuple(_right(need, o, logins.get(need.account.name)) for need, o in zip(needed, tokens, strict=True))
    harbor = read_status(info), "" if info.answered else str(info.data.get("reason", "") or info.status), info.id
    closer = [right for right in rights if not right.granted or scene.wanted.narrowed]
    return AccessFacts(*harbor, rights, *_look_closer(scene, closer))


def _systeminfo(scene: Scene) -> HttpRequest:
    return _harbor(scene, "/api/systeminfo")


def _harbor(scene: Scene, path: str, method: str = "GET") -> HttpRequest:
    url = f"https://{scene.environment.authority}{path}"
    return HttpRequest(url=url, method=method, connect_to=scene.connect_to(), deadline=DEADLINE)


def _token_for(scene: Scene, need: Need) -> HttpRequest:
    # As docker asks: a push wants to pull as well.
    actions = "pull,push" if need.action == Action.PUSH else "pull"
    return _scoped(scene, need.account, f"repository:{need.repository}:{actions}")


def _scoped(scene: Scene, account: Account | None, scope: str) -> HttpRequest:
    service = scene.challenge().service or DEFAULT_SERVICE
    return token_request(scene.environment, scene.connect_to(), account, service=service, scope=scope)


def _right(need: Need, observation: Observation, login: LoginFacts | None) -> Right:
    token = read_token(observation)
    account = need.account
    return Right(
        account=account.name,
        user=account.username or str(observation.data.get("user", "")),
        kind=str(account.kind),
        saved=account.is_docker_login,
        action=need.action,
        repository=need.repository,
        login=login.status if login else 0,
        login_reason=login.reason if login else "",
        login_evidence=login.evidence if login else "",
        status=read_status(observation),
        subject=token.subject if token else "",
        actions=actions_on(token, need.repository),
        evidence=observation.id,
    )


def _look_closer(scene: Scene, rights: Sequence[Right]) -> tuple[dict[str, ProjectFacts], tuple[Membership, ...]]:
    """The projects behind some rights: in Harbor, in Cargo-Admin, for nobody; and who is a member of their tenants."""
    repositories = {right.project: right.repository for right in rights}
    if not repositories:
        return {}, ()
    registry = _registry(scene)
    questions: list[Question] = []
    for name, repository in repositories.items():
        questions.append(_harbor(scene, f"/api/projects?project_name={quote(name)}", "HEAD"))
        questions.append(_scoped(scene, None, f"repository:{repository}:pull"))
    admin = [_admin(scene, f"/registries/{quote(registry)}/projects/{quote(name)}") for name in repositories]
    asked = [question for question in admin if question and registry]
    answers = together(scene.ask, [*questions, *asked])
    managed: list[Observation | None] = [*answers[len(questions) :]] if asked else [None] * len(repositories)
    projects = {
        name: _project(name, repository, answers[2 * place], answers[2 * place + 1], managed[place])
        for place, (name, repository) in enumerate(repositories.items())
    }
    return projects, _memberships(scene, registry, rights, projects)


def _project(
    name: str, repository: str, head: Observation, nobody: Observation, managed: Observation | None
) -> ProjectFacts:
    token = read_token(nobody)
    anonymous = actions_on(token, repository) if token else None
    known, tenant, public = read_project(managed) if managed else (None, "", None)
    if public is None and anonymous:
        public = True
    return ProjectFacts(
        name=name,
        in_harbor={200: True, 404: False}.get(read_status(head)),
        harbor_evidence=head.id,
        in_cargo_admin=known,
        cargo_admin_evidence=managed.id if managed else "",
        tenant=tenant,
        public=public,
        anonymous=anonymous,
        anonymous_evidence=nobody.id,
    )


def _memberships(
    scene: Scene, registry: str, rights: Sequence[Right], projects: dict[str, ProjectFacts]
) -> tuple[Membership, ...]:
    pairs = {
        (right.user, projects[right.project].tenant): None
        for right in rights
        if right.kind == AccountKind.PLATFORM and right.user and not right.tenant and projects[right.project].tenant
    }
    questions = [_admin(scene, f"/registries/{quote(registry)}/projects", *pair) for pair in pairs]
    answers = together(scene.ask, [question for question in questions if question])
    return tuple(
        Membership(user, tenant, {200: True, 401: False, 403: False}.get(read_status(answer)), answer.id)
        for (user, tenant), answer in zip(pairs, answers, strict=True)
    )


def _registry(scene: Scene) -> str:
    question = _admin(scene, "/registries")
    return read_registry(scene.ask(question), scene.environment.domain) if question else ""


def _admin(scene: Scene, path: str, user: str = "", tenant: str = "") -> HttpRequest | None:
    """A request to Cargo-Admin, where the inventory says where that is."""
    admin = scene.environment.cargo_admin
    if admin is None:
        return None
    headers = ((admin.tenant_header, tenant), (admin.user_header, user)) if user else ()
    return HttpRequest(url=f"{admin.url.rstrip('/')}{CARGO_ADMIN}{path}", headers=headers, deadline=DEADLINE)
