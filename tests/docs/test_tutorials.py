"""The tutorials: their commands are typed on recordings, and print what the pages say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import examples, follow, on_recordings

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"
PAGES = sorted(page for page in TUTORIALS.glob("*.md") if "```console" in page.read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_tutorial_print_what_it_says(page: Path, tmp_path: Path) -> None:
    with on_recordings(tmp_path) as terminal:
        follow(page, terminal)


def test_every_section_of_the_guide_has_a_tutorial_that_runs_its_notebook() -> None:
    commands = "\n".join(example.command for page in PAGES for example in examples(page.read_text("utf-8")))
    notebooks = {path.stem for path in (TUTORIALS.parents[1] / "runbooks").glob("[0-8]*.ipynb")}
    assert {name for name in notebooks if f"run {name} " not in commands} == set()


def test_the_list_of_tutorials_names_each() -> None:
    listed = (TUTORIALS / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES if f"({page.name})" not in listed] == []
