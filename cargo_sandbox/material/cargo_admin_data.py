"""The settings of Cargo-Admin: the registries that it manages, their replications, and who has which role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cargo_sandbox.material.files import write, write_secret
from cargo_sandbox.material.harbor_data import policies
from cargo_sandbox.topology import PLATFORM_ROLES, SITES


def cargo_admin_data(root: Path, *, ca: bytes, passwords: Mapping[str, str]) -> None:
    """Write /etc/cargo-admin/cargo-admin.json and ca.crt below `root`, the root of master's file system.

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
    settings = {"registries": registries, "replications": replications, "accounts": PLATFORM_ROLES}
    folder = root / "etc/cargo-admin"
    write_secret(folder / "cargo-admin.json", json.dumps(settings, indent=1))
    write(folder / "ca.crt", ca)
