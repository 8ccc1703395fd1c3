"""The table of remedies: complete in both languages, in step with the catalog and with its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.cli.main import run
from cargo_runbook.cli.remedies import as_markdown, codes_of
from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.remedies.table import REMEDIES
from cargo_runbook.rules.catalog import catalog

PAGE = Path(__file__).parents[2] / "docs" / "fixes.md"


def test_the_page_is_as_the_table() -> None:
    made_again = "make it again: cargo-runbook remedies --markdown > docs/fixes.md"
    assert PAGE.read_text(encoding="utf-8") == as_markdown(), made_again


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=lambda remedy: remedy.name)
def test_a_remedy_serves_a_finding_and_speaks_both_languages(remedy: Remedy) -> None:
    assert codes_of(remedy)
    for text in (remedy.title, remedy.how, remedy.effect, remedy.durability, remedy.inverse):
        assert text.en
        assert text.zh
        assert text.en != text.zh or "docker" in text.en


def test_every_remedy_that_a_finding_names_is_there() -> None:
    missing = {name for code in catalog().values() for name in code.remedies} - set(REMEDIES)
    assert missing == set()


def test_the_list_names_what_serves_which_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["remedies"]) == 0
    assert "change-domain" in capsys.readouterr().out


def test_a_fix_needs_one_of_code_resume_and_rollback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fix", "--env", "x"]) == 2
    assert "name one of" in capsys.readouterr().err
