"""`cargo-runbook records`: look at what was kept, and keep it well."""

from __future__ import annotations

import typer

from cargo_runbook.cli.console import tell
from cargo_runbook.cli.records import checking, comparing, incident, keeping, listing, sealing, serving


def register(app: typer.Typer) -> None:
    """Adds the group."""
    records = typer.Typer(no_args_is_help=True, help=tell("Look at the records of runs.", "查看运行记录。"))
    for part in (listing, comparing, checking, keeping, sealing, incident, serving):
        part.register(records)
    app.add_typer(records, name="records")
