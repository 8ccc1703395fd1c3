"""Harbor's API: repositories and tags, and how Harbor learns of a repository.

Harbor knows only what the registry's notifications told it, and believes only some clients; tags it asks from the
registry each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cargo_sandbox.services.go_http import BadStatus, NetworkError
from cargo_sandbox.services.harbor_api import Call, Refused, may_see, pretty, project_of
from cargo_sandbox.services.harbor_database import Database, Row, Tables, insert_repository, row
from cargo_sandbox.services.harbor_projects import shown
from cargo_sandbox.services.registry_client import AGENT, Registry
from cargo_sandbox.services.web import Request, Response

NOTICED = re.compile(rf"docker|vic/|{AGENT}$")


@dataclass(frozen=True)
class Repositories:
    """`registry` makes a client with Harbor's own rights; `pushed` is called with each image that Harbor notices."""

    database: Database
    registry: Callable[[], Registry]
    pushed: Callable[[str, str], None]

    def all(self, call: Call) -> Response:
        number = call.request.parameter("project_id")
        if not number.isdigit():
            raise Refused(400, "invalid project_id \n")
        tables = self.database.read()
        self._seen(call, project_of(tables, int(number)))
        found = [
            self._shown(repository)
            for repository in tables["repositories"]
            if repository["project_id"] == int(number) and call.request.parameter("q") in repository["name"]
        ]
        page, headers = call.page(found)
        return pretty(page, headers=headers)

    def tags(self, call: Call) -> Response:
        registry = self._readable(call)
        name = call.parts[0]
        return pretty(self._asked(lambda: [_tag(registry, name, tag) for tag in registry.tags(name)]))

    def tag(self, call: Call) -> Response:
        registry = self._readable(call)
        return pretty(self._asked(lambda: _tag(registry, *call.parts)))

    def search(self, call: Call) -> Response:
        tables, part = self.database.read(), call.request.parameter("q")
        projects = {each["project_id"]: each for each in tables["projects"] if may_see(each, call.account)}
        found = [
            _hit(repository, projects[repository["project_id"]])
            for repository in tables["repositories"]
            if part in repository["name"] and repository["project_id"] in projects
        ]
        named = [shown(project, tables) for project in projects.values() if part in project["name"]]
        return pretty({"project": named, "repository": found})

    def statistics(self, call: Call) -> Response:
        account, tables = call.signed_in(), self.database.read()
        projects = [each for each in tables["projects"] if may_see(each, account)]
        counts: dict[str, int] = {}
        for kind, chosen in (("private", False), ("public", True)):
            numbers = [each["project_id"] for each in projects if each["public"] is chosen]
            counts[f"{kind}_project_count"] = len(numbers)
            counts[f"{kind}_repo_count"] = _repositories_of(tables, numbers)
        numbers = [each["project_id"] for each in projects]
        return pretty(
            counts | {"total_project_count": len(numbers), "total_repo_count": _repositories_of(tables, numbers)}
        )

    def sync(self, call: Call) -> Response:
        """Make known all that the registry has."""
        call.admin()
        self.learn()
        return Response(200)

    def learn(self) -> None:
        """Read the registry's catalog; Harbor does that when it starts, too."""
        found = self._asked(self.registry().catalog)
        with self.database.change() as tables:
            for name in found:
                insert_repository(tables, name)

    def notified(self, request: Request) -> Response:
        """The registry tells of a push or a pull."""
        for event in json.loads(request.body or b"{}").get("events") or []:
            target, agent = event.get("target", {}), event.get("request", {}).get("useragent", "")
            if event.get("action") != "push" or not target.get("tag") or NOTICED.match(agent) is None:
                continue
            with self.database.change() as tables:
                insert_repository(tables, target["repository"])
            self.pushed(target["repository"], target["tag"])
        return Response(200)

    def _shown(self, repository: Row) -> Row:
        count = len(self._asked(lambda: self.registry().tags(str(repository["name"]))))
        return {
            **{key: repository[key] for key in ("id", "name", "project_id")},
            "description": "",
            "pull_count": 0,
            "star_count": 0,
            "tags_count": count,
            **{key: repository[key] for key in ("creation_time", "update_time")},
        }

    def _readable(self, call: Call) -> Registry:
        name = call.parts[0].partition("/")[0]
        project = row(self.database.read()["projects"], "name", name)
        if project is None:
            raise Refused(404, f"project {name} not found\n")
        self._seen(call, project)
        return self.registry()

    @staticmethod
    def _seen(call: Call, project: Row) -> None:
        if not may_see(project, call.account):
            call.signed_in()
            raise Refused(403)

    @staticmethod
    def _asked(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except BadStatus as error:
            raise Refused(404 if error.status == 404 else 500) from error
        except NetworkError as error:
            raise Refused(500) from error


def _repositories_of(tables: Tables, projects: list[int]) -> int:
    return sum(each["project_id"] in projects for each in tables["repositories"])


def _hit(repository: Row, project: Row) -> Row:
    return {
        "project_id": project["project_id"],
        "project_name": project["name"],
        "project_public": project["public"],
        "pull_count": 0,
        "repository_name": repository["name"],
        "tags_count": 0,
    }


def _tag(registry: Registry, repository: str, tag: str) -> Row:
    answer = registry.manifest(repository, tag)
    manifest = json.loads(answer.body)
    configuration = json.loads(registry.blob(repository, manifest["config"]["digest"]))
    parts = (manifest["config"], *manifest["layers"])
    return {
        "digest": str(answer.headers.get("Docker-Content-Digest", "")),
        "name": tag,
        "size": sum(int(part["size"]) for part in parts),
        "architecture": configuration.get("architecture", ""),
        "os": configuration.get("os", ""),
        "docker_version": configuration.get("docker_version", ""),
        "author": configuration.get("author", ""),
        "created": configuration.get("created", "0001-01-01T00:00:00Z"),
        "config": {"labels": (configuration.get("config") or {}).get("Labels")},
        "signature": None,
    }
