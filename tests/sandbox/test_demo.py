"""`make demo`, as a newcomer sees it: the real thing as root, recorded evidence elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cargo_sandbox.machines import processes
from cargo_sandbox.paths import state_folder

ROOT = Path(__file__).parents[2]


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cargo_runbook", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


def assert_shown(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "lookup old-cargo.caicloudprivatetest.com on 203.0.113.53:53: no such host" in done.stdout
    rows = {
        line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith(("cargo ", "devops "))
    }
    assert rows["cargo"] == ["●", "●", "✗", "201", "○", "○", "○", "○"]
    assert rows["devops"] == ["●"] * 7
    assert "cargo: CRG201 Wrong domain in the challenge" in done.stdout
    assert done.stdout.count("-00_triage-") == 2


@pytest.mark.sandbox
@pytest.mark.slow
def test_the_demo_breaks_a_real_registry_finds_why_and_leaves_no_sandbox() -> None:
    done = demo()
    assert_shown(done)
    assert "docker pull cargo.caicloudprivatetest.com/library/tiny:1" in done.stdout
    assert "replayed" not in done.stdout
    assert not processes.outer_pids(state_folder("demo"))


@pytest.mark.slow
def test_the_demo_on_recorded_evidence_shows_the_same_and_says_what_it_is() -> None:
    done = demo("--replay")
    assert_shown(done)
    assert "replayed evidence of " in done.stdout
