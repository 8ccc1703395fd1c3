"""`cargo-runbook demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from cargo_runbook.cli.console import tell

_HELP = tell(
    """Show the main job: break a registry, find the cause with its proof, keep a record.

As root on Linux it uses the practice installation; elsewhere, recorded evidence of it.

\b
Examples:
  cargo-runbook demo
  cargo-runbook demo --replay      on recorded evidence, though the sandbox could run here
""",
    """演示主要流程：弄坏仓库，找出原因并给出证据，留下记录。

在 Linux 上以 root 运行时使用真实的练习环境，否则使用其录制的证据。

\b
示例：
  cargo-runbook demo
  cargo-runbook demo --replay      即使可以运行练习环境，也使用录制的证据
""",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help=_HELP)(demo)


def demo(
    replay: Annotated[bool, typer.Option("--replay", help=tell("Use recorded evidence.", "使用录制的证据。"))] = False,
) -> None:
    """Run the demo; exit code 0 when it showed what it should."""
    # Imported here: what the demo needs takes longer to load than the whole help.
    from cargo_sandbox.demo import demo as run_demo

    run_demo(replay=replay)
