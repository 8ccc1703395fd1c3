"""The map of the guide: as the code makes it, and no section without notebook, code and fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.rules.catalog import catalog
from cargo_runbook.rules.triage import ON_PATH
from cargo_runbook.steps import SECTIONS
from cargo_sandbox.guide_map import Row, as_markdown, rows

ROOT = Path(__file__).parents[1]
ROWS = rows(ROOT / "runbooks")


def test_the_map_is_the_one_that_the_code_makes() -> None:
    kept = (ROOT / "docs" / "guide-map.md").read_text(encoding="utf-8")
    assert kept == as_markdown(ROWS), "make it again: cargo-runbook sandbox faults --guide-map > docs/guide-map.md"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.section)
def test_a_section_of_the_guide_has_a_notebook_a_code_and_a_fault(row: Row) -> None:
    assert row.lacks == ()


@pytest.mark.parametrize("notebook", SECTIONS)
def test_each_code_beside_the_path_is_shown_by_a_step_of_its_sections_notebook(notebook: str) -> None:
    sections = {row.section for row in ROWS if row.notebook == notebook}
    shown = {code for step in SECTIONS[notebook] for code in step.codes}
    assert shown <= set(catalog())
    # What the stations of a pull find is shown by the triage.
    beside = {code for code, entry in catalog().items() if entry.section in sections and entry.check not in ON_PATH}
    if notebook != "00_triage":
        assert beside <= shown


def test_what_a_section_lacks_is_named() -> None:
    assert Row("x", "", ("CRG101",), ()).lacks == ("notebook", "fault")


def test_a_section_that_only_says_how_to_look_closer_shares_the_faults_of_the_one_above() -> None:
    above, closer = ROWS[:2]
    assert closer.section.startswith(f"{above.section} / ")
    assert (closer.shared, closer.faults) == (True, above.faults)


def test_codes_in_a_row_are_drawn_together() -> None:
    page = as_markdown((Row("x", "00_triage", ("CRG101", "CRG103", "CRG104", "CRG105", "CRG201", "CRG202"), ("f",)),))
    assert "| CRG101, CRG103 to CRG105, CRG201, CRG202 |" in page
