"""The text of a notebook file is what nbformat would write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.execution.layout import laid_out

DATA: list[Any] = [
    {},
    [],
    {"b": [], "a": {}, "c": [{"z": 1, "y": [1.5, True, False, None, -0.0, 1e300, float("inf")]}]},
    {"text": 'quote " backslash \\ line\nfeed \t \x00 \x1f \x7f \u2028 域名 \U0001f600', "": ["a", ("b",)]},
    {"path": Path("/tmp"), "list": [Path("x")]},
    ["one", 1, 2**70],
]


@pytest.mark.parametrize("data", DATA)
def test_a_notebook_is_laid_out_as_by_the_json_module_with_an_indent_of_one(data: Any) -> None:
    assert laid_out(data) == json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str)
