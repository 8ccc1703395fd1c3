"""The containers of a Cargo host, out of `docker ps -a --no-trunc --format '{{json .}}'`."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Container:
    """One container. `status` is docker's own sentence, such as `Up 3 minutes` or `Exited (137) 5 seconds ago`."""

    name: str
    status: str

    @property
    def running(self) -> bool:
        return self.status.startswith("Up ") and not self.status.endswith("(Paused)")


def read_containers(text: str) -> tuple[Container, ...]:
    """One container a line; lines that are no JSON object with a name are passed over."""
    containers = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("Names"):
            # A linked container carries further names after a comma.
            name = str(entry["Names"]).split(",")[0].lstrip("/")
            containers.append(Container(name, str(entry.get("Status", ""))))
    return tuple(containers)
