"""As many runs as this process may have files open for; and a kernel that none was left for is no hole in a batch."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cargo_runbook.execution.warm.open_files import allow_many, slots_that_fit
from cargo_runbook.texts import Text
from tests.execution.batch.many import write_many


def _after(limits: tuple[int, int], program: str) -> str:
    first = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, {limits})\n"
    done = subprocess.run([sys.executable, "-c", first + program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_as_many_are_allowed_as_the_system_lets() -> None:
    program = """
from cargo_runbook.execution.warm.open_files import allow_many
print(allow_many(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert _after((200, 400), program) == "400 (400, 400)"
    assert _after((300, 300), program) == "300 (300, 300)"


def test_where_no_bound_is_named_but_there_is_one_all_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert allow_many() == 256


def test_no_more_run_at_the_same_time_than_there_are_files_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Text] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    assert slots_that_fit(64, told.append) == 64
    assert told == []
    assert slots_that_fit(256, told.append) == 96
    assert [text.en for text in told] == [
        "96 runs at the same time instead of 256: no more than 1024 files can be open (ulimit -Hn)"
    ]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only")
def test_a_kernel_that_no_file_was_left_for_is_made_again() -> None:
    program = """
import os
from cargo_runbook.execution.warm import kernels
held = []
def release(seconds):
    print("no room", flush=True)
    while held:
        os.close(held.pop())
kernels.time.sleep = release
with kernels.WarmKernels(ahead=1) as warm:
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        process = warm.take()
    print(process.alive())
    process.kill()
"""
    assert _after((80, 80), program) == "no room\nTrue"


@pytest.mark.slow
def test_a_batch_that_is_too_wide_for_its_files_is_narrower_and_says_so(tmp_path: Path) -> None:
    names = [f"healthy-{number}" for number in range(8)]
    notebook, inventory, _ = write_many(tmp_path, *names)
    program = f"""
import sys
sys.argv = ["cargo-runbook", "batch", {str(notebook)!r}, "--env", "*", "--inventory", {str(inventory)!r},
            "--reports", {str(tmp_path / "reports")!r}, "--json"]
from cargo_runbook.cli.entry import main
sys.stderr = sys.stdout
main()
"""
    said = _after((100, 100), program)
    assert "3 runs at the same time instead of 16" in said
    assert json.loads(said.splitlines()[-1])["healthy"] == len(names)
