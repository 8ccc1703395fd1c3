"""A newcomer follows "First ten minutes" literally, command by command, in a bare Debian, and gets what the page says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.clean_root import enter, unpack
from tests.docs.pages import Terminal, examples, follow

DOCS = Path(__file__).parents[2] / "docs"
PAGE, CHINESE = DOCS / "first-ten-minutes.md", DOCS / "first-ten-minutes.zh.md"
INSTALLATION = 0
IN_CHINESE = "export CARGO_RUNBOOK_LANG=zh"


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Terminal]:
    # Not below pytest's folder: that is /tmp, which the practice installation hides from its machines.
    folder = Path(tempfile.mkdtemp(prefix="cargo-runbook-newcomer-", dir="/var/tmp"))
    try:
        root = folder / "root"
        root.mkdir()
        unpack(root)
        with enter(root) as terminal:
            yield terminal
    finally:
        shutil.rmtree(folder)


@pytest.mark.clean_root
@pytest.mark.slow
def test_who_follows_the_page_in_a_bare_debian_gets_what_it_says(newcomer: Terminal) -> None:
    follow(PAGE, newcomer)


@pytest.mark.clean_root
@pytest.mark.slow
def test_who_follows_the_chinese_page_gets_what_it_says(newcomer: Terminal) -> None:
    # Where the test before has installed it, that is not done again: the commands are the same, as the next test holds.
    installed = newcomer.type("cd ~/cargo-runbook && git clean -fdXq reports environments && ls .venv/.ready")
    newcomer.type("cargo-runbook sandbox down; deactivate")
    follow(CHINESE, newcomer, skip_blocks=INSTALLATION + 1 if installed == ".venv/.ready" else INSTALLATION)


def test_both_languages_have_the_same_commands() -> None:
    def commands(page: Path) -> list[str]:
        known: dict[str, str] = {}
        typed = []
        for example in examples(page.read_text("utf-8")):
            before, confirm, digest = example.command.partition("--confirm ")
            typed.append(before + confirm + known.setdefault(digest, "DIGEST" if digest else ""))
        return typed

    assert [one for one in commands(CHINESE) if one != IN_CHINESE] == commands(PAGE)
