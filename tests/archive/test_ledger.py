"""The ledger alone: lines that are on the disk tell what was, and nothing more."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cargo_runbook.archive.ledger import LEDGER, Ledger, LedgerError, RunState, StepStatus, read_account

STEPS = ((1, "look"), (2, "judge"), (4, "conclude"))


def begun(folder: Path) -> Ledger:
    ledger = Ledger(folder, "cargo", "00_triage", lambda text: text.replace("hunter2", "‹secret›"))
    ledger.run(STEPS)
    ledger.begin(1)
    ledger.end(1, StepStatus.OK)
    ledger.begin(2)
    return ledger


def statuses(folder: Path) -> list[str]:
    return [str(step.status) for step in read_account(folder).steps]


def test_a_run_whose_runner_lives_is_running(tmp_path: Path) -> None:
    ledger = begun(tmp_path)
    account = read_account(tmp_path)
    assert (account.state, account.environment, account.runbook) == (RunState.RUNNING, "cargo", "00_triage")
    assert account.pid == os.getpid()
    assert statuses(tmp_path) == ["ok", "running", "not_run"]
    ledger.release()


def test_a_run_without_runner_and_without_last_line_was_cut_off(tmp_path: Path) -> None:
    begun(tmp_path).release()
    account = read_account(tmp_path)
    assert account.state is RunState.INTERRUPTED
    assert "cut off" in account.reason
    assert statuses(tmp_path) == ["ok", "interrupted", "not_run"]


def test_a_run_that_came_to_its_end_says_how(tmp_path: Path) -> None:
    ledger = begun(tmp_path)
    ledger.end(2, StepStatus.FAILED, "it was hunter2")
    ledger.close("cell 3: hunter2")
    ledger.release()
    account = read_account(tmp_path)
    assert (account.state, account.reason) == (RunState.ENDED, "cell 3: ‹secret›")
    assert statuses(tmp_path) == ["ok", "failed", "not_run"]
    assert [step.reason for step in account.steps] == ["", "it was ‹secret›", ""]
    assert "hunter2" not in (tmp_path / LEDGER).read_text(encoding="utf-8")


def test_whatever_the_power_cut_left_of_the_file_never_says_more_than_what_was(tmp_path: Path) -> None:
    ledger = begun(tmp_path)
    ledger.end(2, StepStatus.OK)
    ledger.begin(4)
    ledger.end(4, StepStatus.OK)
    ledger.close()
    ledger.release()
    whole = (tmp_path / LEDGER).read_bytes()
    order = ["not_run", "interrupted", "ok"]
    before = [-1, -1, -1]
    for length in range(len(whole) + 1):
        (tmp_path / LEDGER).write_bytes(whole[:length])
        account = read_account(tmp_path)
        now = [order.index(status) for status in statuses(tmp_path)] or [-1, -1, -1]
        assert now >= before
        before = now
        assert account.state is (RunState.ENDED if length == len(whole) else RunState.INTERRUPTED)
    assert before == [2, 2, 2]


def test_a_kernel_that_outlives_its_runner_keeps_nobody_waiting(tmp_path: Path) -> None:
    body = (
        "import os, subprocess, sys, pathlib; from cargo_runbook.archive.ledger import Ledger;"
        "ledger = Ledger(pathlib.Path(sys.argv[1])); ledger.run([(1, 'look')]); ledger.begin(1);"
        "child = subprocess.Popen(['sleep', '30'], close_fds=False); print(child.pid, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    runner = subprocess.Popen([sys.executable, "-c", body, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    child = int(runner.stdout.readline())
    runner.wait(timeout=10)
    try:
        os.kill(child, 0)
        assert statuses(tmp_path) == ["interrupted"]
    finally:
        os.kill(child, 9)
        runner.stdout.close()


def test_every_line_is_on_the_disk_before_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr("cargo_runbook.archive.ledger._sync", lambda file: written.append(os.fstat(file).st_size))
    ledger = begun(tmp_path)
    size = (tmp_path / LEDGER).stat
    assert written[-1] == size().st_size
    ledger.end(2, StepStatus.OK)
    ledger.begin(3)
    assert written[-1] == size().st_size
    ledger.end(3, StepStatus.TIMED_OUT, "why")
    assert written[-1] == size().st_size
    ledger.begin(4)
    ledger.end(4, StepStatus.WARNED)
    ledger.close()
    assert written[-1] == size().st_size
    ledger.release()


def test_a_full_disk_is_a_sentence_and_nothing_runs_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = begun(tmp_path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cargo_runbook.archive.ledger._sync", full)
    ledger.end(2, StepStatus.OK)
    with pytest.raises(LedgerError, match="can't be written: No space left on device"):
        ledger.begin(3)
    ledger.release()


def test_a_folder_without_ledger_and_a_file_that_is_none_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="can't be read: No such file"):
        read_account(tmp_path)
    (tmp_path / LEDGER).write_text('{"entry": "poem"}\n', encoding="utf-8")
    with pytest.raises(LedgerError, match="says nothing a ledger says"):
        read_account(tmp_path)
    (tmp_path / LEDGER).write_text("roses\n", encoding="utf-8")
    with pytest.raises(LedgerError, match="line 1 is not JSON"):
        read_account(tmp_path)


def test_an_entry_costs_milliseconds(tmp_path: Path) -> None:
    ledger = begun(tmp_path)
    started = time.monotonic()
    for _ in range(100):
        ledger.begin(2)
    assert time.monotonic() - started < 5
    ledger.release()
