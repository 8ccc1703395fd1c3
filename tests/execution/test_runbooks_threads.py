"""Runs go side by side: what one of them reads must not touch what all share."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from cargo_runbook.execution.runbooks import find_runbook, read_parameters


def test_reading_parameters_in_many_threads_leaves_standard_output_alone() -> None:
    runbook, before = find_runbook("00_triage"), sys.stdout
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read_parameters(runbook, {"environment": "cargo"}), range(80)))
    assert sys.stdout is before, "what is printed from now on would be lost"
