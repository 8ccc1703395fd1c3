"""What a Harbor has in its database from the start, and what its two parts must know of each other."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.services.harbor_database import Tables, fresh, insert, row
from cargo_sandbox.topology import CargoSite

REPLICATED = "library"
RETRY_SECONDS = 10  # Harbor waits for 300, too long to watch


def policy_name(domain: str) -> str:
    """The name of the policy that replicates to `domain`."""
    return f"{REPLICATED}-to-{domain.partition('.')[0]}"


def tables_of(site: CargoSite, admin_password: str, peers: Mapping[str, str]) -> Tables:
    """The tables of a site's Harbor: its projects and images, each peer as a target, and a policy for `library`.

    Args:
        peers: domain -> the password of its admin; a target and a policy are named after the domain's first part.
    """
    repositories = dict.fromkeys(image.partition(":")[0] for image in site.images)
    tables = fresh(admin_password, site.projects, repositories=repositories)
    project = row(tables["projects"], "name", REPLICATED)
    for domain, password in peers.items():
        name = domain.partition(".")[0]
        values = {"name": name, "endpoint": f"https://{domain}", "username": "admin", "password": password}
        target = insert(tables, "targets", "id", {**values, "insecure": False})
        if project is None:
            continue
        policy = {
            "name": policy_name(domain),
            "description": "",
            "filters": [],
            "replicate_deletion": False,
            "trigger": {"kind": "Manual", "schedule_param": None},
            "project_id": project["project_id"],
            "target_id": target,
        }
        insert(tables, "policies", "id", policy)
    return tables


def harbor_data(folder: Path, site: CargoSite, admin_password: str, peers: Mapping[str, str]) -> None:
    """Write the database, the secret that harbor-ui and jobservice share, and jobservice's settings.

    Args:
        folder: the installation on the Cargo host.
    """
    secret = secrets.token_hex(16)
    for part in ("ui", "jobservice"):
        write_secret(folder / "config" / part / "secret", secret + "\n")
    write(folder / "config/jobservice/settings.json", json.dumps({"retry_seconds": RETRY_SECONDS}) + "\n")
    write_secret(folder / "data/database/harbor.json", json.dumps(tables_of(site, admin_password, peers), indent=1))
    (folder / "data/job_logs").mkdir(parents=True)
