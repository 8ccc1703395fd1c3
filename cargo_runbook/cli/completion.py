"""`cargo-runbook completion`: what the Tab key gives in bash, zsh and fish, names of environments and codes included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cargo_runbook.cli.console import PROGRAM, tell
from cargo_runbook.errors import RunbookError

VARIABLE = "_CARGO_RUNBOOK_COMPLETE"
"""Set by the shell's function when it asks for completions."""

_HELP = tell(
    """Print what makes the Tab key complete commands, options, environments, runbooks and codes.

\b
Examples:
  eval "$(cargo-runbook completion bash)"                            in ~/.bashrc
  eval "$(cargo-runbook completion zsh)"                             in ~/.zshrc, after compinit
  cargo-runbook completion fish > ~/.config/fish/completions/cargo-runbook.fish
""",
    """输出 Tab 补全脚本：命令、选项、环境、Runbook 和代码。

\b
示例：
  eval "$(cargo-runbook completion bash)"                            写入 ~/.bashrc
  eval "$(cargo-runbook completion zsh)"                             写入 ~/.zshrc，位于 compinit 之后
  cargo-runbook completion fish > ~/.config/fish/completions/cargo-runbook.fish
""",
)


class Shell(StrEnum):
    """The shells that can be told."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("completion", help=_HELP)(completion)


def completion(
    shell: Annotated[Shell, typer.Argument(help=tell("The shell that you use.", "你使用的 shell。"))],
) -> None:
    """Prints the shell's function."""
    # Late: it looks for the shell that runs, and nobody else needs that.
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    print(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value).strip())


def answer(command: Callable[..., object]) -> NoReturn:
    """Tells the shell, which has set VARIABLE, what could come next."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
    command(prog_name=PROGRAM, complete_var=VARIABLE)
    sys.exit(0)


Complete = Callable[[typer.Context, str], list[str]]


def _quietly(names: Callable[[typer.Context], Iterable[str]]) -> Complete:
    """The names that begin as typed. Whatever is wrong is told when the command is run, not at the Tab key."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            return sorted(name for name in names(ctx) if name.startswith(incomplete))
        except (RunbookError, OSError):
            return []

    return complete


def _environments(ctx: typer.Context) -> Iterable[str]:
    from cargo_runbook.inventory.loader import environment_names, find_inventory
    from cargo_runbook.recordings import load_recording

    if replay := ctx.params.get("replay"):
        return environment_names(load_recording(str(replay)).folder)
    named = ctx.params.get("inventory")
    return environment_names(find_inventory(Path(named) if named else None))


def _runbooks(_ctx: typer.Context) -> Iterable[str]:
    from cargo_runbook.execution.runbooks import runbooks_folder

    return [file.stem for file in runbooks_folder().glob("*.ipynb")]


def _recordings(_ctx: typer.Context) -> Iterable[str]:
    from cargo_runbook.recordings import list_recordings

    return list_recordings()


def _codes(_ctx: typer.Context) -> Iterable[str]:
    from cargo_runbook.rules.catalog import catalog

    return catalog()


environments = _quietly(_environments)
runbooks = _quietly(_runbooks)
recordings = _quietly(_recordings)
codes = _quietly(_codes)
