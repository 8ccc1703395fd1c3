"""Who may do what with which project: tokens, Harbor, Cargo-Admin, as far as they were asked.

Sources: cargo-token's steps (registry admin, docker account, project in Harbor and in Cargo-Admin, public or role);
distribution, `spec/auth/token` for `access`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.observations import Observation
from cargo_runbook.texts import Text

PIPELINE_PREFIX = "__cyclone__"
"""How the accounts of pipelines begin; the tenant follows."""


@dataclass(frozen=True)
class Right:
    """What one account must be able to do with one repository, and the token that it gets for it.

    Args:
        account: its name in the inventory; `user` who that is, empty where it is not known.
        saved: whether its password is the one that docker has saved on the operator.
        login: status of the account's login without a scope, 0 without an answer; then `login_reason` says why.
        status: of the token request with the scope; `subject` and `actions` stand in its token.
    """

    account: str
    user: str
    kind: str
    saved: bool
    action: str
    repository: str
    login: int
    login_reason: str
    login_evidence: str
    status: int
    subject: str
    actions: frozenset[str]
    evidence: str

    @property
    def project(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def granted(self) -> bool:
        """Whether the token holds the right; `*` counts for all (registry v2.6.2, auth/token)."""
        return self.action in self.actions or "*" in self.actions

    @property
    def who(self) -> str:
        """The user, or the account's name where the user is not known."""
        return self.user or self.account

    @property
    def tenant(self) -> str:
        """The tenant of a pipeline's account; empty for other accounts."""
        return self.user.removeprefix(PIPELINE_PREFIX) if self.user.startswith(PIPELINE_PREFIX) else ""


@dataclass(frozen=True)
class ProjectFacts:
    """One project. None means: it could not be told.

    `public` is what Cargo-Admin says, or what a token without credentials shows; `tenant` is the owner.
    """

    name: str
    in_harbor: bool | None = None
    harbor_evidence: str = ""
    in_cargo_admin: bool | None = None
    cargo_admin_evidence: str = ""
    tenant: str = ""
    public: bool | None = None
    anonymous: frozenset[str] | None = None
    anonymous_evidence: str = ""


@dataclass(frozen=True)
class Membership:
    """Whether Cargo-Admin lets a user look at a tenant's projects; None when it did not say."""

    user: str
    tenant: str
    member: bool | None
    evidence: str


@dataclass(frozen=True)
class AccessFacts:
    """Whether Harbor is able, what the accounts may do, and what was asked about the projects.

    Args:
        harbor: status of `GET /api/systeminfo`, 0 without an answer.
        rights: what must work, in the order of the inventory; None when nothing could be asked.
        projects: by name; only those that were looked at more closely.
    """

    harbor: int
    harbor_reason: str
    harbor_evidence: str
    rights: tuple[Right, ...] | None
    projects: Mapping[str, ProjectFacts] = field(default_factory=dict)
    memberships: tuple[Membership, ...] = ()

    @property
    def able(self) -> bool | None:
        """Whether Harbor works: with its database or adminserver down, systeminfo is a server error (recorded)."""
        return None if not self.harbor else self.harbor < 500

    def membership(self, user: str, tenant: str) -> Membership | None:
        return next((m for m in self.memberships if (m.user, m.tenant) == (user, tenant)), None)


ROLES = (
    ("*", Text("owner (管理员)", "管理员（owner）")),
    ("push", Text("user (操作员)", "操作员（user）")),
    ("pull", Text("guest (访客)", "访客（guest）")),
)
"""The highest action that a token for a private project holds -> the role that gives it (cargo-token)."""


def role_of(actions: frozenset[str]) -> Text | None:
    """The role that must be behind the actions on a private project; None when there is none."""
    return next((role for action, role in ROLES if action in actions), None)


def actions_on(token: TokenFacts | None, repository: str) -> frozenset[str]:
    """What a token grants on a repository."""
    return token.access.get(f"repository:{repository}", frozenset()) if token else frozenset()


def read_status(observation: Observation) -> int:
    """The HTTP status; 0 without an answer."""
    return int(observation.data.get("status", 0)) if observation.answered else 0


def read_registry(observation: Observation, domain: str) -> str:
    """The name in Cargo-Admin of the registry with that domain; empty when it manages none."""
    for item in _items(_body(observation)):
        if str(_named(item, "domain")).lower() == domain.lower():
            return str(_named(item, "name"))
    return ""


def read_project(observation: Observation) -> tuple[bool | None, str, bool | None]:
    """Of a project in Cargo-Admin: whether it is there, its tenant, whether it is public."""
    status = read_status(observation)
    if status == 404:
        return False, "", None
    body = _body(observation)
    if status != 200 or not isinstance(body, Mapping):
        return None, "", None
    public = _named(body, "ispublic", "public")
    return True, str(_named(body, "tenant") or ""), public if isinstance(public, bool) else None


def _body(observation: Observation) -> Any:
    if read_status(observation) != 200 or observation.truncated:
        return None
    try:
        return json.loads(observation.output)
    except ValueError:
        return None


def _items(body: Any) -> Iterator[Mapping[str, Any]]:
    listed = body.get("items") if isinstance(body, Mapping) else body
    yield from (item for item in listed or () if isinstance(item, Mapping))


def _named(item: Mapping[str, Any], *names: str) -> Any:
    """A field by name, at the top or in metadata, spec or status. How Cargo-Admin spells its fields is not known."""
    for part in (item, *(item.get(key) for key in ("metadata", "spec", "status"))):
        for key, value in part.items() if isinstance(part, Mapping) else ():
            if key.replace("_", "").lower() in names:
                return value
    return ""
