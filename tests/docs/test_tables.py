"""Tables of the pages that say what the code says are as the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import typer

from cargo_runbook.cli import main
from cargo_sandbox.topology import MACHINES

ROOT = Path(__file__).parents[2]


def rows(page: str, head: str) -> Iterator[list[str]]:
    """The rows of the table that begins with this head."""
    lines = iter((ROOT / "docs" / page).read_text("utf-8").splitlines())
    assert any(line.startswith(f"| {head} |") for line in lines), f"{page} has no table {head}"
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [field.strip() for field in line.strip("|").split("|")]


def test_the_limits_of_a_batch_are_its_options_with_their_defaults() -> None:
    command = typer.main.get_command(main.build()).commands["batch"]  # type: ignore[attr-defined]
    there = {option: each for each in command.params for option in each.opts}
    listed = {option.strip("`"): default for _, option, default, _ in rows("scale.md", "bound") if option != "none"}
    assert len(listed) == 5
    # Where the help says the default in words, it depends on something.
    fixed = {option: there[option].default for option in listed if there[option].default is not None}
    told = {option: re.sub(r" s$", "", default) for option, default in listed.items()}
    assert {option: str(value or "none") for option, value in fixed.items()} == {o: told[o] for o in fixed}


def test_each_check_of_the_doctor_is_listed() -> None:
    listed = {re.sub(r" \(.*| [A-Z]+.*", "", check) for check, *_ in rows("doctor.md", "check")}
    named = set()
    for path in (ROOT / "cargo_runbook" / "workstation").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Check":
                named |= {n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)}
    assert named - listed == set()
    assert {"terminal", "certificate", "ca", "passwords"} <= named


def test_each_package_has_its_row() -> None:
    listed = {folder.strip("`") for folder, *_ in rows("architecture.md", "folder")}
    there = {f"cargo_runbook/{path.parent.name}" for path in (ROOT / "cargo_runbook").glob("*/__init__.py")}
    assert there - listed == set()


def test_the_machines_of_the_practice_installation_are_listed_with_their_addresses() -> None:
    listed = " ".join(" ".join(row) for row in rows("sandbox.md", "machine"))
    for machine in MACHINES:
        assert f"`{machine.name}`" in listed
        assert re.search(rf"(203\.0\.113)?\.{machine.address.rpartition('.')[2]}\b", listed), machine
