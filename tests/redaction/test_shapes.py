"""The words that spare a text from patterns: none is passed over because it was looked for below another one."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cargo_runbook.redaction.shapes import Shape, shapes, shapes_for
from cargo_runbook.secret import Redactor
from tests.redaction.examples import HOSTILE, SHAPES

WITH_MORE = [shape for shape in shapes() if shape.then]
# Of the others, a word may stand far from what is found.
WITH_WORDS = [shape for shape in shapes() if shape.when and shape.within is None]


@pytest.mark.parametrize("shape", [shape for shape in shapes() if shape.when and not shape.then], ids=lambda s: s.name)
def test_a_shape_is_tried_where_any_of_its_words_stands(shape: Shape) -> None:
    for word in shape.when:
        assert shape in shapes_for(f"x{word.upper()}y")


@pytest.mark.parametrize("shape", WITH_MORE, ids=lambda shape: shape.name)
def test_a_shape_is_spared_where_something_else_stands_behind_its_words(shape: Shape) -> None:
    for word in shape.when:
        assert shape not in shapes_for(f"x{word}y, {word} and {word}")


NAMES = (
    "password", "harbor_passwd", "passphrase", "db_pwd", "db_pass", "secret", "secretKey", "secret_access_key", "accessKey",
    "aws_access_key_id", "private-key", "csrfkey", "token", "cargo_token", "identitytoken", "client-key-data", "X-Auth-Token",
    "x-xsrf-token",
)  # fmt: skip
FORMS = ('"{}": "zq8fe4tx"', "{{{}: zq8fe4tx}}", "{}: zq8fe4tx", "'{}: zq8fe4tx'", "{}=zq8fe4tx", '["{}=zq8fe4tx"]')


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_a_secret_is_known_in_each_form(name: str, form: str) -> None:
    for spelt in (name, name.upper()):
        assert "zq8fe4tx" not in Redactor().redact(form.format(spelt))


@given(
    st.lists(st.sampled_from([*[text for text, _ in SHAPES.values()], *HOSTILE, "token", "--", "://"]), max_size=6),
    st.sampled_from(["", "\n", " ", ", ", ": ", "=", '"']),
    st.sampled_from([str, str.upper, str.lower, str.title]),
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["", "\n", "\u017f", "\u0130", "x", '"', ":", "=", "-"]))),
)
@example(["password: other-secret", "token"], "\n", str, [(2, "\u017f")])
@settings(max_examples=300)
def test_no_shape_is_spared_where_its_pattern_finds_something(
    pieces: list[str], between: str, case: type[str], changes: list[tuple[int, str]]
) -> None:
    text = case(between.join(pieces))
    for place, letter in changes:
        text = text[:place] + letter + text[place + 1 :]
    tried = shapes_for(text)
    assert [shape.name for shape in WITH_WORDS if shape.pattern.search(text) and shape not in tried] == []


@pytest.mark.parametrize("shape", WITH_MORE, ids=lambda shape: shape.name)
def test_each_shape_with_more_behind_its_words_is_found_in_an_example(shape: Shape) -> None:
    assert [name for name, (text, _) in SHAPES.items() if shape.pattern.search(text)]
