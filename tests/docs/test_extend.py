"""The pages on how to add something: what they write is written, in a copy of the project, and what they type is typed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.docs.pages import Reader, Terminal, examples
from tests.test_project import tracked

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "extend").glob("*.md"))
_FILE = re.compile(r"(?P<how>Write|Add to) `(?P<path>[^`]+)`:$")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for file in tracked():
        target = folder / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    return folder


def follow(page: Path, copy: Path, terminal: Terminal) -> None:
    """Write each file and type each command where it stands on the page."""
    text = page.read_text("utf-8")
    typed = list(examples(text))
    reader, blocks, before = Reader(terminal), 0, ""
    for token in MarkdownIt().parse(text):
        if token.type == "inline":
            before = token.content
        elif token.type == "fence" and token.info.startswith("console"):
            for example in (one for one in typed if one.block == blocks):
                agrees, came = reader.follow(example)
                assert agrees, (
                    f"{page.name}:{example.line}\n$ {example.command}\n{came}\n--- not ---\n{example.printed}"
                )
            blocks += 1
        elif token.type == "fence" and (named := _FILE.search(before)):
            file = copy / named["path"]
            assert file.exists() is (named["how"] == "Add to"), named["path"]
            file.write_text((file.read_text("utf-8") if file.exists() else "") + token.content, "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_who_follows_a_page_adds_what_works(page: Path, copy: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    environment = {"PATH": path, "HOME": str(copy.parent), "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    with Terminal([], cwd=copy, environment=environment) as terminal:
        follow(page, copy, terminal)
