"""What the pages tell the reader to type can be typed: each command is there, with each option that is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from cargo_runbook.cli import main
from cargo_runbook.inventory import models

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "reports").glob("*.md")]
# At the start of a line, of an inline code, or behind a prompt; up to what is no word of it any more.
COMMAND = re.compile(r"(?:^|`|\$ |-- )cargo-runbook ([a-z][^`#|]*)", re.MULTILINE)


def typed() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for found in COMMAND.finditer(page.read_text("utf-8")):
            # In a list of commands, two blanks part it from what it is for.
            text = re.split(r"  |\n|&&", found[1])[0].rstrip(" .。，;")
            try:
                yield f"{page.relative_to(ROOT)}: {text}", shlex.split(text)
            except ValueError:
                # A quotation that goes on in the next line.
                continue


def problem(root: Any, words: list[str]) -> str:
    command, rest = root, list(words)
    while rest and (below := getattr(command, "commands", {}).get(rest[0])) is not None:
        command, rest = below, rest[1:]
    if hasattr(command, "commands"):
        # `records list|search`, `sandbox ...`: a group is named, and not typed.
        return f"no command {rest[0]}" if rest and re.fullmatch("[a-z-]+", rest[0]) else ""
    if words[:2] == ["sandbox", "run"]:
        return ""
    there = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help", "--lang"}
    wrong = [word for word in rest if re.match(r"--?[a-z]", word) and word.split("=")[0] not in there]
    return f"no option {wrong[0]}" if wrong else ""


def test_every_command_of_every_page_is_there_with_its_options() -> None:
    root, found = typer.main.get_command(main.build()), list(typed())
    assert len(found) > 150
    assert [f"{place}: {what}" for place, words in found if (what := problem(root, words))] == []


def test_the_inventory_reference_has_each_key_with_its_default() -> None:
    page = (ROOT / "docs" / "inventory.md").read_text("utf-8")
    lacking = []
    for kind in (*vars(models).values(),):
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == models.__name__:
            for name, field in kind.model_fields.items():
                default = str(field.default) if isinstance(field.default, str | int) and field.default != "" else ""
                lacking += [f"{kind.__name__}.{name}"] if f"`{name}" not in page else []
                lacking += [f"{kind.__name__}.{name}: {default}"] if default and default not in page else []
    assert lacking == []
