"""Standard output of `run --json` is JSON and nothing else, however many runs go side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_that_a_kernel_prints_past_its_cells_gets_between_the_data(tmp_path: Path) -> None:
    # A kernel takes this file up when it starts, before it has begun to catch what is printed.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif any('guarded_kernel' in word for word in sys.orig_argv):\n    os.write(1, b'noise\\n')\n"
    )
    command = [sys.executable, "-m", "cargo_runbook", "run", "00_triage", "--env", "cargo", "--env", "devops"]
    command += ["--replay", "wrong-domain", "--json", "--reports", str(tmp_path / "reports")]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(tmp_path),
            "HOME": str(tmp_path),
        },
    )
    assert "noise" in done.stderr, "the kernel did not print: this test can't fail"
    assert [entry["status"] for entry in json.loads(done.stdout)] == ["fault", "healthy"]
