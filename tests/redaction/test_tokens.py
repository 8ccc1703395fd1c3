"""Tokens that stand for secrets: equal ones for equal secrets, in all processes of a run, and a list of them."""

from __future__ import annotations

import pytest

from cargo_runbook.secret import BY_VALUE, KEY_VARIABLE, Redactor, Secret

VALUE = "c4nary-77-value"


def test_every_redactor_knows_what_any_secret_of_the_process_held() -> None:
    redactor = Redactor()
    Secret(VALUE)
    assert redactor.redact(f"it is {VALUE}") == "it is ‹secret 1 password›"
    assert Redactor().redact(VALUE) == "‹secret 1 password›"


def test_two_redactors_with_the_key_of_a_run_name_a_secret_equally(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Redactor("0123")
    monkeypatch.setenv(KEY_VARIABLE, "0123")
    kernel = Redactor()
    text = f"password: {VALUE}"
    assert runner.redact(text) == kernel.redact(text)
    assert Redactor("4567").redact(text) != kernel.redact(text)


def test_the_list_says_what_was_masked_why_and_how_often() -> None:
    redactor = Redactor()
    redactor.register(Secret(VALUE), "database password")
    redactor.redact(f"{VALUE} {VALUE}\nharbor_admin_password: other-one\n")
    redactor.redact_data({"password": "other-one"})
    listed = {masked.token: (masked.label, masked.reasons, masked.count) for masked in redactor.masked}
    assert listed == {
        "‹secret 1 database password›": ("database password", {BY_VALUE}, 2),
        "‹secret 2 password›": ("password", {"YAML line", "field password"}, 2),
    }


def test_half_of_a_character_hides_no_secret_and_costs_no_evidence() -> None:
    """As a log has it whose emoji was cut, or an answer with a broken escape."""
    redactor = Redactor()
    known = Secret(f"half \ud83d of {VALUE}")
    text = f"cut \ud83d here\npassword: {VALUE}\n{known.reveal()}\nthe end"
    assert redactor.redact(text) == "cut \ufffd here\npassword: ‹secret 2 password›\n‹secret 1 password›\nthe end"
    assert redactor.redact_data({"a \udc80": ["\ud83d"]}) == {"a \ufffd": ["\ufffd"]}


@pytest.mark.parametrize("cut", range(1, len(VALUE)))
def test_the_end_of_a_text_that_may_become_a_secret_is_held_back(cut: int) -> None:
    redactor = Redactor()
    Secret(VALUE)
    assert redactor.held_back(f"it is {VALUE[:cut]}") == cut
    assert redactor.held_back(f"it is {VALUE}") == 0


def test_colours_stay_where_they_hide_nothing() -> None:
    redactor = Redactor()
    Secret(VALUE)
    assert redactor.redact("\x1b[31mred\x1b[0m") == "\x1b[31mred\x1b[0m"
    assert redactor.redact(f"\x1b[31mred\x1b[0m {VALUE}") == "\x1b[31mred\x1b[0m ‹secret 1 password›"
    assert redactor.redact(f"\x1b[31m{VALUE[:5]}\x1b[1m{VALUE[5:]}\x1b[0m") == "‹secret 1 password›"


@pytest.mark.parametrize(
    ("data", "clean"),
    [
        ({"name": "DB_PASSWORD", "value": "x1"}, {"name": "DB_PASSWORD", "value": "‹secret 1 password›"}),
        ({"auth": "YWxpY2U6cHc="}, {"auth": "‹secret 1 credentials›"}),
        ({"auth": "token"}, {"auth": "token"}),
        ({"set-cookie": ["sid=abc; Path=/"]}, {"set-cookie": ["sid=‹secret 1 cookie›; Path=/"]}),
        (
            {"_model_name": "PasswordModel", "value": "x1"},
            {"_model_name": "PasswordModel", "value": "‹secret 1 password›"},
        ),
        ({"name": "image", "value": "tiny:1"}, {"name": "image", "value": "tiny:1"}),
    ],
)
def test_fields_that_hold_a_secret_as_a_whole_are_masked(data: object, clean: object) -> None:
    assert Redactor().redact_data(data) == clean
