"""Harbor's built-in token service, as Harbor 1.4.1 answers.

An unknown `service` is 400; a wrong password is 401 without a scope, but with one a token of nobody; a token holds
all that the user may do, whatever was asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from cargo_sandbox.services import registry_token
from cargo_sandbox.services.harbor_api import DEVELOPER, PROJECT_ADMIN, Account, Accounts, Call, role_in
from cargo_sandbox.services.harbor_database import Database, DatabaseDown, Tables, row
from cargo_sandbox.services.registry_token import Access, Scope
from cargo_sandbox.services.web import Response

REGISTRY, NOTARY = "harbor-registry", "harbor-notary"
ALL_ACTIONS = ["push", "*", "pull"]


@dataclass(frozen=True)
class TokenService:
    """`secret` is the cookie by which jobservice shows that it is a part of this Harbor."""

    database: Database
    accounts: Accounts
    signer: registry_token.Signer
    secret: str

    def token(self, call: Call) -> Response:
        request = call.request
        service = request.parameter("service")
        if service not in {REGISTRY, NOTARY}:
            return Response.text(400, f"Unable to handle service: {service}")
        inside = bool(self.secret) and request.headers.get("Cookie", "") == f"secret={self.secret}"
        try:
            basic = registry_token.credentials(request.headers.get("Authorization", ""))
            account = self.accounts.authenticate(*basic) if basic else None
        except DatabaseDown:
            account = None
        if "scope" not in request.query and account is None:
            return Response(401)
        asked = registry_token.scopes(request.query.get("scope", []))
        if any(scope.type == "repository" and "/" not in scope.name for scope in asked):
            return Response(500)
        try:
            tables = self.database.read()
        except DatabaseDown:
            return Response(500)
        access: list[Access] = []
        for each in asked:
            # Notary's names begin with the domain.
            meant = Scope(each.type, each.name.partition("/")[2], each.actions) if service == NOTARY else each
            granted = actions(meant, tables, account, inside=inside)
            access.append({"type": each.type, "name": each.name, "actions": granted})
        subject = account.name if account else ""
        return Response.json(200, registry_token.reply(self.signer.token(subject, access or None)))


def actions(scope: Scope, tables: Tables, account: Account | None, *, inside: bool = False) -> list[str]:
    """All that the account may do there, whatever was asked for."""
    admin = inside or bool(account and account.admin)
    if scope.type == "registry" and scope.name == "catalog":
        return ["*"] if admin else []
    # The database compares names without regard to case.
    project = row(tables["projects"], "name", scope.name.partition("/")[0].lower())
    if scope.type != "repository" or project is None:
        return []
    role = role_in(project, account)
    if admin or role == PROJECT_ADMIN:
        return list(ALL_ACTIONS)
    if role == DEVELOPER:
        return ["push", "pull"]
    return ["pull"] if role or project["public"] else []
