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
    assert [page.name for page in PAGES if ".zh." not in page.name and f"({page.name})" not in listed] == []


def test_the_chinese_list_names_each_as_well_and_says_which_are_english() -> None:
    lines = (TUTORIALS / "README.zh.md").read_text("utf-8").splitlines()
    for page in (page for page in PAGES if ".zh." not in page.name):
        (line,) = (line for line in lines if f"({page.name})" in line)
        assert ("（英文）" in line) is not page.with_suffix(".zh.md").exists(), page.name


def test_a_chinese_tutorial_types_the_same_commands_as_the_english_one() -> None:
    for page in (page for page in PAGES if page.name.endswith(".zh.md")):
        chinese = [example.command for example in examples(page.read_text("utf-8"))]
        english = page.with_name(page.name.replace(".zh.", ".")).read_text("utf-8")
        assert chinese == ["export CARGO_RUNBOOK_LANG=zh", *(example.command for example in examples(english))], (
            page.name
        )
