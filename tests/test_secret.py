"""A secret shows itself to nobody, and where it is known it is masked in every form."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.secret import Redactor, Secret
from tests.redaction.examples import CANARY, MARKER, PASSWORD, alone, b64


def test_equal_secrets_have_equal_tokens_and_others_have_others() -> None:
    redactor = Redactor()
    text = redactor.redact("password: one-secret\npassword: other-secret\nsecret=one-secret\n")
    assert text == "password: ‹secret 1 password›\npassword: ‹secret 2 password›\nsecret=‹secret 1 password›\n"


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        b64(PASSWORD),
        b64(f"alice:{PASSWORD}"),
        b64(f"alice:{PASSWORD}").rstrip("="),
        base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
    ],
)
def test_a_registered_secret_is_found_in_every_form(form: str) -> None:
    redactor = Redactor()
    redactor.register(Secret(PASSWORD), username="alice")
    assert redactor.redact(f"{MARKER} {form} {MARKER}") == f"{MARKER} ‹secret 1 password› {MARKER}"


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_the_base64_of_any_text_with_the_secret_in_it_loses_the_secret(secret: str, before: str, after: str) -> None:
    redactor = alone()
    token = redactor.register(Secret(secret))
    whole = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    redacted = redactor.redact(whole)
    assert token in redacted
    # What is left around it is too short to hold the secret but for a character at each border.
    assert len(redacted.replace(token, "")) <= len(whole) - (len(secret.encode()) - 2) * 8 // 6


@given(st.text(), st.text(min_size=4, max_size=30))
def test_a_registered_secret_never_survives(text: str, secret: str) -> None:
    redactor = alone()
    token = redactor.register(Secret(secret))
    redacted = redactor.redact(f"{text}{secret}{text}")
    assert token in redacted
    assert secret not in redacted.replace(token, "")
    assert redactor.redact(redacted) == redacted


@pytest.mark.parametrize("secret", ["password", "secret", "secret 1", "admin"])
def test_a_password_that_is_an_everyday_word_is_masked_once(secret: str) -> None:
    redactor = Redactor()
    redactor.register(Secret(secret))
    once = redactor.redact(f"it is {secret}")
    assert once == "it is ‹secret 1 password›"
    assert redactor.redact(once) == once


def test_a_short_secret_is_masked_where_it_standsalone() -> None:
    redactor = Redactor()
    redactor.register(Secret("abc"))
    assert redactor.redact("login abc: abcdef") == "login ‹secret 1 password›: abcdef"


def test_data_is_redacted_by_key_and_by_text() -> None:
    redactor = Redactor()
    redactor.register(Secret("hunter22"))
    data = {
        "headers": {"authorization": ["Basic YWJj"], "www-authenticate": ['Basic realm="x"']},
        "password": "plain",
        "note": ["it is hunter22", 7, None, True],
        "names": ["cargo.test"],
    }
    assert redactor.redact_data(data) == {
        "headers": {"authorization": ["‹secret 2 credentials›"], "www-authenticate": ['Basic realm="x"']},
        "password": "‹secret 3 password›",
        "note": ["it is ‹secret 1 password›", 7, None, True],
        "names": ["cargo.test"],
    }


class TestSecret:
    def test_it_is_shown_by_nothing_but_reveal(self) -> None:
        secret = Secret(CANARY)
        shown = [
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret!r:>40}",
            repr([secret]),
            repr({"a": secret}),
        ]
        assert not [text for text in shown if CANARY in text]
        assert f"{secret:>30}" == "‹secret›"
        assert secret.reveal() == CANARY

    def test_it_can_not_be_pickled_or_written_as_json(self) -> None:
        with pytest.raises(TypeError, match="can't be pickled"):
            pickle.dumps(Secret(CANARY))
        with pytest.raises(TypeError):
            json.dumps({"password": Secret(CANARY)})

    def test_it_is_no_str_and_holds_no_dict(self) -> None:
        assert not isinstance(Secret(CANARY), str)
        with pytest.raises(TypeError):
            "" + Secret(CANARY)  # type: ignore[operator]
        assert not hasattr(Secret(CANARY), "__dict__")

    def test_equal_values_are_equal_secrets(self) -> None:
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"
        assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
        assert copy.deepcopy(Secret("a")) == Secret("a")
        assert not Secret("")


def test_a_text_in_which_nothing_was_found_is_looked_through_again_once_more_is_known() -> None:
    redactor = alone()
    text, other = f"it printed {CANARY}", f"and {MARKER}-2 too"
    for _ in range(2):
        assert redactor.redact(text) == text
        assert redactor.redact(other) == other
    Secret(CANARY)
    assert CANARY not in redactor.redact(text)
    assert redactor.redact(other) == other
    redactor.register(Secret(f"{MARKER}-2"))
    assert MARKER not in redactor.redact(other)
    assert CANARY not in redactor.redact(text)


def test_each_time_a_secret_is_masked_is_counted() -> None:
    redactor = alone()
    Secret(CANARY)
    for _ in range(3):
        redactor.redact(f"it printed {CANARY}")
    assert [masked.count for masked in redactor.masked] == [3]
