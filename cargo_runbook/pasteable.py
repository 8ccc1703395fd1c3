"""Commands of this program as they are printed, to be pasted: about the folders that the command before was told.

Only what was given on the command line is repeated; variables of the environment count for the next command as well.
"""

from __future__ import annotations

import shlex
from pathlib import Path

INVENTORY, REPORTS = "--inventory", "--reports"
# The options of each command that takes any.
TAKES = {
    "batch": (INVENTORY, REPORTS),
    "diagnose": (INVENTORY, REPORTS),
    "doctor": (INVENTORY, REPORTS),
    "env": (INVENTORY,),
    "explain": (INVENTORY,),
    "fix": (INVENTORY, REPORTS),
    "notebook": (INVENTORY, REPORTS),
    "records": (REPORTS,),
    "records seal": (INVENTORY, REPORTS),
    "run": (INVENTORY, REPORTS),
    "shell-commands": (INVENTORY,),
    "summary": (REPORTS,),
}
_given: dict[str, Path] = {}


def forget() -> None:
    """A new command line begins."""
    _given.clear()


def given(option: str, folder: Path | None) -> None:
    """The command line has named a folder."""
    if folder is not None:
        _given[option] = folder


def pasteable(command: str) -> str:
    """`cargo-runbook WORDS ...` with the folders that the command before was told, where this one takes them.

    >>> given(REPORTS, Path("/srv/my reports"))
    >>> pasteable("cargo-runbook records list --status healthy")
    "cargo-runbook records list --status healthy --reports '/srv/my reports'"
    >>> forget()
    """
    words = command.split()
    takes = TAKES.get(" ".join(words[1:3]), TAKES.get(words[1], ()))
    more = [f" {option} {shlex.quote(str(_given[option]))}" for option in takes if option in _given]
    return command + "".join(more)
