"""JSON is laid out as the json module lays it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.findings import Verdict
from cargo_runbook.json_layout import laid_out

DATA: list[Any] = [
    {},
    [],
    {"b": [], "a": {}, "c": [{"z": 1, "y": [1.5, True, False, None, -0.0, 1e300, float("inf")]}]},
    {"text": 'quote " backslash \\ line\nfeed \t \x00 \x1f \x7f \u2028 域名 \U0001f600', "": ["a", ("b",)]},
    {"path": Path("/tmp"), "list": [Path("x")]},
    ["one", 1, 2**70],
]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("data", DATA)
def test_a_notebook_is_laid_out_as_by_the_json_module(data: Any) -> None:
    told = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    assert laid_out(data, indent=1, sort_keys=True, default=str) == told


@given(VALUES)
def test_whatever_is_json_is_laid_out_as_by_the_json_module(data: Any) -> None:
    assert laid_out(data) == json.dumps(data, ensure_ascii=False, indent=2)


def test_keys_that_are_no_texts_and_texts_of_other_kinds_are_named_as_by_the_json_module() -> None:
    data = {7: "a", None: "b", True: [Verdict.UNKNOWN], 1.5: {"x": Verdict.UNKNOWN}}
    assert laid_out(data) == json.dumps(data, ensure_ascii=False, indent=2)


@pytest.mark.parametrize("data", [{"a": Path()}, [object()], {Path(): 1}])
def test_what_is_no_json_is_an_error(data: Any) -> None:
    with pytest.raises(TypeError):
        laid_out(data)
