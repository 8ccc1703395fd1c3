"""Stand-in for cargo-token: the token service of the platform, behind NodePort 30099.

It reads only the Host header, the scopes and Basic credentials, and ignores `service`. What a user may do follows
cargo-token's own steps: registry admin, platform account (an unknown one with a scope is taken as anonymous), project
in Harbor and in Cargo-Admin, public or owned by the user's tenant, role.

`python -m cargo_sandbox.services.cargo_token FOLDER [PORT]`: the folder holds private_key.pem and cluster.json.
"""

from __future__ import annotations

import hmac
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_sandbox.services import registry_token
from cargo_sandbox.services.registry_token import Scope
from cargo_sandbox.services.web import Request, Response, serve

PORT = 30099
ROLE_ACTIONS = {"guest": ["pull"], "user": ["pull", "push"], "owner": ["*"]}
REGISTRY_ADMIN = ["pull", "push", "*"]
PIPELINE_PREFIX = "__cyclone__"


def log(line: str) -> None:
    print(line, flush=True)


def error(status: int, reason: str, message: str) -> Response:
    return Response.json(status, {"reason": reason, "message": message})


@dataclass
class CargoToken:
    """`cluster` is cluster.json: registries by domain (name, username, password, projects), accounts by user name."""

    cluster: dict[str, Any]
    signer: registry_token.Signer

    def answer(self, request: Request) -> Response:
        if request.path == "/service/token" and request.method == "GET":
            return self.token(request)
        if request.path == "/registryproxy/v2":
            return self.health(request)
        if request.path == "/metrics":
            return Response.text(200, "")
        return error(404, "ReasonRequest", f"{request.path} not found")

    def health(self, request: Request) -> Response:
        """tengine's check: is this domain a registry of this cluster?"""
        domain = request.headers.get("X-Cargo", "")
        log(f"Health Check for: {domain}")
        if domain not in self.cluster["registries"]:
            return error(400, "ReasonInternal", f"unknown error: find registry by domain: {domain}, error:not found")
        return Response.json(200, {"mongo": "healthy", "cargo": "healthy"})

    def token(self, request: Request) -> Response:
        log(f"request host: {request.host}")
        registry = self.cluster["registries"].get(request.host)
        if registry is None:
            log(f"find registry by domain: {request.host}, error:not found")
            return error(400, "ReasonInternal", f"unknown error: find registry by domain: {request.host}")
        asked = registry_token.scopes(request.query.get("scope", []))
        basic = registry_token.credentials(request.headers.get("Authorization", ""))
        user, admin = "", False
        if basic is None:
            log("anonymous access")
        else:
            user = basic[0]
            admin = user == registry["username"] and hmac.compare_digest(basic[1], registry["password"])
            if not admin and not self.knows(*basic):
                if not asked:
                    return error(401, "ReasonRequest", "Unauthorized")
                log(f"validate user '{user}' failed, fallback to anonymous access")
                user = ""
        access = [
            {"type": scope.type, "name": scope.name, "actions": self.actions(scope, registry, user, admin)}
            for scope in self.without_references(asked)
        ]
        return Response.json(200, registry_token.reply(self.signer.token(user, access)))

    def knows(self, user: str, password: str) -> bool:
        account = self.cluster["accounts"].get(user)
        if account is None or not hmac.compare_digest(password, account["password"]):
            log(f"password incorrect, username: {user}")
            return False
        return True

    @staticmethod
    def without_references(asked: list[Scope]) -> list[Scope]:
        """Second and later scopes that are only `pull` come from a blob mount across repositories: dropped."""
        kept = asked[:1]
        for scope in asked[1:]:
            if scope.actions == ("pull",):
                log(f"referring scope '{scope.type}:{scope.name}:pull' skipped")
            else:
                kept.append(scope)
        return kept

    def actions(self, scope: Scope, registry: dict[str, Any], user: str, admin: bool) -> list[str]:
        if scope.type == "registry":
            return ["*"] if scope.name == "catalog" and admin else []
        name = scope.name.partition("/")[0]
        project = registry["projects"].get(name)
        if scope.type != "repository" or project is None or not project["in_harbor"]:
            log(f"project '{name}' not exist in harbor")
            return []
        if admin:
            return list(REGISTRY_ADMIN)
        if not project["in_cargo_admin"]:
            log(f"project '{name}' not exist in cargo-admin")
            return []
        return self.platform_actions(project, name, user)

    def platform_actions(self, project: dict[str, Any], name: str, user: str) -> list[str]:
        public = ["pull"] if project["public"] else []
        if user.startswith(PIPELINE_PREFIX):
            own = user.removeprefix(PIPELINE_PREFIX) == project["tenant"]
            return ["pull", "push"] if own else public
        if not user or project["public"]:
            if not public:
                log(f"project: '{name}' is not public, set empty permission for anonymous user")
            return public
        role = self.cluster["accounts"][user]["tenants"].get(project["tenant"])
        if role is None:
            log(f"access to project {name} as user {user} denied, project belongs to tenant {project['tenant']}")
            return []
        log(f"grant '{role}' to project '{name}' from role '{project['tenant']}-{role}'")
        return list(ROLE_ACTIONS[role])


def main(folder: Path, port: int = PORT) -> None:
    cluster = json.loads((folder / "cluster.json").read_text())
    serve(port, CargoToken(cluster, registry_token.Signer(folder / "private_key.pem")).answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
