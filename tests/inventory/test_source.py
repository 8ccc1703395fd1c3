"""Whichever library reads an environment file, it says the same."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.inventory.source import Source, read_source

PIECES = (
    "domain: a.example.com\n", "hosts:\n", "  - name: a\n", "    address: b\n", "accounts: ", "[", "]", "{", "}", "- ",
    "&a ", "*a", "<<: ", "!!map ", "!x ", "? ", ": ", "'", '"', "|\n", ">-\n", "  text\n", "---\n", "...\n", "~\n",
    "# c\n", "kind: yes\n", "port: 1e3\n", "name: 0o7\n", "version: 1.10\n", "day: 2026-01-01\n", ",", " ", "\n", "\r\n",
    "中文", "\x85", "\u2028", "null\n",
)  # fmt: skip


def _slowly(text: str) -> Source:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", False)
        return read_source(text)


@given(st.lists(st.sampled_from(PIECES)))
def test_libyaml_reads_what_ruamel_reads(pieces: list[str]) -> None:
    text = "".join(pieces)
    fast, slow = read_source(text), _slowly(text)
    if slow.readable:
        assert (fast.data, fast.lines, fast.problems) == (slow.data, slow.lines, slow.problems)
    elif not fast.readable:
        assert fast.problems == slow.problems


def test_a_file_that_is_no_yaml_is_told_in_the_same_words_and_at_the_same_place() -> None:
    for text in ("domain: a\n\thosts: b\n", "a: [b\nc: d\n", "a: *b\n", 'a: "b\n', "a: b: c\n", "[" * 2000):
        assert read_source(text).problems == _slowly(text).problems != []
