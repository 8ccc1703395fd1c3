"""`cargo-runbook records`: look at what was kept, and keep it well."""

from __future__ import annotations

import typer

from cargo_runbook.cli.console import tell
from cargo_runbook.cli.records import checking, comparing, incident, keeping, listing, sealing, serving

_HELP = tell(
    """Look at the records of runs.

\b
Examples:
  cargo-runbook records list --env prod-1
  cargo-runbook records show ID
  cargo-runbook records verify
""",
    """查看运行记录。

\b
示例：
  cargo-runbook records list --env prod-1
  cargo-runbook records show ID
  cargo-runbook records verify
""",
)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    records = typer.Typer(no_args_is_help=True, help=_HELP)
    for part in (listing, comparing, checking, keeping, sealing, incident, serving):
        part.register(records)
    app.add_typer(records, name="records")
