"""Which environments a command means, and the options by which it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cargo_runbook.cli import completion
from cargo_runbook.cli.console import tell
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording

_ENVIRONMENTS = typer.Option(
    "--env",
    "-e",
    metavar="NAME",
    help=tell("Environment; may be given again, and as a pattern ('prod-*').", "环境名称；可多次给出，可用通配符。"),
    show_default=False,
    autocompletion=completion.environments,
)
EnvironmentsOption = Annotated[list[str], _ENVIRONMENTS]
SomeEnvironmentsOption = Annotated[list[str] | None, _ENVIRONMENTS]
"""For a command that may also be told otherwise what it is about."""
ReplayOption = Annotated[
    str,
    typer.Option(
        "--replay",
        metavar="NAME",
        envvar=REPLAY_VARIABLE,
        help=tell(
            "Answer from a shipped recording instead of going to any host.", "使用随附的录制证据，不访问任何主机。"
        ),
        show_default=False,
        autocompletion=completion.recordings,
    ),
]
RunbookArgument = Annotated[
    str,
    typer.Argument(
        help=tell("Name or path of the runbook.", "Runbook 的名称或路径。"), autocompletion=completion.runbooks
    ),
]


def chosen_environments(patterns: Sequence[str], inventory: Path | None, replay: str) -> tuple[str, ...]:
    """Names of the environments that match, each once; from the recording's inventory when replaying.

    Raises:
        UsageError, UnknownEnvironment, InventoryError: as their sentences say.
    """
    # pydantic takes its time, and most commands never read an inventory.
    from cargo_runbook.inventory.loader import find_inventory, select

    folder = load_recording(replay).folder if replay else find_inventory(inventory)
    return tuple(environment.name for environment in select(folder, patterns))


def worst(codes: Sequence[int]) -> int:
    """One exit code for several: 1 with any fault, else 3 with anything that could not be told, else 0."""
    return next((code for code in (1, 3) if code in codes), max(codes, default=0))
