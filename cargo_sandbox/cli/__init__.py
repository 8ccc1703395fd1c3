"""`cargo-runbook sandbox`: the practice Cargo installation."""

from __future__ import annotations

import typer

from cargo_runbook.cli.console import tell
from cargo_sandbox.cli import drill, faults, lifecycle, operator

app = typer.Typer(
    help=tell(
        """The practice Cargo installation: real parts on one Linux machine, with no way out. Needs root.

\b
Examples:
  cargo-runbook sandbox up
  cargo-runbook sandbox break wrong-domain
  cargo-runbook sandbox run -- cargo-runbook diagnose --env cargo
  cargo-runbook sandbox heal --all
  cargo-runbook sandbox drill                     something is broken; you say what
  cargo-runbook sandbox down
""",
        """练习用的 Cargo：一台 Linux 机器上的真实组件，与外界隔离。需要 root。

\b
示例：
  cargo-runbook sandbox up
  cargo-runbook sandbox break wrong-domain
  cargo-runbook sandbox run -- cargo-runbook diagnose --env cargo
  cargo-runbook sandbox heal --all
  cargo-runbook sandbox drill                     注入未知故障，由你判断
  cargo-runbook sandbox down
""",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
for part in (lifecycle, faults, drill, operator):
    app.add_typer(part.app)
