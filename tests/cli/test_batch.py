"""What one sees of a batch while it goes on: a table on a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from cargo_runbook.cli import batch_progress
from cargo_runbook.cli.batch_progress import Lines, Table
from cargo_runbook.execution.batch.book import Outcome
from cargo_runbook.views.terminal import as_text
from tests.execution.batch.many import write_many


def outcome(name: str, status: str, *codes: str, reason: str = "") -> Outcome:
    return Outcome(name, "00_triage", status, root_causes=codes, reason=reason, seconds=2.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(batch_progress.time, "monotonic", lambda: now[0])
    return now


def table(total: int) -> Table:
    return Table(total, Live(console=Console(file=io.StringIO())), as_json=False)


def test_the_table_counts_what_is_done_runs_and_is_left_with_rate_and_remaining_time(clock: list[float]) -> None:
    shown = table(10)
    for name in ("a", "b", "c", "d", "e"):
        shown.began(name)
    clock[0] += 8
    shown.ended(outcome("a", "healthy"))
    shown.ended(outcome("b", "fault", "CRG201"))
    shown.ended(outcome("c", "unknown"))
    shown.ended(outcome("d", "failed", reason="the kernel died in cell 3"))
    shown.moved("e", 3, 6)
    head, counts, run = as_text(shown.table()).splitlines()
    assert head.split("   ") == ["done 4/10", "running 1", "left 6", "0.5/s", "12 s"]
    assert counts.split("   ") == ["healthy 1", "fault 1", "could not tell 1", "the run failed 1"]
    assert run.split() == ["e", "━━━━━·····", "3/6", "8", "s"]


def test_before_anything_is_done_the_remaining_time_is_not_guessed(clock: list[float]) -> None:
    shown = table(3)
    shown.began("a")
    assert as_text(shown.table()).splitlines()[0].endswith("0.0/s   …")


def test_what_hosts_wrote_cannot_draw_on_the_terminal(clock: list[float]) -> None:
    shown = table(1)
    shown.began("a\x1b[2J\nb")
    assert "\x1b[2J" not in as_text(shown.table())


def test_a_plain_line_a_run_and_with_json_its_data_alone(capsys: pytest.CaptureFixture[str]) -> None:
    plain = Lines(12, as_json=False)
    plain.ended(outcome("a", "fault", "CRG201"))
    plain.ended(outcome("b", "failed", reason="the kernel died\nin cell 3"))
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split(maxsplit=2)[1:] for line in told.err.splitlines()] == [
        ["1/12]", "a  fault  CRG201  2.0 s"],
        ["2/12]", "b  the run failed  the kernel died in cell 3  2.0 s"],
    ]
    Lines(12, as_json=True, quiet=True).ended(outcome("a", "fault", "CRG201"))
    told = capsys.readouterr()
    assert told.err == ""
    assert json.loads(told.out)["root_causes"] == ["CRG201"]


def on_a_terminal(command: list[str], **variables: str) -> tuple[int, str, str]:
    """Exit code, what a terminal on standard error showed, and what came on standard output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, stdin=theirs, text=True, env={**os.environ, **variables}
    )
    os.close(theirs)
    shown, end = b"", time.monotonic() + 90
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            shown += piece
        elif process.poll() is not None:
            break
    printed, _ = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, shown.decode(), printed


@pytest.mark.slow
def test_on_a_terminal_the_table_is_drawn_over_itself_and_the_matrix_is_what_stays(tmp_path: Path) -> None:
    notebook, inventory, _ = write_many(tmp_path, "fine-1", "fault-1", "fault-2", body="time.sleep(1.5)")
    command = [sys.executable, "-m", "cargo_runbook", "batch", str(notebook), "--env", "*", "-j", "2"]
    command += ["--inventory", str(inventory), "--reports", str(tmp_path / "reports")]
    variables: dict[str, Any] = {"TERM": "xterm-256color", "COLUMNS": "120", "CARGO_RUNBOOK_LANG": "en"}
    code, shown, printed = on_a_terminal(command, **variables)
    assert code == 1
    assert "done 0/3" in shown
    assert "running 2" in shown
    assert "left " in shown
    assert "\x1b[" in shown, "it is drawn over itself"
    assert "done" not in printed, "what stays is data"
    assert "2 environments share CRG201" in printed
