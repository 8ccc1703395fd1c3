"""The runbooks as files: clean, of one shape, without logic."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ruamel.yaml import YAML

from cargo_runbook.errors import UsageError
from cargo_runbook.execution.runbooks import read_parameters
from cargo_runbook.findings import CHECKS

FOLDER = Path(__file__).parents[2] / "runbooks"
RUNBOOKS = sorted(FOLDER.glob("*.ipynb"))
# The others look at an environment and end in a verdict; these read the archive.
OF_THE_ARCHIVE = "9"


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    body = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in body["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_a_runbook_is_committed_without_outputs_and_with_names_for_its_cells(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert not [cell["id"] for cell in notebook["cells"] if not cell["id"].replace("-", "").isalpha()]


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_a_runbook_holds_no_logic_and_asks_nobody(path: Path) -> None:
    for cell in cells(path, "code"):
        tree = ast.parse(source(cell))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert len(calls) <= 1, source(cell)
        assert not [
            n for n in ast.walk(tree) if isinstance(n, ast.If | ast.For | ast.While | ast.FunctionDef | ast.Try)
        ]
        assert "input(" not in source(cell)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module == "cargo_runbook"
            assert not isinstance(node, ast.Import)


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_a_runbook_speaks_both_languages(path: Path) -> None:
    for cell in cells(path, "markdown"):
        text = source(cell)
        assert any("\u4e00" <= character <= "\u9fff" for character in text), text
        assert any("a" <= character <= "z" for character in text), text


def test_the_triage_looks_at_every_station_in_the_order_of_the_path_then_at_the_logs_and_concludes() -> None:
    sources = [source(cell) for cell in cells(FOLDER / "00_triage.ipynb", "code")]
    steps = [f'triage.look("{name}")' for name in (*CHECKS, "logs")]
    end = ["triage.verdict()", "triage.compare()", "triage.fix(approved_plan, reason)"]
    end += ["triage.notes(notes)", "triage.conclude()"]
    assert sources[-13:] == [*steps, *end]


def test_the_first_cell_of_the_triage_takes_a_pasted_error_text() -> None:
    after_parameters = cells(FOLDER / "00_triage.ipynb", "code")[1]
    assert "pasted = paste_error(error_text, incident)" in source(after_parameters)
    assert read_parameters(FOLDER / "00_triage.ipynb", {"error_text": "a\nb"}) == {"error_text": "a\nb"}


def test_the_triage_takes_an_environment_and_an_image() -> None:
    values = read_parameters(FOLDER / "00_triage.ipynb", {"environment": "prod-1", "image": "a/b:1"})
    assert values == {"environment": "prod-1", "image": "a/b:1"}


def test_a_runbook_that_reads_the_archive_is_not_run_for_an_environment() -> None:
    with pytest.raises(UsageError, match="90_postmortem is about no environment"):
        read_parameters(FOLDER / "90_postmortem.ipynb", {"environment": "cargo"})


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_a_runbook_has_the_switch_of_the_language(path: Path) -> None:
    assert read_parameters(path, {"lang": "zh"}) == {"lang": "zh"}
    switches = [
        cell
        for cell in cells(path, "code")
        if re.search(r"choose_(environment\(.*, lang|language\(lang)\)", source(cell))
    ]
    assert len(switches) == 1


@pytest.mark.parametrize("path", [p for p in RUNBOOKS if p.stem[0] != OF_THE_ARCHIVE], ids=lambda p: p.stem)
def test_the_verdict_of_a_runbook_is_checked_by_nbval(path: Path) -> None:
    expected = YAML(typ="safe").load((FOLDER / "expected.yml").read_text(encoding="utf-8"))
    checked = [cell for cell in cells(path, "code") if "nbval-check-output" in cell["metadata"].get("tags", ())]
    assert [source(cell).rpartition(".")[2] for cell in checked] == ["verdict()"]
    assert expected[path.stem]["status"] == "healthy"
