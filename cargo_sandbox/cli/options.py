"""What the commands share: the option --name, and the state folder that it means."""

from __future__ import annotations

from typing import Annotated

import typer

from cargo_runbook.cli.console import tell
from cargo_runbook.errors import UsageError
from cargo_sandbox.paths import DEFAULT_NAME, StateFolder, state_folder

NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="NAME",
        help=tell("Name of the sandbox; several can run side by side.", "沙箱名；可同时运行多个。"),
    ),
]


def state_of(name: str) -> StateFolder:
    try:
        return state_folder(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def name_option(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" --name {name}"
