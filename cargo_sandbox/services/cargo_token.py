"""Stand-in for cargo-token: the token service of the platform, behind NodePort 30099.

It reads only the Host header, the scopes and Basic credentials, and ignores `service`. What a user may do follows
cargo-token's own steps: registry admin, platform account (an unknown one with a scope is taken as anonymous), project
in Harbor and in Cargo-Admin, public or owned by the user's tenant, role.

`python -m cargo_sandbox.services.cargo_token FOLDER [PORT]`: the folder holds private_key.pem and cluster.json.
Settings: CARGO_TOKEN_PLATFORM is the folder with the platform's projects and roles (/etc/cargo-admin).
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import socket
import ssl
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_sandbox.services import registry_token
from cargo_sandbox.services.platform import Fields, Platform
from cargo_sandbox.services.registry_token import Scope
from cargo_sandbox.services.web import Request, Response, serve

PORT = 30099
ROLE_ACTIONS = {"guest": ["pull"], "user": ["pull", "push"], "owner": ["*"]}
REGISTRY_ADMIN = ["pull", "push", "*"]
PIPELINE_PREFIX = "__cyclone__"
PLATFORM = "/etc/cargo-admin"
HARBOR_SECONDS = 3.0


def log(line: str) -> None:
    print(line, flush=True)


class HarborFailed(Exception):
    """Harbor did not say whether a project exists."""


class HttpsTo(http.client.HTTPSConnection):
    """HTTPS to a given address: where a registry is says its entry in the database, and no name server."""

    def __init__(self, address: str, domain: str) -> None:
        # The address is the platform's own entry; whether clients trust the certificate there is another question.
        # A context of its own: the default one reads all of the system's authorities, 16 ms for each token.
        self._unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._unchecked.check_hostname = False
        self._unchecked.verify_mode = ssl.CERT_NONE
        super().__init__(domain, timeout=HARBOR_SECONDS, context=self._unchecked)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, 443), timeout=HARBOR_SECONDS)
        self.sock = self._unchecked.wrap_socket(plain, server_hostname=self.host)


def ask_harbor(domain: str, registry: Fields, project: str) -> bool:
    """Whether the project is in the Harbor of the registry.

    Raises:
        HarborFailed: it does not say.
    """
    connection = HttpsTo(registry["address"], domain)
    try:
        connection.request("HEAD", f"/api/projects?{urllib.parse.urlencode({'project_name': project})}")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        raise HarborFailed(str(problem)) from problem
    finally:
        connection.close()
    if status not in {200, 404}:
        log(f"unexpected {status} error from harbor: ")
        raise HarborFailed(f"unexpected {status} error from harbor")
    return status == 200


def error(status: int, reason: str, message: str) -> Response:
    return Response.json(status, {"reason": reason, "message": message})


@dataclass
class CargoToken:
    """`settings` is the file cluster.json: registries by domain (name, username, password, address), and the docker
    accounts (user -> password). `has_project` tells whether the Harbor of a registry has a project.
    """

    settings: Path
    platform: Platform
    signer: registry_token.Signer
    has_project: Callable[[str, Fields, str], bool] = ask_harbor

    @property
    def cluster(self) -> dict[str, Any]:
        """As it is now: a password that was changed counts at once."""
        known: dict[str, Any] = json.loads(self.settings.read_text())
        return known

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
        try:
            access = [
                {"type": scope.type, "name": scope.name, "actions": self.actions(scope, request.host, user, admin)}
                for scope in self.without_references(asked)
            ]
        except HarborFailed as problem:
            return error(400, "ReasonInternal", f"unknown error: {problem}")
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

    def actions(self, scope: Scope, domain: str, user: str, admin: bool) -> list[str]:
        if scope.type == "registry":
            return ["*"] if scope.name == "catalog" and admin else []
        name = scope.name.partition("/")[0]
        registry = self.cluster["registries"][domain]
        if scope.type != "repository" or not self.has_project(domain, registry, name):
            log(f"project '{name}' not exist in harbor")
            return []
        if admin:
            return list(REGISTRY_ADMIN)
        project = (self.platform.projects(registry["name"]) or {}).get(name)
        if project is None:
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
        roles = self.platform.roles(user)
        if not roles:
            log(f"user {user} does belongs to no tenants in cauth, set empty permission")
            return []
        role = roles.get(project["tenant"])
        if role is None:
            own = next(iter(roles))
            log(f"access to project {name} as tenant {own} denied, project belongs to tenant {project['tenant']}")
            return []
        log(f"grant '{role}' to project '{name}' from role '{project['tenant']}-{role}'")
        return list(ROLE_ACTIONS[role])


def main(folder: Path, port: int = PORT) -> None:
    platform = Platform(Path(os.environ.get("CARGO_TOKEN_PLATFORM", PLATFORM)))
    signer = registry_token.Signer(folder / "private_key.pem")
    serve(port, CargoToken(folder / "cluster.json", platform, signer).answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
