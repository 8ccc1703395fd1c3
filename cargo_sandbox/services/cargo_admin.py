"""Stand-in for Cargo-Admin: health check and its list of projects, read-only.

`python -m cargo_sandbox.services.cargo_admin FOLDER`: the folder holds projects.json (registry -> project -> fields).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cargo_sandbox.services.web import Request, Response, serve

PORT = 8080
PREFIX = "/api/v2/registries/"

Registries = dict[str, dict[str, dict[str, Any]]]


def _project(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"isPublic": fields["public"], "tenant": fields["tenant"]}}


def answer(registries: Registries, request: Request) -> Response:
    """`/healthcheck`, `/api/v2/registries/R/projects` and `/api/v2/registries/R/projects/P`."""
    if request.path == "/healthcheck":
        return Response.json(200, {"status": "healthy"})
    missing = Response.json(404, {"reason": "cargo:NotFound", "message": f"{request.path} not found"})
    if request.method != "GET" or not request.path.startswith(PREFIX):
        return missing
    registry, _, rest = request.path.removeprefix(PREFIX).partition("/")
    projects = registries.get(registry)
    kind, _, name = rest.partition("/")
    if projects is None or kind != "projects":
        return missing
    if not name:
        items = [_project(project, fields) for project, fields in projects.items()]
        return Response.json(200, {"metadata": {"total": len(items)}, "items": items})
    return Response.json(200, _project(name, projects[name])) if name in projects else missing


def main(folder: Path) -> None:
    registries = json.loads((folder / "projects.json").read_text())
    serve(PORT, lambda request: answer(registries, request))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
