"""The postmortem in a notebook: every part from sealed records, a note kept on the way, the drafts at the end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import nbformat
import papermill
import pytest

from cargo_runbook import open_incident
from cargo_runbook.errors import UsageError
from tests.archive.kept import STARTED, keep

RUNBOOK = Path(__file__).parents[2] / "runbooks" / "90_postmortem.ipynb"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    keep(tmp_path, "cargo", STARTED, incident="INC-7")
    keep(tmp_path, "devops", STARTED + timedelta(minutes=5), incident="INC-7")
    keep(tmp_path, "cargo", STARTED + timedelta(days=1), incident="INC-8")
    return tmp_path


def test_each_part_tells_of_the_incident_and_leads_to_its_records(reports: Path) -> None:
    postmortem = open_incident("INC-7", str(reports))
    parts = (postmortem.impact(), postmortem.causes(), postmortem.timeline(), postmortem.questions())
    for part in parts:
        text, html = str(part), part.to_html()
        assert "cargo" in text
        assert "devops" in html
    assert "CRG201" in str(postmortem.causes())
    assert "not seen yet" in str(postmortem.impact())
    assert "Nothing." in str(postmortem.actions())
    (table,) = postmortem.timeline().tables
    assert len({row[3].said.en.split(" ")[0] for row in table.rows}) == 2
    assert not [row for row in table.rows if "2026-03-05" in row[0].said.en], "of another incident"


def test_a_note_is_kept_and_is_in_the_timeline_at_once(reports: Path) -> None:
    postmortem = open_incident("INC-7", str(reports))
    assert "No note" in str(postmortem.note("  "))
    assert "traffic moved" in str(postmortem.note("traffic moved to the second host"))
    assert "traffic moved" in str(postmortem.timeline())


def test_a_note_is_shown_as_it_was_sealed(reports: Path) -> None:
    shown = str(open_incident("INC-7", str(reports)).note("it was password=c4nary-77 all the time"))
    assert "c4nary-77" not in shown
    assert "‹secret" in shown
    assert "it was" in shown


def test_the_drafts_are_there_in_both_forms_and_languages(reports: Path) -> None:
    (shown,) = open_incident("INC-7", str(reports)).draft().tables
    drafts = sorted(path.name for path in (reports / "postmortems").iterdir())
    assert drafts == ["INC-7.en.html", "INC-7.en.md", "INC-7.zh.html", "INC-7.zh.md"]
    assert sorted(row[2].said.en.rpartition("/")[2] for row in shown.rows) == drafts
    assert "故障复盘" in (reports / "postmortems/INC-7.zh.html").read_text()


def test_without_an_incident_the_parts_say_which_there_are(reports: Path) -> None:
    postmortem = open_incident("", str(reports))
    for part in (postmortem.impact(), postmortem.draft()):
        assert [row[0].said.en for row in part.tables[0].rows] == ["INC-8", "INC-7"]
    with pytest.raises(UsageError, match="needs the id of an incident"):
        postmortem.note("lost")
    with pytest.raises(UsageError, match="no record of an incident"):
        open_incident("INC-9", str(reports))


@pytest.mark.slow
def test_papermill_runs_it_with_parameters_alone(reports: Path, tmp_path: Path) -> None:
    target = tmp_path / "done.ipynb"
    values = {"incident": "INC-7", "reports": str(reports), "note": "seen by the customer first"}
    papermill.execute_notebook(str(RUNBOOK), str(target), parameters=values, progress_bar=False)
    done = nbformat.read(target, as_version=4)  # type: ignore[no-untyped-call]
    shown = [output for cell in done.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in shown} == {"execute_result"}
    assert "seen by the customer first" in str(shown)
