"""What hosts may say where YAML is expected."""

from __future__ import annotations

import pytest

from cargo_runbook.facts.yaml_text import read_yaml


@pytest.mark.parametrize(
    "text",
    [
        "auth: [",
        "\ttab: 1",
        "a: 2020-13-45",
        "? [a]\n: b",
        "a: !!python/object/apply:os.getpid []",
        "a: \udcff",
        "\x00",
        pytest.param("[" * 200_000, id="deep"),
        pytest.param("[" * 5_000 + "]" * 5_000, id="deep and whole"),
    ],
)
def test_what_is_no_yaml_is_nothing_and_no_error(text: str) -> None:
    assert read_yaml(text) is None


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    assert read_yaml("a: 1\nb: {c: 雪}\na: 2") == {"a": 2, "b": {"c": "雪"}}
