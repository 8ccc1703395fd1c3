"""Forked kernels that all tests here share, and runs in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.texts import Text
from tests.execution.notebooks import write_notebook


@pytest.fixture(scope="package")
def kernels() -> Iterator[WarmKernels]:
    told: list[Text] = []
    with WarmKernels(notice=told.append) as warm:
        yield warm
    assert told == []


@pytest.fixture
def run(kernels: WarmKernels, tmp_path: Path) -> Callable[..., RunResult]:
    def execute(*sources: str, **options: Any) -> RunResult:
        source = write_notebook(tmp_path / f"n{time.monotonic_ns()}.ipynb", *sources)
        reports = tmp_path / "reports"
        return run_notebook(str(source), "cargo", reports=reports, replay="healthy", **{"kernels": kernels, **options})

    return execute
