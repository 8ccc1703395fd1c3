"""What is scanned for planted secrets (tests/sandbox/test_planted_secrets.py) is all that there is: nothing new is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.main import get_command

from cargo_runbook.cli.main import build
from cargo_runbook.guide import NOTEBOOKS
from tests.practice import ROOT
from tests.sandbox.scanning import BY_PAPERMILL, NOT_SCANNED, leaves, typed

FORMS = ("--json", "--jsonl", "--markdown", "--to", "--from", "--lang", "--env")
"""Options that make a command print or write something else, or look at something."""
FORMATS = {"summary": (".html", ".csv", ".parquet"), "records export": (".html", ".zip"),
           "records postmortem": (".html", ".md")}  # fmt: skip
# Each form of these prints the same as without, or what the test plants nothing in.
SAME = {
    ("records list", "--env"),
    ("records search", "--env"),
    ("records rejudge", "--env"),
    ("records export", "--env"),
}


def lines_of(command: str) -> Iterator[list[str]]:
    words = command.split()
    yield from (line for line in typed() if line[: len(words)] == words)


@pytest.mark.parametrize(
    ("name", "command"),
    [(n, c) for n, c in leaves(get_command(build())) if not n.startswith("sandbox ") and n not in NOT_SCANNED],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_every_command_is_scanned_in_each_form_that_it_has(name: str, command: object) -> None:
    lines = list(lines_of(name))
    assert lines, f"{name} is in no list of tests/sandbox/scanning.py"
    options = {each for option in command.params for each in option.opts}  # type: ignore[attr-defined]
    missing = [form for form in FORMS if form in options and not any(form in line for line in lines)]
    assert [form for form in missing if (name, form) not in SAME] == []
    for ending in FORMATS.get(name, ()):
        assert any(word.endswith(ending) for line in lines for word in line), ending


def test_no_command_is_left_out_that_does_not_exist() -> None:
    assert set(NOT_SCANNED) <= {name for name, _ in leaves(get_command(build()))}


def test_every_runbook_is_scanned() -> None:
    runbooks = {path.stem for path in (ROOT / "runbooks").glob("*.ipynb")}
    assert runbooks == {"00_triage", *NOTEBOOKS.values(), *BY_PAPERMILL}
