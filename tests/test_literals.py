"""Texts looked for all at once, and texts with half of a character in them."""

from __future__ import annotations

import random

import pytest

from cargo_runbook.literals import Literals, Made, whole

HALF = "\ud83d"


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
