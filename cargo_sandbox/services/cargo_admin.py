"""Stand-in for Cargo-Admin: registries, projects and replications of the platform, on top of each registry's Harbor.

`python -m cargo_sandbox.services.cargo_admin FOLDER`: the folder holds projects.json, roles.json (see `platform`),
cargo-admin.json (registries, replications) and ca.crt. Settings: CARGO_ADMIN_STATE is the file in which it
remembers when a replication was started (/var/lib/cargo-admin/state.json).
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cargo_sandbox.services.cargo_harbor import Harbor, HarborFailed, records_of
from cargo_sandbox.services.platform import Fields, Platform
from cargo_sandbox.services.web import Request, Response, serve

PORT = 8080
PREFIX = "/api/v2"
STATE = "/var/lib/cargo-admin/state.json"
SYNCING_SECONDS = 3  # a replication counts as syncing for so long after its start


class Refused(Exception):
    """An answer that is an error, in cargo-admin's envelope."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.response = Response.json(status, {"reason": reason, "message": message})


def _page(items: list[Fields]) -> Response:
    return Response.json(200, {"metadata": {"total": len(items)}, "items": items})


def _project(name: str, fields: Fields) -> Fields:
    return {"metadata": {"name": name}, "spec": {"isPublic": fields["public"], "tenant": fields["tenant"]}}


