"""Runs go side by side: what one of them reads must not touch what all share."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.errors import UsageError
from cargo_runbook.execution.runbooks import code_cells, find_runbook, read_parameters, uses_package


def test_reading_parameters_in_many_threads_leaves_standard_output_alone() -> None:
    runbook, before = find_runbook("00_triage"), sys.stdout
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read_parameters(runbook, {"environment": "cargo"}), range(80)))
    assert sys.stdout is before, "what is printed from now on would be lost"


def test_a_notebook_that_never_names_this_package_is_known_and_whatever_else_is_taken_for_one_that_does(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.ipynb").write_text('{"cells": [{"source": "import pandas"}]}')
    assert not uses_package(tmp_path / "own.ipynb")
    for other in (find_runbook("00_triage"), Path("00_triage"), tmp_path):
        assert uses_package(other)


def test_the_code_of_a_notebook_is_read_up_to_a_length_and_nothing_of_what_is_none(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
        {"cell_type": "markdown", "source": "words"},
        {"cell_type": "code", "source": "c = 3"},
    ]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert code_cells(path) == ("a = 1\nb = 2", "c = 3")
    assert code_cells(path, at_most=11) == ("a = 1\nb = 2",)
    assert len(code_cells(find_runbook("00_triage"))) > 3
    for text in ("[]", "{", '{"cells": [{}]}', '{"cells": 3}'):
        path.write_text(text)
        assert code_cells(path) == ()
        with pytest.raises(UsageError, match="is not a notebook"):
            read_parameters(path, {})
    assert code_cells(tmp_path) == ()


def test_a_runbook_that_is_not_there_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    for language, words in (("en", "There are: 00_triage"), ("zh", "可用的有：00_triage")):
        monkeypatch.setenv("CARGO_RUNBOOK_LANG", language)
        with pytest.raises(UsageError, match=words):
            find_runbook("nothing")
