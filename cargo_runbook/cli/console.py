"""What all commands share: where messages go, which folders are meant, how data is printed.

Data goes to standard output, everything else to standard error; colour only where a terminal reads, and never when
NO_COLOR is set.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cargo_runbook.pasteable import INVENTORY, REPORTS, given
from cargo_runbook.texts import tell as tell

if TYPE_CHECKING:
    from rich.console import Console

PROGRAM = "cargo-runbook"
_WIDEST = 10_000


def _told(option: str) -> Callable[[Path | None], Path | None]:
    """Takes note of a folder, for the commands that are printed to be pasted."""

    def told(folder: Path | None) -> Path | None:
        given(option, folder)
        return folder

    return told


InventoryOption = Annotated[
    Path | None,
    typer.Option(
        INVENTORY,
        metavar="DIR",
        callback=_told(INVENTORY),
        help=tell(
            "Folder with the environment files. Default: CARGO_RUNBOOK_INVENTORY, ./environments, "
            "~/.config/cargo-runbook/environments.",
            "环境文件所在目录。默认依次为 CARGO_RUNBOOK_INVENTORY、./environments、"
            "~/.config/cargo-runbook/environments。",
        ),
        show_default=False,
    ),
]
ReportsOption = Annotated[
    Path | None,
    typer.Option(
        REPORTS,
        metavar="DIR",
        callback=_told(REPORTS),
        help=tell(
            "Folder that records are written to. Default: CARGO_RUNBOOK_REPORTS, ./reports.",
            "记录写入的目录。默认依次为 CARGO_RUNBOOK_REPORTS、./reports。",
        ),
        show_default=False,
    ),
]
SignKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--sign-key",
        metavar="FILE",
        envvar="CARGO_RUNBOOK_SIGN_KEY",
        help=tell(
            "SSH key to sign records with (ssh-keygen -Y); a .pub file when the agent has the key.",
            "用于签名记录的 SSH 密钥（ssh-keygen -Y）；密钥在 agent 中时给出 .pub 文件。",
        ),
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help=tell("Print data as JSON on standard output.", "在标准输出打印 JSON。"))
]


def out() -> Console:
    """A console on standard output, for data that people read."""
    return _console(stderr=False)


def err() -> Console:
    """A console on standard error, for progress and messages."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # Importing rich costs more than many commands do; and streams are looked up late, so that tests can catch them.
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)


def message(text: str) -> None:
    """One message to the person, on standard error."""
    print(text, file=sys.stderr)


def complain(text: str) -> None:
    """A warning or an error as a sentence, with the program's name before it, on standard error."""
    print(f"{PROGRAM}: {text}", file=sys.stderr)


def print_json(data: object) -> None:
    """`data` as JSON on standard output, with Chinese kept readable."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """An aligned table without frames on standard output; empty cells show `-`.

    It is as wide as what stands in it: nothing is cut, so that ids and digests can be copied whole.
    """
    from rich.segment import Segment, Segments
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*[_plain(cell) for cell in row])
    console = out()
    for line in console.render_lines(table, console.options.update(max_width=_WIDEST), pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        # Without what fills the last column up, which would be a line of its own on a narrow terminal.
        line[-1:] = [Segment(each.text.rstrip(), each.style) for each in line[-1:]]
        console.print(Segments([*line, Segment.line()]))


def print_field(label: str, value: str, width: int = 0, indent: str = "") -> None:
    """A line with a label, padded to the width, and a value that is never broken: what is long can be copied whole."""
    from rich.cells import set_cell_size
    from rich.text import Text as RichText

    named = f"{indent}{set_cell_size(label, max(width, RichText(label).cell_len))}  "
    out().print(RichText(named, style="dim").append(value, style="default"))


def _plain(cell: object) -> Any:
    from rich.text import Text as RichText

    # Text, not str: brackets in a value are no markup.
    return cell if isinstance(cell, RichText) else RichText(str(cell) if cell not in ("", None) else "-")
