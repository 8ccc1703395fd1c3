"""How light a start is: what makes diagnoses is not loaded to print a help text."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "numpy",
    "paramiko",
    "IPython",
    "ipykernel",
    "jupyter_client",
    "nbclient",
    "papermill",
    "httpx",
    "rich",
    "pydantic",
)


def test_help_imports_neither_pandas_nor_paramiko_nor_jupyter() -> None:
    program = (
        "import json, sys\nfrom cargo_runbook.cli.main import run\nassert run(['--help']) == 0\n"
        f"print('\\n' + json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "batch" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.slow
def test_help_takes_at_most_ten_times_as_long_as_an_interpreter_that_does_nothing() -> None:
    nothing, help_text = (
        _best([sys.executable, *more]) for more in (["-c", "pass"], ["-m", "cargo_runbook", "--help"])
    )
    assert help_text <= 10 * nothing


def _best(command: list[str]) -> float:
    """Seconds of CPU at best: whatever else the machine does only adds to them."""
    took = []
    for _ in range(15):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(took)
