"""Finding the forms of many values in a long text at once."""

from __future__ import annotations

import random

import pytest

from cargo_runbook.redaction.forms import Forms, forms_of

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjI0Q086MzVNUiJ9"
VALUES = (
    "c4nary-77-value",
    f"{TOKEN}.first-one.x",
    f"{TOKEN}.second-one.y",
    "pw",
    "域名-的-密码-1",
    "half \ud800 of a pair",
)
FILLING = "nothing to see here, " * 400


def _known(*values: str) -> Forms:
    forms = Forms()
    forms.add(*values, username="alice")
    return forms


@pytest.mark.parametrize("value", VALUES)
def test_each_form_of_a_value_is_found_in_a_long_text(value: str) -> None:
    forms = _known(*VALUES)
    for form in forms_of(value, "alice"):
        text = f"{FILLING} {form} {FILLING}"
        replaced = forms.replace(text, lambda value: "‹secret 1 password›")
        assert form not in replaced.replace("‹secret 1 password›", "")
        assert replaced.count("‹secret 1 password›") >= 1


def test_in_a_long_text_as_much_is_found_as_in_its_parts() -> None:
    chance = random.Random(7)
    pieces = ["a", "b", "ab", "aab", "域", "abcdefghijklmnop", "abcdefghijklmnopq", " "]
    for _ in range(60):
        forms = _known(*("".join(chance.choices(pieces, k=chance.randint(2, 6))) for _ in range(8)))
        words = ["".join(chance.choices(pieces, k=chance.randint(1, 9))) for _ in range(30)]
        parts = [forms.replace(word, lambda value: "#") for word in words]
        assert forms.replace("\n".join([*words, "." * 5000]), lambda value: "#") == "\n".join([*parts, "." * 5000])


def test_what_becomes_known_later_is_found_as_well() -> None:
    forms = _known("c4nary-77-value")
    text = f"c4nary-77-value n3w-value-to-come {FILLING}"
    assert forms.replace(text, lambda value: "#") == f"# n3w-value-to-come {FILLING}"
    forms.add("n3w-value-to-come")
    assert forms.replace(text, lambda value: "#") == f"# # {FILLING}"
