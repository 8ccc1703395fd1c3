"""Stand-in for harbor-ui of Harbor 1.4.1: its API and its built-in token service.

It answers as the recordings of a real 1.4.1 do, quirks included.

`python -m cargo_sandbox.services.harbor_ui FOLDER`: the folder holds private_key.pem, site.json and secret.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.services import registry_token
from cargo_sandbox.services.go_http import AUTHORITIES, Client
from cargo_sandbox.services.harbor_api import SESSION, Account, Accounts, Call, Handler, Refused, session_of
from cargo_sandbox.services.harbor_database import Database, DatabaseDown
from cargo_sandbox.services.harbor_jobs import JobQueue, Jobs
from cargo_sandbox.services.harbor_policies import Policies
from cargo_sandbox.services.harbor_projects import Projects
from cargo_sandbox.services.harbor_repositories import Repositories
from cargo_sandbox.services.harbor_sessions import SharedSessions
from cargo_sandbox.services.harbor_targets import Targets
from cargo_sandbox.services.harbor_token import TokenService
from cargo_sandbox.services.harbor_users import Users
from cargo_sandbox.services.registry_client import Registry
from cargo_sandbox.services.registry_client import TokenService as Tokens
from cargo_sandbox.services.web import Request, Response, serve

NOT_FOUND = Response(
    404,
    b'<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset="utf-8">\n<title>404 - Page Not Found</title>\n</head>\n'
    b'<body><span class="status-code">404</span> <a href="/harbor" class="underline">Home</a></body>\n</html>\n',
    "text/html; charset=utf-8",
)
WITHOUT_LOGIN = frozenset({"/service/token", "/api/systeminfo"})
PATIENCE = 30  # seconds for the registry to start
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
NUMBER, NAME = r"(\d+)", r"([^/]+/.+)"


@dataclass(frozen=True)
class Site:
    """What harbor-ui is told: the domain that clients use, and addresses inside the installation.

    `sessions` is the folder of the sessions that several harbor-ui share; empty when there is only one.
    """

    domain: str
    database: str = "/data/database/harbor.json"
    registry: str = "http://registry:5000"
    jobservice: str = "http://jobservice:8080"
    tokens: str = "http://127.0.0.1:8080/service/token"
    authorities: str = str(AUTHORITIES)
    sessions: str = ""


class HarborUi:
    """Routes requests to the parts of the API."""

    def __init__(self, site: Site, signer: registry_token.Signer, secret: str) -> None:
        database = Database(Path(site.database))
        self.accounts = Accounts(database, SharedSessions(Path(site.sessions)) if site.sessions else {})

        def registry() -> Registry:
            tokens = Tokens(site.tokens, "harbor-registry")
            return Registry(site.registry, Client(), {"Cookie": f"secret={secret}"}, tokens)

        queue = JobQueue(database, registry, site.jobservice, secret)
        self.repositories = Repositories(database, registry, queue.pushed)
        self.tokens = TokenService(database, self.accounts, signer, secret)
        self.users = Users(site.domain, database, self.accounts)
        self.projects = Projects(database)
        self.targets = Targets(database, Path(site.authorities))
        self.policies = Policies(database, queue)
        self.jobs = Jobs(database, queue)
        self.routes = [(re.compile(path), methods) for path, methods in self._routes().items()]

    def _routes(self) -> dict[str, dict[str, Handler]]:
        users, projects, targets, policies = self.users, self.projects, self.targets, self.policies
        jobs, repositories = self.jobs, self.repositories
        member: dict[str, Handler] = {
            "GET": projects.member,
            "PUT": projects.change_member,
            "DELETE": projects.remove_member,
        }
        return {
            "/service/token": {"GET": self.tokens.token},
            "/api/systeminfo": {"GET": users.system_info},
            "/api/systeminfo/volumes": {"GET": users.volumes},
            "/api/systeminfo/getcert": {"GET": users.certificate},
            "/api/users/current": {"GET": users.current},
            "/api/users": {"GET": users.all, "POST": users.create},
            f"/api/users/{NUMBER}": {"DELETE": users.delete},
            "/api/projects": {"HEAD": projects.exists, "GET": projects.all, "POST": projects.create},
            f"/api/projects/{NUMBER}": {"GET": projects.one, "DELETE": projects.delete},
            f"/api/projects/{NUMBER}/members": {"GET": projects.members, "POST": projects.add_member},
            f"/api/projects/{NUMBER}/members/{NUMBER}": member,
            "/api/repositories": {"GET": repositories.all},
            f"/api/repositories/{NAME}/tags/([^/]+)": {"GET": repositories.tag},
            f"/api/repositories/{NAME}/tags": {"GET": repositories.tags},
            "/api/search": {"GET": repositories.search},
            "/api/statistics": {"GET": repositories.statistics},
            "/api/internal/syncregistry": {"POST": repositories.sync},
            "/api/targets": {"GET": targets.all, "POST": targets.create},
            "/api/targets/ping": {"POST": targets.ping},
            f"/api/targets/{NUMBER}": {"GET": targets.one, "PUT": targets.change, "DELETE": targets.delete},
            f"/api/targets/{NUMBER}/policies": {"GET": targets.policies},
            "/api/policies/replication": {"GET": policies.all, "POST": policies.create},
            f"/api/policies/replication/{NUMBER}": {
                "GET": policies.one,
                "PUT": policies.change,
                "DELETE": policies.delete,
            },
            "/api/replications": {"POST": policies.start},
            "/api/jobs/replication": {"GET": jobs.all, "PUT": jobs.stop},
            f"/api/jobs/replication/{NUMBER}": {"DELETE": jobs.delete},
            f"/api/jobs/replication/{NUMBER}/log": {"GET": jobs.log},
        }

    def answer(self, request: Request) -> Response:
        """Answer; a caller without a session gets one that is of no use, as from Harbor."""
        response = self._answer(request)
        if "Set-Cookie" in response.headers or session_of(request) in self.accounts.sessions:
            return response
        cookie = f"{SESSION}={secrets.token_hex(16)}; Path=/; HttpOnly"
        return Response(response.status, response.body, response.type, {**response.headers, "Set-Cookie": cookie})

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        try:
            match (request.method, path):
                case ("POST", "/login"):
                    return self.users.login(Call(request, None))
                case ("GET", "/log_out"):
                    return self.users.log_out(Call(request, None))
                case ("POST", "/service/notifications"):
                    return self.repositories.notified(request)
            return self._routed(request, path)
        except Refused as refusal:
            return refusal.response
        except DatabaseDown as down:
            print(f"database: {down}", flush=True)
            return Response.text(500, "\n")

    def _routed(self, request: Request, path: str) -> Response:
        for pattern, methods in self.routes:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if request.method not in methods:
                return Response.text(405, "Method Not Allowed\n")
            kind = request.headers.get("Content-Type", "").partition(";")[0]
            if request.method in WITH_BODY and path.startswith("/api/") and kind != "application/json":
                return Response(415)
            return methods[request.method](Call(request, self._who(request, path), found.groups()))
        return NOT_FOUND

    def _who(self, request: Request, path: str) -> Account | None:
        """Who asks. A database that is down knows nobody, so the right password is 401 then."""
        if path in WITHOUT_LOGIN:
            return None
        try:
            return self.accounts.who(request)
        except DatabaseDown:
            return None

    def learn(self) -> None:
        """Read the registry, once it answers, as Harbor does when it starts."""
        for _ in range(PATIENCE):
            try:
                self.repositories.learn()
            except (Refused, DatabaseDown):
                time.sleep(1)
            else:
                break


def main(folder: Path) -> None:
    site = Site(**json.loads((folder / "site.json").read_text()))
    ui = HarborUi(site, registry_token.Signer(folder / "private_key.pem"), (folder / "secret").read_text().strip())
    threading.Thread(target=ui.learn, daemon=True).start()
    serve(8080, ui.answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
