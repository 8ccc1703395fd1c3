"""`cargo-runbook codes`, and the page that it makes."""

from __future__ import annotations

from pathlib import Path

from cargo_runbook.cli.codes import as_markdown
from cargo_runbook.rules.catalog import catalog

PAGE = Path(__file__).parents[2] / "docs" / "finding-codes.md"


def test_the_page_of_finding_codes_is_the_one_that_the_catalog_makes() -> None:
    made = as_markdown(list(catalog().values()))
    assert PAGE.read_text(encoding="utf-8") == made, (
        "make it again: cargo-runbook codes --markdown > docs/finding-codes.md"
    )
