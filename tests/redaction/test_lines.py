"""A pattern that is tried on some lines of a long text finds there what it finds in the whole."""

from __future__ import annotations

import re
from re import _constants as c
from re import _parser as parser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cargo_runbook.redaction.lines import Lines
from cargo_runbook.redaction.shapes import Shape, shapes
from tests.redaction.examples import SHAPES

FEW = [shape for shape in shapes() if shape.lines]
MANY = 1 << 30
_NEWLINE = ord("\n")
_NO_LENGTH = (c.ASSERT, c.ASSERT_NOT, c.AT, c.GROUPREF)


def line_feeds(pattern: Any, flags: int) -> int:
    """How many line feeds a match of a parsed pattern may hold; MANY when there is no end."""
    return min(MANY, sum(_line_feeds(kind, what, flags) for kind, what in pattern))


def _line_feeds(kind: Any, what: Any, flags: int) -> int:
    if kind in _NO_LENGTH:
        return 0
    if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
        once = line_feeds(what[2], flags)
        return MANY if once and what[1] > 2 else once * min(what[1], 2)
    if kind is c.SUBPATTERN:
        return line_feeds(what[3], flags | what[1] & ~what[2])
    if kind is c.ATOMIC_GROUP:
        return line_feeds(what, flags)
    if kind is c.BRANCH:
        return max(line_feeds(each, flags) for each in what[1])
    if kind is c.ANY:
        return int(bool(flags & re.DOTALL))
    if kind is c.LITERAL:
        return int(what == _NEWLINE)
    if kind is c.NOT_LITERAL:
        return int(what != _NEWLINE)
    assert kind is c.IN, f"{kind} is not known here"
    return int(_holds_line_feed(what))


def _holds_line_feed(items: Any) -> bool:
    negated = items[0][0] is c.NEGATE
    inside = False
    for kind, what in items[1:] if negated else items:
        if kind is c.LITERAL:
            inside |= what == _NEWLINE
        elif kind is c.RANGE:
            inside |= what[0] <= _NEWLINE <= what[1]
        else:
            assert kind is c.CATEGORY
            inside |= what in (c.CATEGORY_SPACE, c.CATEGORY_NOT_DIGIT, c.CATEGORY_NOT_WORD)
    return inside != negated


@pytest.mark.parametrize(
    ("pattern", "most"),
    [("a[^b]c", 1), (r"a\s+", MANY), (r"a[^\s]*b", 0), ("a.b", 0), ("(?s)a.b", 1), (r"[^a\n]*", 0), (r"\s|\s\s", 2)],
)
def test_line_feeds_are_counted(pattern: str, most: int) -> None:
    compiled = re.compile(pattern)
    assert line_feeds(parser.parse(pattern), compiled.flags) == most


@pytest.mark.parametrize("shape", FEW, ids=lambda shape: shape.name)
def test_a_match_goes_over_no_more_lines_than_the_table_says(shape: Shape) -> None:
    assert line_feeds(parser.parse(shape.pattern.pattern), shape.pattern.flags) == shape.lines - 1


@pytest.mark.parametrize("shape", FEW, ids=lambda shape: shape.name)
def test_a_match_has_one_of_its_words_in_its_first_line(shape: Shape) -> None:
    found = [match.group() for text, _ in SHAPES.values() for match in shape.pattern.finditer(text)]
    assert found
    for match in found:
        assert any(word in match.split("\n")[0].lower() for word in shape.when), match


PIECES = [
    *(text for text, _ in SHAPES.values()),
    "",
    "word",
    "İİİ",
    "a: b",
    "\r",
    "login",
    "curl \\",
    "-u a:b",
    "x" * 1200,
]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["\n", "\r\n", "\n\n", " "]))
@example(["curl \\", "-u a:b", "login", "curl \\", "-u a:b"], "\n")
@settings(max_examples=60)
def test_what_is_found_in_the_lines_is_what_is_found_in_the_whole(pieces: list[str], between: str) -> None:
    text = between.join([*pieces, "y" * 1200])
    lines = Lines(text)
    for shape in FEW:
        found = lines.sub(shape.pattern, shape.when, shape.lines, lambda match: f"<{match.group()}>", shape.then)
        assert found == shape.pattern.sub(lambda match: f"<{match.group()}>", text), shape.name
