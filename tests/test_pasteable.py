"""A command that is printed is pasted as it stands: it is about the folders that the one before was told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cargo_runbook.cli import main
from cargo_runbook.pasteable import INVENTORY, REPORTS, TAKES, forget, given, pasteable


@pytest.fixture(autouse=True)
def nothing_given() -> Iterator[None]:
    forget()
    yield
    forget()


def options(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Each command of the program, and which of the two options it has."""
    if words:
        yield words, {option for each in command.params for option in each.opts} & {INVENTORY, REPORTS}
    for name, each in getattr(command, "commands", {}).items():
        yield from options(each, (*words, name))


def test_the_table_of_options_is_the_command_lines_own() -> None:
    found = {
        words: has
        for words, has in options(typer.main.get_command(main.build()))
        if words[0] not in ("sandbox", "demo") and (len(words) > 1 or words[0] not in ("env", "records"))
    }
    told = {words: set(TAKES.get(" ".join(words), TAKES.get(words[0], ()))) for words in found}
    # What asks for no folder is never printed with one: `env init` is, `env schema` and `records pubkey` are not.
    assert {words: (told[words], has) for words, has in found.items() if told[words] != has and has} == {}


def test_folders_that_were_given_are_repeated_where_the_command_takes_them() -> None:
    assert pasteable("cargo-runbook fix CRG201 --env cargo") == "cargo-runbook fix CRG201 --env cargo"
    given(INVENTORY, Path("my inventory"))
    given(REPORTS, Path("/srv/reports"))
    given(REPORTS, None)
    both = "--inventory 'my inventory' --reports /srv/reports"
    assert pasteable("cargo-runbook fix CRG201 --env cargo") == f"cargo-runbook fix CRG201 --env cargo {both}"
    assert pasteable("cargo-runbook records list") == "cargo-runbook records list --reports /srv/reports"
    assert pasteable("cargo-runbook records seal X") == f"cargo-runbook records seal X {both}"
    assert pasteable("cargo-runbook codes CRG201") == "cargo-runbook codes CRG201"


def test_what_one_command_line_was_told_is_forgotten_by_the_next(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["records", "show", "x", "--reports", str(tmp_path / "there")]) == 2
    assert f"cargo-runbook records list --reports {tmp_path / 'there'}   shows" in capsys.readouterr().err
    assert main.run(["records", "show", "x"]) == 2
    assert "cargo-runbook records list   shows" in capsys.readouterr().err


@pytest.mark.slow
def test_what_a_diagnosis_prints_as_next_leads_on_in_the_same_folders(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reports = tmp_path / "my reports"
    assert main.run(["diagnose", "--env", "cargo", "--replay", "wrong-domain", "--reports", str(reports)]) == 1
    printed = capsys.readouterr().out
    keep = next(line for line in printed.replace("\n", " ").split("cargo-runbook ") if line.startswith("run 00_triage"))
    words = shlex.split(re.split(r"\s{2,}", keep)[0])
    assert main.run(words) == 1
    capsys.readouterr()
    assert main.run(["records", "list", "--reports", str(reports)]) == 0
    assert "00_triage" in capsys.readouterr().out
    assert not (tmp_path / "reports").exists()
