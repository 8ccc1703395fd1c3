"""Runs go side by side: what one of them reads must not touch what all share."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cargo_runbook.execution.runbooks import find_runbook, read_parameters, uses_package


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
