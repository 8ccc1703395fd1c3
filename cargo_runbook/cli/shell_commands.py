"""`cargo-runbook shell-commands`: what a runbook asks, as commands to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cargo_runbook.cli.choice import ReplayOption, RunbookArgument
from cargo_runbook.cli.console import InventoryOption, JsonOption, print_json, tell
from cargo_runbook.cli.diagnose import AccountOption, ActionOption, ImageOption
from cargo_runbook.texts import language_from

_HELP = tell(
    """Print what a runbook asks as commands to paste, where this tool may not run. Nothing is sent anywhere.

Each command stands below the machine that it is typed on and the section of the guide. Passwords are asked for, and
never stand in a command.

\b
Examples:
  cargo-runbook shell-commands 00_triage --env prod-1
  cargo-runbook shell-commands 60_permission --env prod-1 --image devops_test/node:1 --account jane --action push
  cargo-runbook shell-commands 20_wrong_domain --env prod-1 --json
  cargo-runbook shell-commands 00_triage --env prod-1 > triage.sh     to read it first
""",
    """把 Runbook 的检查打印成可粘贴的命令，用于不允许运行本工具的地方。不会向任何地方发送请求。

每条命令都注明在哪台机器上执行、对应指南的哪个章节。密码在执行时输入，不会出现在命令中。

\b
示例：
  cargo-runbook shell-commands 00_triage --env prod-1
  cargo-runbook shell-commands 60_permission --env prod-1 --image devops_test/node:1 --account jane --action push
  cargo-runbook shell-commands 20_wrong_domain --env prod-1 --json
  cargo-runbook shell-commands 00_triage --env prod-1 > triage.sh     先阅读再执行
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("shell-commands", help=_HELP)(shell_commands)


def shell_commands(
    runbook: RunbookArgument,
    env: Annotated[str, typer.Option("--env", "-e", metavar="NAME", help=tell("The environment.", "环境名称。"))],
    image: ImageOption = "",
    account: AccountOption = "",
    action: ActionOption = "",
    inventory: InventoryOption = None,
    replay: ReplayOption = "",
    as_json: JsonOption = False,
) -> None:
    """Prints the commands of one runbook for one environment."""
    # Late: the probes and the connections take their time to import.
    from cargo_runbook.connections import ReplayConnections, read_evidence
    from cargo_runbook.execution.runbooks import find_runbook
    from cargo_runbook.inventory.loader import find_inventory, load_environment
    from cargo_runbook.recordings import load_recording
    from cargo_runbook.shell.printed import as_data, as_script
    from cargo_runbook.shell.sheet import make_sheet

    recording = load_recording(replay) if replay else None
    folder: Path = recording.folder if recording else find_inventory(inventory)
    environment = load_environment(env, folder)
    answers = ReplayConnections(read_evidence(recording.evidence_file(env))) if recording else None
    sheet = make_sheet(
        environment,
        find_runbook(runbook),
        lambda name: load_environment(name, folder),
        answers=answers,
        image=image,
        account=account,
        action=action,
    )
    if as_json:
        print_json(as_data(sheet))
    else:
        print(as_script(sheet, language_from()), end="")
