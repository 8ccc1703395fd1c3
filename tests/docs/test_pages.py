"""What counts as "what the page says"."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.docs.pages import Reader, Terminal, examples, follow

PAGE = """# Title

```console
$ printf 'one\\ntwo\\n'
one
two
$ cd /
```

```
$ not run
```

```console
$ pwd
/
```
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal([], cwd=tmp_path, environment={"PATH": "/usr/bin:/bin"})


def agrees(printed: str, came: str, *before: tuple[str, str]) -> bool:
    reader = Reader.__new__(Reader)
    reader.own = dict(before)
    return reader.agrees(printed, came)


def test_commands_are_found_with_what_they_print_and_where_they_stand() -> None:
    found = [(e.command, e.printed, e.line, e.block) for e in examples(PAGE)]
    assert found == [("printf 'one\\ntwo\\n'", "one\ntwo", 4, 0), ("cd /", "", 7, 0), ("pwd", "/", 15, 1)]


def test_a_page_is_followed_in_one_shell(tmp_path: Path, terminal: Terminal) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    with terminal:
        follow(page, terminal)


def test_what_a_page_does_not_say_is_shown_beside_what_it_says(tmp_path: Path, terminal: Terminal) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("two\n$", "three\n$"))
    with terminal, pytest.raises(AssertionError, match=r"page.md:4\n\$ printf .*\none\ntwo\n--- .*\none\nthree"):
        follow(page, terminal)


def test_a_command_that_waits_for_ever_is_an_error_with_what_it_printed(terminal: Terminal) -> None:
    with terminal, pytest.raises(AssertionError, match=r"longer than 0 s, after:\nhere"):
        terminal.type("echo here; sleep 0.7", timeout=0.2)


def test_a_command_that_ends_the_shell_is_an_error(terminal: Terminal) -> None:
    with terminal, pytest.raises(AssertionError, match="ended the shell"):
        terminal.type("exit 3")


@pytest.mark.parametrize(
    ("printed", "came"),
    [
        ("...", ""),
        ("...\nlast", "first\nsecond\nlast"),
        ("first\n...", "first"),
        ("a ... c", "a b c"),
        ("took 1.2 s", "took 34.5 s"),
        ("sealed 2026-11-24", "sealed 2031-01-02"),
        ("reports/2026/11/24/x", "reports/2031/01/02/x"),
        ("      E5  operator", "      E44  operator"),
        ("record 20261128T134925Z-cargo-00_triage-ed2a2f", "record 20310101T000000Z-cargo-00_triage-000aaa"),
    ],
)
def test_agrees(printed: str, came: str) -> None:
    assert agrees(printed, came)


@pytest.mark.parametrize(
    ("printed", "came"),
    [
        ("", "anything"),
        ("anything", ""),
        ("...\nlast", "first\nother"),
        ("a ... c", "a b\nc"),
        ("CRG201", "CRG202"),
        ("took 1.2 s", "took long"),
        ("digest 48053abeb06a582d\nagain 48053abeb06a582d", "digest 48053abeb06a582e\nagain 48053abeb06a582f"),
    ],
)
def test_does_not_agree(printed: str, came: str) -> None:
    assert not agrees(printed, came)


def test_what_goes_by_another_name_here_is_typed_so_later(tmp_path: Path, terminal: Terminal) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo digest 48053abeb06a582d | tr d e\neigest 48053abeb06a582e\n$ echo --confirm 48053abeb06a582e\n"
        "--confirm 48053abeb06a582e\n```\n"
    )
    with terminal:
        reader = Reader(terminal)
        first, second = examples(page.read_text())
        reader.agrees("digest 48053abeb06a582e", "digest 11111111111111ab")
        assert reader.follow(second) == (True, "--confirm 11111111111111ab")
        assert first.line == 2


def test_colours_and_overwritten_progress_are_not_seen(terminal: Terminal) -> None:
    with terminal:
        assert terminal.type(r"printf '\033[1mone\033[0m  \n10%%\r20%%\r\n'; echo err >&2") == "one\n20%\nerr"


def test_the_reader_has_nothing_of_the_one_who_runs_the_tests(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_REPORTS", sys.prefix)
    with terminal:
        assert terminal.type("env | grep -c CARGO") == "0"
