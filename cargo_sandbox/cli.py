"""`cargo-runbook sandbox`: the practice Cargo installation."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from cargo_runbook.errors import UsageError
from cargo_sandbox import lab
from cargo_sandbox.machines import operator_shell, processes
from cargo_sandbox.paths import DEFAULT_NAME, StateFolder, state_folder
from cargo_sandbox.progress import shown_progress
from cargo_sandbox.topology import MACHINES, SITES

app = typer.Typer(
    name="sandbox",
    help="The practice Cargo installation: real parts on one Linux machine, with no way out. "
    "It needs root; nothing of it is left after `down`.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Name = Annotated[
    str, typer.Option("--name", help="Name of the sandbox; several can run side by side.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def _state(name: str) -> StateFolder:
    try:
        return state_folder(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def _print_json(body: Any) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False))


@app.command()
def up(name: Name = DEFAULT_NAME) -> None:
    """Start it: two Cargo installations, their cluster's master, a DNS server, and operator, where you sit.

    [bold]Examples[/bold]

    cargo-runbook sandbox up

    cargo-runbook sandbox up --name second
    """
    state = _state(name)
    with shown_progress() as progress:
        started = lab.up(state, progress)
    named = "" if name == DEFAULT_NAME else f" --name {name}"
    if not started:
        _say(f"The sandbox {name!r} is up already.")
    _say(f"Inventory: {state.inventory}")
    _say(f"Next:  cargo-runbook sandbox run{named} -- docker pull {SITES[0].domain}/library/tiny:1")


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """Stop it and remove everything of it: processes, namespaces, control groups, files.

    [bold]Example[/bold]

    cargo-runbook sandbox down
    """
    lab.require_root()
    _say(f"The sandbox {name!r} is down." if lab.down(_state(name)) else f"There is no sandbox {name!r}.")


@app.command()
def status(name: Name = DEFAULT_NAME, as_json: AsJson = False) -> None:
    """Say whether it runs, and where its inventory is.

    [bold]Example[/bold]

    cargo-runbook sandbox status --json
    """
    state = _state(name)
    is_up = processes.is_up(state)
    body = {
        "name": name,
        "up": is_up,
        "cluster": False,
        "environments": [site.name for site in SITES] if is_up else [],
        "inventory": str(state.inventory) if is_up else "",
        "machines": {machine.name: machine.address for machine in MACHINES} if is_up else {},
    }
    if as_json:
        _print_json(body)
    else:
        typer.echo(f"{name}: {'up' if is_up else 'down'}")
        for machine, address in body["machines"].items() if isinstance(body["machines"], dict) else ():
            typer.echo(f"  {machine:<10} {address}")


@app.command(context_settings=PASS_THROUGH)
def run(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after `--`.", metavar="CMD...")],
    name: Name = DEFAULT_NAME,
) -> None:
    """Run a command on operator, in the project's folder, with the project's Python environment.

    [bold]Examples[/bold]

    cargo-runbook sandbox run -- docker pull cargo.caicloudprivatetest.com/library/tiny:1

    cargo-runbook sandbox run -- cargo-runbook diagnose --env cargo
    """
    raise typer.Exit(operator_shell.run(_state(name), command))


@app.command()
def shell(
    machine: Annotated[str, typer.Argument(help="operator, cargo, devops, master or dns.")] = "operator",
    name: Name = DEFAULT_NAME,
) -> None:
    """Open a shell on a machine.

    [bold]Examples[/bold]

    cargo-runbook sandbox shell

    cargo-runbook sandbox shell cargo
    """
    if machine not in {m.name for m in MACHINES}:
        raise UsageError(
            f"there is no machine {machine!r}", next_step=f"Take one of: {', '.join(m.name for m in MACHINES)}"
        )
    raise typer.Exit(operator_shell.shell(_state(name), machine))
