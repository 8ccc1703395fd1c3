"""`pytest --nbval-lax runbooks`, as a maintainer types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NBVAL = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", "--color=no", "runbooks")


def nbval(replay: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_RUNBOOK")}
    return subprocess.run(
        [sys.executable, *NBVAL],
        cwd=ROOT,
        env={**variables, "CARGO_RUNBOOK_REPLAY": replay},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_all_runbooks_run_on_the_recording_of_a_healthy_installation() -> None:
    done = nbval("healthy")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_a_verdict_that_is_another_fails() -> None:
    done = nbval("wrong-domain")
    assert done.returncode == 1
    assert "CRG201" in done.stdout


@pytest.mark.sandbox
@pytest.mark.slow
def test_all_runbooks_run_on_the_healthy_sandbox(sandbox: Any) -> None:
    python = f"cd {ROOT} && exec {sys.executable} {' '.join(NBVAL)}"
    done = sandbox.run("bash", "-euc", python, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
