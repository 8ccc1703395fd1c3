"""What a Harbor has in its database from the start, and what its two parts must know of each other."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.services.harbor_database import Tables, fresh, insert, row
from cargo_sandbox.topology import CargoSite, site

REPLICATED = ("library", "devops_test-cargo")
RETRY_SECONDS = 10  # Harbor waits for 300, too long to watch


@dataclass(frozen=True)
class Policy:
    """A replication policy of a Harbor: its number there, the project, and the Cargo that it goes to."""

    number: int
    project: str
    peer: str

    @property
    def name(self) -> str:
        return f"{self.project}-to-{self.peer}"


def policies(source: CargoSite) -> list[Policy]:
    """The policies of a Cargo's Harbor, for projects that both sides have; a Harbor numbers them from 1."""
    known = [(peer, project) for peer in source.replicates_to for project in REPLICATED]
    both = [
        (peer, project) for peer, project in known if project in source.projects.keys() & site(peer).projects.keys()
    ]
    return [Policy(number, project, peer) for number, (peer, project) in enumerate(both, start=1)]


def tables_of(source: CargoSite, admin_password: str, peers: Mapping[str, str]) -> Tables:
    """The tables of a Cargo's Harbor: its projects and images, each peer as a target, and the policies of `policies`.

    Args:
        peers: domain -> the password of its admin; a target is named after the domain's first part.
    """
    repositories = dict.fromkeys(image.partition(":")[0] for image in source.images)
    tables = fresh(admin_password, source.projects, repositories=repositories)
    targets = {}
    for domain, password in peers.items():
        name = domain.partition(".")[0]
        values = {"name": name, "endpoint": f"https://{domain}", "username": "admin", "password": password}
        targets[name] = insert(tables, "targets", "id", {**values, "insecure": False})
    for each in policies(source):
        project = row(tables["projects"], "name", each.project) or {}
        policy = {
            "name": each.name,
            "description": "",
            "filters": [],
            "replicate_deletion": False,
            "trigger": {"kind": "Manual", "schedule_param": None},
            "project_id": project["project_id"],
            "target_id": targets[each.peer],
        }
        insert(tables, "policies", "id", policy)
    return tables


def harbor_data(folder: Path, source: CargoSite, admin_password: str, peers: Mapping[str, str]) -> None:
    """Write the database, the secret that harbor-ui and jobservice share, and jobservice's settings.

    Args:
        folder: the installation on the Cargo host.
    """
    secret = secrets.token_hex(16)
    for part in ("ui", "jobservice"):
        write_secret(folder / "config" / part / "secret", secret + "\n")
    write(folder / "config/jobservice/settings.json", json.dumps({"retry_seconds": RETRY_SECONDS}) + "\n")
    write_secret(folder / "data/database/harbor.json", json.dumps(tables_of(source, admin_password, peers), indent=1))
    (folder / "data/job_logs").mkdir(parents=True)
