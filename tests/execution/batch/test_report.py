"""A batch summed up in the notebook and by command: the same book, the same words."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import papermill
import pytest

from cargo_runbook import open_batch
from cargo_runbook.cli.main import run
from cargo_runbook.errors import UsageError
from tests.execution.batch.test_summary import BROKEN, NOTHING, outcome, write

RUNBOOK = Path(__file__).parents[3] / "runbooks" / "95_batch_summary.ipynb"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    write(tmp_path, "20260101T000000Z-aa", outcome("a", "healthy"), outcome("b", "healthy"))
    write(
        tmp_path,
        "20260102T000000Z-bb",
        outcome("a", "fault", "CRG201", cells=BROKEN),
        outcome("b", "fault", "CRG201", cells=BROKEN),
        outcome("c", "failed", cells=NOTHING, reason="<b>the kernel died in cell 3</b>"),
    )
    return tmp_path


def test_each_part_tells_of_the_last_batch_in_both_languages(reports: Path) -> None:
    report = open_batch(reports=str(reports))
    assert "20260102T000000Z-bb" in str(report.overview())
    matrix = report.matrix().to_html()
    assert matrix.count('class="crb-cell-unknown"') == 8, "seven checks, and the status"
    assert "could not tell" in matrix
    assert "无法判断" in matrix
    assert "&lt;b&gt;the kernel died" in matrix
    assert "2 environments share CRG201" in str(report.groups())
    assert "2 个环境的根本原因同为 CRG201" in report.groups().to_html()
    changed = str(report.changes())
    assert "before (20260101T000000Z-aa)" in changed
    assert [line.split()[:4] for line in changed.splitlines() if line.startswith(("a ", "c "))] == [
        ["a", "healthy", "fault", "CRG201"],
        ["c", "new", "the", "run"],
    ]
    assert list(report.frame().index) == ["a", "b", "c"]


def test_a_batch_is_chosen_by_the_start_of_its_id_and_an_unknown_one_is_refused_at_once(reports: Path) -> None:
    assert "20260101T000000Z-aa" in str(open_batch("20260101", reports=str(reports)).overview())
    with pytest.raises(UsageError, match="there is no batch '2030'"):
        open_batch("2030", reports=str(reports))


def test_where_there_is_no_batch_each_part_says_so(tmp_path: Path) -> None:
    report = open_batch(reports=str(tmp_path))
    assert "There is no batch yet" in str(report.overview())
    for part in (report.matrix(), report.groups(), report.changes(), report.files()):
        assert "Nothing." in str(part)
    assert report.frame().empty


@pytest.mark.slow
def test_papermill_runs_the_notebook_and_the_files_lie_beside_the_book(reports: Path, tmp_path: Path) -> None:
    target = tmp_path / "done.ipynb"
    papermill.execute_notebook(str(RUNBOOK), str(target), parameters={"reports": str(reports)}, progress_bar=False)
    done = nbformat.read(target, as_version=4)  # type: ignore[no-untyped-call]
    shown = [output for cell in done.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in shown} == {"execute_result"}
    assert "2 environments share CRG201" in str(shown)
    place = reports / "batches" / "20260102T000000Z-bb"
    assert sorted(path.name for path in place.iterdir()) == [
        "book.jsonl",
        "matrix.csv",
        "matrix.parquet",
        "summary.html",
    ]


def test_the_command_tells_the_same_and_ends_as_the_batch_did(
    reports: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["summary", "--reports", str(reports)]) == 1
    shown = capsys.readouterr().out
    assert "2 environments share CRG201" in shown
    assert "not in this batch" not in shown
    assert run(["summary", "20260101", "--reports", str(reports), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["batch"], body["healthy"], body["before"], body["groups"]) == ("20260101T000000Z-aa", 2, "", [])
    assert run(["summary", "--reports", str(reports), "--to", str(tmp_path / "m.csv")]) == 1
    assert (tmp_path / "m.csv").read_text().startswith("environment,status,root_causes,dns")
    assert run(["summary", "--reports", str(reports), "--to", str(tmp_path / "m.xls")]) == 2
    assert "has no form that can be written" in capsys.readouterr().err
    assert run(["summary", "--reports", str(tmp_path / "none")]) == 2
