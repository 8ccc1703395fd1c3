"""`cargo-runbook env`: the inventory of environments."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the group `env`."""
