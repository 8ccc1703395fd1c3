"""Texts looked for all at once, texts with half of a character in them, and lower case."""

from __future__ import annotations

import random
import re
from string import ascii_lowercase

import pytest

from cargo_runbook.literals import Literals, Made, whole, without_case

HALF = "\ud83d"
ALL = "".join(map(chr, range(0x110000)))


@pytest.mark.parametrize("made", Made)
def test_each_text_is_found_where_it_stands(made: Made) -> None:
    chance = random.Random(3)
    for _ in range(50):
        texts = sorted({"".join(chance.choices("ab域", k=chance.randint(1, 4))) for _ in range(5)})
        text = "".join(chance.choices(["a", "b", "域", HALF], k=40))
        places = {(n, i) for n, word in enumerate(texts) for i in range(len(text)) if text.startswith(word, i)}
        found = Literals(texts, made)
        assert set(found.places(text)) == places
        assert found.present(text) == {number for number, _ in places}


def test_a_text_with_half_of_a_character_is_found_as_well() -> None:
    assert list(Literals(["bc", f"c{HALF}d"]).places(f"abc{HALF}d")) == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("text", "made_whole"), [("plain", "plain"), ("内核 🚢", "内核 🚢"), (f"a{HALF}b\udc80", "a\ufffdb\ufffd")]
)
def test_what_no_file_can_hold_is_made_whole(text: str, made_whole: str) -> None:
    assert whole(text) == made_whole
    assert whole(text).encode().decode() == made_whole


def test_each_character_stays_where_it_is_in_lower_case() -> None:
    lower = without_case(ALL)
    assert len(lower) == len(ALL)
    assert all(without_case(ALL[place : place + 999]) == lower[place : place + 999] for place in range(0, 9999, 999))


def test_what_a_pattern_takes_for_a_letter_is_that_letter_in_lower_case() -> None:
    for letter in ascii_lowercase:
        like = re.findall(f"(?i){letter}", ALL)
        assert {letter, letter.upper()} <= set(like)
        assert {without_case(each) for each in like} == {letter}
