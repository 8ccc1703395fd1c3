"""The settings of Cargo-Admin: the registries that it manages, their replications, and who has which role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.material.harbor_data import policies
from cargo_sandbox.topology import PLATFORM_ROLES, SITES

SYSTEM_TENANT = "system-tenant"


def _lines(entries: Mapping[str, object], indent: int = 1) -> str:
    """A JSON object with a line for each entry, as a person (and a fault) edits it. Text is taken for JSON."""
    shown = {key: value if isinstance(value, str) else json.dumps(value) for key, value in entries.items()}
    blanks = " " * indent
    body = ",\n".join(f"{blanks}{json.dumps(key)}: {value}" for key, value in shown.items())
    return f"{{\n{body}\n{' ' * (indent - 1)}}}"


def cargo_admin_data(root: Path, *, ca: bytes, passwords: Mapping[str, str]) -> None:
    """Write the folder /etc/cargo-admin below `root`, the root of master's file system.

    Args:
        passwords: `SITE-admin` for each site.
    """
    registries = [
        {
            "name": each.name,
            "alias": each.name,
            "host": f"https://{each.domain}",
            "domain": each.domain,
            "username": "admin",
            "password": passwords[f"{each.name}-admin"],
        }
        for each in SITES
    ]
    replications = [
        {
            "name": f"{source.name}-{policy.name}",
            "source": source.name,
            "target": policy.peer,
            "project": policy.project,
            "triggerType": "Manual",
            "policy": policy.number,
        }
        for source in SITES
        for policy in policies(source)
    ]
    settings = {"registries": registries, "replications": replications}
    folder = root / "etc/cargo-admin"
    write_secret(folder / "cargo-admin.json", json.dumps(settings, indent=1))
    projects = {
        site.name: {
            name: {"tenant": SYSTEM_TENANT if public else name.partition("_")[0], "public": public}
            for name, public in site.projects.items()
        }
        for site in SITES
    }
    write(folder / "projects.json", _lines({registry: _lines(known, 2) for registry, known in projects.items()}))
    write(folder / "roles.json", _lines(PLATFORM_ROLES))
    write(folder / "ca.crt", ca)
