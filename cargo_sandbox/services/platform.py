"""What the platform keeps for both of its services: projects (Cargo-Admin's database) and roles (CAuth).

Read at each request, so that a change counts at once. The folder holds projects.json (registry -> project -> tenant,
public) and roles.json (user -> tenant -> role type).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True)
class Platform:
    folder: Path

    def projects(self, registry: str) -> dict[str, Fields] | None:
        """The projects of a registry in Cargo-Admin; None when there is no such registry."""
        known: dict[str, dict[str, Fields]] = self._read("projects.json")
        return known.get(registry)

    def roles(self, user: str) -> dict[str, str]:
        """Role types (guest, user, owner) by tenant; empty for a user that CAuth does not know."""
        known: dict[str, dict[str, str]] = self._read("roles.json")
        return known.get(user, {})

    def set_role(self, user: str, tenant: str, role: str) -> None:
        """Gives a user a role in a tenant; an empty one takes it away."""
        known: dict[str, dict[str, str]] = self._read("roles.json")
        own = {name: held for name, held in known.get(user, {}).items() if name != tenant}
        known[user] = {**own, **({tenant: role} if role else {})}
        # A line for each user, as a person edits it.
        lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(held)}" for name, held in known.items())
        draft = self.folder / "roles.json.new"
        draft.write_text(f"{{\n{lines}\n}}")
        draft.rename(self.folder / "roles.json")

    def _read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())