@dataclass
class CargoAdmin:
    """`settings` is cargo-admin.json; `harbors` are the Harbors of its registries, by name of the registry."""

    folder: Path
    settings: Fields
    harbors: dict[str, Harbor]
    state: Path
    started: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.state.exists():
            self.started = json.loads(self.state.read_text())

    def answer(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Refused as refusal:
            return refusal.response
        except HarborFailed as error:
            return Refused(400, "ReasonInternal", f"harbor internal error: {error}").response

    def _answer(self, request: Request) -> Response:
        if request.path == "/healthcheck":
            return Response.json(200, {"status": "healthy"})
        parts = request.path.removeprefix(PREFIX).strip("/").split("/")
        if request.path.startswith(f"{PREFIX}/"):
            match (request.method, parts):
                case ("GET", ["registries"]):
                    return _page([self._registry(each) for each in self.settings["registries"]])
                case ("GET", ["registries", registry, "projects"]):
                    return self._projects(registry, request)
                case ("GET", ["registries", registry, "projects", name]):
                    known = self._projects_of(registry)
                    if name in known:
                        return Response.json(200, _project(name, known[name]))
                case ("PUT" | "DELETE", ["tenants", tenant, "members", user]):
                    return self._set_role(tenant, user, request)
                case ("GET", ["replications"]):
                    return self._replications(request)
                case ("GET", ["replications", name]):
                    return Response.json(200, self._shown(self._replication(name)))
                case ("POST", ["replications", name, "action"]):
                    return self._act(name, request)
                case ("GET", ["replications", name, "records"]):
                    return _page(self._records(self._replication(name)))
        raise Refused(404, "cargo:NotFound", f"{request.path} not found")

    def _registry(self, registry: Fields) -> Fields:
        """With its password, as cargo-admin shows it."""
        spec = {key: registry[key] for key in ("host", "domain", "username", "password")}
        status: Fields = {"projectCount": -1, "repositoryCount": -1, "storageStatics": "\\", "healthy": False}
        try:
            counts = self.harbors[registry["name"]].get("/api/statistics")
        except HarborFailed:
            counts = None
        if counts:
            total, known = counts["total_project_count"], counts["total_repo_count"]
            status |= {"projectCount": total, "repositoryCount": known, "healthy": True}
        return {"metadata": {"name": registry["name"], "alias": registry["alias"]}, "spec": spec, "status": status}

    def _projects_of(self, registry: str) -> dict[str, Fields]:
        known = Platform(self.folder).projects(registry)
        if known is None:
            raise Refused(404, "cargo:RegistryNotFound", f"registry {registry} not found")
        return known

    def _projects(self, registry: str, request: Request) -> Response:
        """All projects; for a tenant (and a user with a role in it) its own, and on request the public ones."""
        projects = self._projects_of(registry)
        tenant, user = request.headers.get("X-Tenant", ""), request.headers.get("X-User", "")
        if user and tenant and tenant not in Platform(self.folder).roles(user):
            raise Refused(403, "cargo:Forbidden", f"user {user} has no role in tenant {tenant}")
        public = request.parameter("includePublic") == "true"
        shown = [
            _project(name, fields)
            for name, fields in projects.items()
            if not tenant or fields["tenant"] == tenant or (public and fields["public"])
        ]
        return _page(shown)

    def _set_role(self, tenant: str, user: str, request: Request) -> Response:
        """The platform's way to grant a role, which is this sandbox's own: the real one is not known."""
        try:
            role = str(json.loads(request.body)["role"]) if request.method == "PUT" else ""
        except (ValueError, KeyError, TypeError):
            role = "?"
        if role not in ("", "guest", "user", "owner"):
            raise Refused(400, "ReasonRequest", "role must be guest, user or owner")
        Platform(self.folder).set_role(user, tenant, role)
        return Response.json(200, {})

    def _replication(self, name: str) -> Fields:
        for each in self.settings["replications"]:
            if each["name"] == name:
                return dict(each)
        raise Refused(404, "cargo:ReplicationNotFound", f"replication {name} not found")

    def _replications(self, request: Request) -> Response:
        """By direction (forward: from the registry, backward: to it), project, trigger, and part of the name."""
        side = "target" if request.parameter("direction") == "backward" else "source"
        wanted = {side: request.parameter("registry"), "project": request.parameter("project")}
        kind = request.parameter("triggerType")
        if kind and kind != "AllTriggerType":
            wanted["triggerType"] = kind
        found = [
            each
            for each in self.settings["replications"]
            if request.parameter("q") in each["name"] and all(not v or each[k] == v for k, v in wanted.items())
        ]
        return _page([self._shown(each) for each in found])

    def _shown(self, replication: Fields) -> Fields:
        spec = {key: replication[key] for key in ("source", "target", "project", "triggerType")}
        records = self._records(replication)
        syncing = self._just_started(replication["name"]) or (bool(records) and records[0]["status"] == "Syncing")
        status = {"status": "Syncing" if syncing else records[0]["status"] if records else "", "isSyncing": syncing}
        return {"metadata": {"name": replication["name"]}, "spec": spec, "status": status}

    def _just_started(self, name: str) -> bool:
        return time.time() - self.started.get(name, 0) < SYNCING_SECONDS

    def _act(self, name: str, request: Request) -> Response:
        replication = self._replication(name)
        try:
            action = json.loads(request.body)["action"]
        except (ValueError, KeyError, TypeError):
            action = ""
        if action != "Start":
            raise Refused(400, "ReasonRequest", 'only support "Start" action ')
        self.harbors[replication["source"]].post("/api/replications", {"policy_id": replication["policy"]})
        self.started[name] = time.time()
        self.state.parent.mkdir(parents=True, exist_ok=True)
        draft = self.state.with_suffix(".new")
        draft.write_text(json.dumps(self.started))
        draft.rename(self.state)
        return Response.json(200, {})

    def _records(self, replication: Fields) -> list[Fields]:
        path = f"/api/jobs/replication?policy_id={replication['policy']}"
        return records_of(self.harbors[replication["source"]].get(path))


def cargo_admin(folder: Path, state: Path) -> CargoAdmin:
    """A Cargo-Admin with the settings in `folder`."""
    settings = json.loads((folder / "cargo-admin.json").read_text())
    harbors = {
        each["name"]: Harbor(each["host"], each["username"], each["password"], folder)
        for each in settings["registries"]
    }
    return CargoAdmin(folder, settings, harbors, state)


def main(folder: Path) -> None:
    state = Path(os.environ.get("CARGO_ADMIN_STATE", STATE))
    serve(PORT, cargo_admin(folder, state).answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
