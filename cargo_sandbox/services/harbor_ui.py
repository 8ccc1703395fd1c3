"""Stand-in for harbor-ui of Harbor 1.4.1: its built-in token service, systeminfo, login, projects by name.

It answers as the recordings of a real 1.4.1 do, quirks included: an unknown `service` is 400, a wrong password is
401 with an empty body without a scope, but a token of nobody with one. It knows the account `admin` only.

`python -m cargo_sandbox.services.harbor_ui FOLDER`: the folder holds private_key.pem, admin_password, site.json.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from cargo_sandbox.services import registry_token
from cargo_sandbox.services.web import Request, Response, serve

SERVICES = ("harbor-registry", "harbor-notary")
ALL_ACTIONS = ["push", "*", "pull"]
FAILED_LOGIN_SECONDS = 1.5  # Harbor makes guessing slow
NOT_FOUND = Response(
    404, b"<!DOCTYPE HTML>\n<html><head><title>404 - Page Not Found</title></head></html>\n", "text/html"
)


@dataclass
class HarborUi:
    """`projects` maps a project's name to whether it is public."""

    domain: str
    projects: dict[str, bool]
    admin_password: str
    signer: registry_token.Signer
    sessions: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> Response:
        match request.path:
            case "/service/token":
                return self.token(request) if request.method == "GET" else Response.text(405, "Method Not Allowed\n")
            case "/api/systeminfo":
                return pretty(self.system_info())
            case "/login":
                return self.login(request)
            case "/log_out":
                return Response(200)
            case "/api/users/current":
                return self.current_user(request)
            case "/api/projects" | "/api/projects/":
                return self.project_list(request)
            case _:
                return NOT_FOUND

    def is_admin(self, user: str, password: str) -> bool:
        good = user == "admin" and hmac.compare_digest(password, self.admin_password)
        if not good:
            time.sleep(FAILED_LOGIN_SECONDS)
        return good

    def token(self, request: Request) -> Response:
        service = request.parameter("service")
        if service not in SERVICES:
            return Response.text(400, f"Unable to handle service: {service}")
        basic = registry_token.credentials(request.headers.get("Authorization", ""))
        user = basic[0] if basic and self.is_admin(*basic) else ""
        if "scope" not in request.query and not user:
            return Response(401)
        asked = registry_token.scopes(request.query.get("scope", []))
        if any(scope.type == "repository" and "/" not in scope.name for scope in asked):
            return Response(500)
        access = [{"type": s.type, "name": s.name, "actions": self.actions(s, user)} for s in asked]
        return Response.json(200, registry_token.reply(self.signer.token(user, access or None)))

    def actions(self, scope: registry_token.Scope, user: str) -> list[str]:
        """All that the user may do there, whatever was asked for."""
        if scope.type == "registry" and scope.name == "catalog":
            return ["*"] if user else []
        project = scope.name.partition("/")[0]
        if scope.type != "repository" or project not in self.projects:
            return []
        if user:
            return list(ALL_ACTIONS)
        return ["pull"] if self.projects[project] else []

    def system_info(self) -> dict[str, Any]:
        return {
            "with_notary": False,
            "with_clair": False,
            "with_admiral": False,
            "admiral_endpoint": "NA",
            "auth_mode": "db_auth",
            "registry_url": self.domain,
            "project_creation_restriction": "everyone",
            "self_registration": True,
            "has_ca_root": False,
            "harbor_version": "v1.4.1",
            "next_scan_all": 0,
            "registry_storage_provider_name": "filesystem",
        }

    def login(self, request: Request) -> Response:
        try:
            body = json.loads(request.body or b"{}")
        except json.JSONDecodeError:
            body = {}
        user = request.parameter("principal") or str(body.get("principal", ""))
        password = request.parameter("password") or str(body.get("password", ""))
        if not self.is_admin(user, password):
            return Response(401)
        session = secrets.token_hex(16)
        self.sessions.add(session)
        return Response(200, headers={"Set-Cookie": f"beegosessionID={session}; Path=/; HttpOnly"})

    def logged_in(self, request: Request) -> bool:
        cookie = SimpleCookie(request.headers.get("Cookie", "")).get("beegosessionID")
        basic = registry_token.credentials(request.headers.get("Authorization", ""))
        return (cookie is not None and cookie.value in self.sessions) or (basic is not None and self.is_admin(*basic))

    def current_user(self, request: Request) -> Response:
        if not self.logged_in(request):
            return Response.text(401, "\n")
        return pretty({"user_id": 1, "username": "admin", "realname": "system admin", "has_admin_role": 1})

    def project_list(self, request: Request) -> Response:
        if request.method == "HEAD":
            known = request.parameter("project_name") in self.projects
            return Response(200) if known else Response.text(404, "Project does not exist.\n")
        admin = self.logged_in(request)
        part = request.parameter("name")
        found = [
            {"project_id": number, "owner_id": 1, "name": name, "metadata": {"public": "true" if public else "false"}}
            for number, (name, public) in enumerate(self.projects.items(), start=1)
            if part in name and (public or admin)
        ]
        return pretty(found or None, headers={"X-Total-Count": str(len(found))})


def pretty(body: Any, *, headers: dict[str, str] | None = None) -> Response:
    """Harbor 1.4 indents its JSON by two blanks."""
    text = json.dumps(body, indent=2).encode()
    return Response(200, text, "application/json; charset=utf-8", headers or {})


def main(folder: Path) -> None:
    site = json.loads((folder / "site.json").read_text())
    signer = registry_token.Signer(folder / "private_key.pem")
    password = (folder / "admin_password").read_text().strip()
    serve(8080, HarborUi(site["domain"], site["projects"], password, signer).answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
