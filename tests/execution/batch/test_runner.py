"""Batches by real kernels: nothing lost, nothing doubled, every record true, whatever is killed on the way."""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cargo_runbook.archive.ledger import read_account
from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.batch.book import Book, Outcome, read_book
from cargo_runbook.execution.batch.place import ThisMachine
from cargo_runbook.execution.batch.plan import NOT_REPEATED, BatchPlan, new_batch, resumed
from cargo_runbook.execution.batch.queue import Limits
from cargo_runbook.execution.batch.runner import Batch, Deadlines
from cargo_runbook.execution.warm.kernels import WarmKernels
from tests.execution.batch.many import begun, write_many
from tests.waiting import until

pytestmark = pytest.mark.slow

REASONS = {"raises": "cell 3 ended with ValueError: as its name says", "dies": "the kernel died in cell 3"}


class Listener:
    """Hears everything and says nothing."""

    def __init__(self, ended: Callable[[Outcome], None] = lambda outcome: None) -> None:
        self._ended = ended

    def began(self, environment: str) -> None: ...

    def moved(self, environment: str, done: int, total: int) -> None: ...

    def ended(self, outcome: Outcome) -> None:
        self._ended(outcome)

    def tick(self) -> None: ...


@contextmanager
def batch_of(plan: BatchPlan, folder: Path, at_once: int = 8, **options: Any) -> Any:
    told: list[Any] = []
    with WarmKernels(notice=told.append) as kernels:
        book = Book(folder / "reports", plan.order)
        listener = options.pop("listener", Listener())
        more = {"cell_deadline": options.pop("cell_deadline")} if "cell_deadline" in options else {}
        place = ThisMachine(plan, kernels, folder / "reports", folder / "environments", **more)
        yield Batch(plan, book, place, listener, Limits(at_once), **options)
        book.release()
    assert told == []


def expected(name: str) -> str:
    kind = name.split("-")[0]
    return {"fault": "fault", "unknown": "unknown", "raises": "failed", "dies": "failed"}.get(kind, "healthy")


def check_truth(folder: Path, outcomes: tuple[Outcome, ...], names: list[str]) -> None:
    """Outcomes, book and archive say the same, each environment once, and it is what the name of each says."""
    assert [o.environment for o in outcomes] == sorted(names)
    records = {r.header.record: r.header for r in list_records(folder / "reports").records}
    assert sorted(h.environment for h in records.values()) == sorted(names)
    for outcome in outcomes:
        header = records[outcome.record]
        assert (header.environment, header.status) == (outcome.environment, outcome.status)
        assert outcome.status == expected(outcome.environment), outcome.reason
        assert outcome.reason == REASONS.get(outcome.environment.split("-")[0], "")
        assert begun(folder / "marks", outcome.environment) == 1
    assert not list_records(folder / "reports").drafts


def test_of_sixty_runs_none_is_lost_none_doubled_and_no_status_is_false(tmp_path: Path) -> None:
    names = [f"{kind}-{n}" for n in range(10) for kind in ("fine", "fault", "unknown", "raises", "dies", "quick")]
    notebook, inventory, _ = write_many(tmp_path, *names)
    plan = new_batch(str(notebook), ["*"], inventory=inventory, incident="INC-1")
    with batch_of(plan, tmp_path, at_once=16) as batch:
        outcomes = batch.run()
    check_truth(tmp_path, outcomes, names)
    assert {r.header.incident for r in list_records(tmp_path / "reports").records} == {"INC-1"}
    account = read_book(tmp_path / "reports", plan.order.batch)
    assert account.closed
    assert tuple(account.outcomes[name] for name in sorted(names)) == outcomes


def test_the_forking_process_may_be_killed_in_the_middle(tmp_path: Path) -> None:
    names = [f"{kind}-{n}" for n in range(8) for kind in ("fine", "fault", "raises")]
    notebook, inventory, _ = write_many(tmp_path, *names, body="time.sleep(0.2)")
    plan = new_batch(str(notebook), ["*"], inventory=inventory)
    killed: list[int] = []

    def kill(_: Outcome) -> None:
        pid = batch.place.kernels.forge_pid
        if pid and len(killed) < 2 and pid not in killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    with batch_of(plan, tmp_path, at_once=4, listener=Listener(kill)) as batch:
        outcomes = batch.run()
    assert len(killed) == 2
    check_truth(tmp_path, outcomes, names)


def test_one_wrong_file_of_the_inventory_is_the_failure_of_its_own_run_alone(tmp_path: Path) -> None:
    notebook, inventory, _ = write_many(tmp_path, "fine-1", "wrong-1")
    (inventory / "wrong-1.yaml").write_text("domian: x\n", encoding="utf-8")
    with batch_of(new_batch(str(notebook), ["*"], inventory=inventory), tmp_path) as batch:
        fine, wrong = batch.run()
    assert (fine.status, wrong.status, wrong.record) == ("healthy", "failed", "")
    assert "wrong-1.yaml:1: hosts is missing" in wrong.reason
    assert set(wrong.cells.values()) == {"unknown"}


@pytest.mark.parametrize(
    ("deadlines", "reason"),
    [
        ({"deadlines": Deadlines(run=1)}, "the run did not end within 1 s"),
        ({"deadlines": Deadlines(batch=1)}, "the batch's deadline was over"),
        ({"cell_deadline": 1}, "cell 3 did not end within 1 s"),
    ],
)
def test_cells_runs_and_batches_have_deadlines(tmp_path: Path, deadlines: dict[str, Any], reason: str) -> None:
    notebook, inventory, _ = write_many(tmp_path, "waits-1")
    plan = new_batch(str(notebook), ["*"], inventory=inventory)
    with batch_of(plan, tmp_path, **deadlines) as batch:
        (waits,) = batch.run()
    assert (waits.status, waits.reason) == ("failed", reason)
    assert [r.header.reason for r in list_records(tmp_path / "reports").records] == [reason]


def test_a_batch_is_gone_on_with_and_only_what_is_missing_failed_or_old_runs_again(tmp_path: Path) -> None:
    notebook, inventory, marks = write_many(tmp_path, "fine-1", "dies-1", "fault-1", "fine-2")
    plan = new_batch(str(notebook), ["*"], inventory=inventory)
    with batch_of(plan, tmp_path) as batch:
        batch.run()
    (marks / "go-on").touch()
    reports = tmp_path / "reports"
    again = resumed(reports, plan.order.batch[:12], str(notebook), inventory=inventory)
    assert [job.environment for job in again.jobs] == ["dies-1"]
    with batch_of(again, tmp_path) as batch:
        outcomes = batch.run()
    assert [(o.environment, o.status) for o in outcomes] == [
        ("dies-1", "healthy"),
        ("fault-1", "fault"),
        ("fine-1", "healthy"),
        ("fine-2", "healthy"),
    ]
    assert [begun(marks, o.environment) for o in outcomes] == [2, 1, 1, 1]
    old = resumed(reports, plan.order.batch, str(notebook), inventory=inventory, max_age=timedelta(0))
    assert len(old.jobs) == 4
    with pytest.raises(UsageError, match="ran with other parameters"):
        resumed(reports, plan.order.batch, str(notebook), inventory=inventory, parameters={"tries": "2"})
    notebook.write_text(notebook.read_text() + "\n")
    with pytest.raises(UsageError, match="is another notebook"):
        resumed(reports, plan.order.batch, str(notebook), inventory=inventory)


def run_cli(folder: Path, notebook: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cargo_runbook", "batch", str(notebook), "--json"]
    command += ["--inventory", str(folder / "environments"), "--reports", str(folder / "reports"), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def the_book(folder: Path) -> Any:
    return read_book(folder / "reports", "2")


def test_ctrl_c_ends_what_runs_begins_nothing_more_and_leaves_what_can_be_gone_on_with(tmp_path: Path) -> None:
    names = [f"waits-{n}" for n in range(6)]
    notebook, _, marks = write_many(tmp_path, *names)
    process = run_cli(tmp_path, notebook, "--env", "*", "-j", "2")
    until(lambda: sum(begun(marks, name) for name in names) == 2)
    process.send_signal(signal.SIGINT)
    printed, complaints = process.communicate(timeout=30)
    assert process.returncode == 130, complaints
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["reason"] for line in lines[:-1]] == ["stopped by SIGINT"] * 2
    assert lines[-1]["failed"] == 2
    assert sum(begun(marks, name) for name in names) == 2
    records = list_records(tmp_path / "reports").records
    assert [r.header.reason for r in records] == ["stopped by SIGINT"] * 2
    assert [s.status for s in read_account(records[0].path).steps][:3] == ["ok", "ok", "interrupted"]
    (marks / "go-on").touch()
    again = run_cli(tmp_path, notebook, "--resume", the_book(tmp_path).order.batch)
    printed, complaints = again.communicate(timeout=60)
    assert again.returncode == 0, complaints
    last = json.loads(printed.splitlines()[-1])
    assert {key: last[key] for key in ("runs", "healthy", "failed")} == {"runs": 6, "healthy": 6, "failed": 0}


def test_after_the_batch_itself_was_killed_its_book_and_the_archive_say_what_is_left(tmp_path: Path) -> None:
    names = ["fine-1", "fine-2", "waits-1", "waits-2"]
    notebook, inventory, marks = write_many(tmp_path, *names)
    process = run_cli(tmp_path, notebook, "--env", "*", "-j", "4")
    reports = tmp_path / "reports"
    until(lambda: len(list_records(reports).records) == 2 and begun(marks, "waits-1") and begun(marks, "waits-2"))
    process.kill()
    process.communicate()
    pids = [int((marks / name).read_text()) for name in ("waits-1", "waits-2")]
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    plan = resumed(reports, the_book(tmp_path).order.batch, str(notebook), inventory=inventory)
    assert [job.environment for job in plan.jobs] == ["waits-1", "waits-2"]
    assert {o.environment: o.status for o in plan.known} == {"fine-1": "healthy", "fine-2": "healthy"}


def test_a_run_that_may_have_changed_a_host_is_never_repeated(tmp_path: Path) -> None:
    notebook, inventory, _ = write_many(tmp_path, "dies-1", "fine-1")
    body = json.loads(notebook.read_text())
    body["cells"][0]["source"] += '\napproved_plan = ""'
    notebook.write_text(json.dumps(body))
    plan = new_batch(str(notebook), ["*"], inventory=inventory, parameters={"approved_plan": "7b1e4c02aa11"})
    with batch_of(plan, tmp_path) as batch:
        outcomes = batch.run()
    assert [(o.status, o.changed) for o in outcomes] == [("failed", True), ("healthy", True)]
    again = resumed(tmp_path / "reports", plan.order.batch, str(notebook), inventory=inventory, max_age=timedelta(0))
    assert again.jobs == ()
    # Cut off before its end was written down: nobody knows how far it came.
    path = tmp_path / "reports" / "batches" / plan.order.batch / "book.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"end"' not in line or "dies-1" not in line))
    for record in list_records(tmp_path / "reports").records:
        if record.header.environment == "dies-1":
            record.path.rename(tmp_path / "gone")
    again = resumed(tmp_path / "reports", plan.order.batch, str(notebook), inventory=inventory)
    assert again.jobs == ()
    assert {o.environment: o.reason for o in again.known}["dies-1"] == NOT_REPEATED.en


def test_a_batch_that_goes_on_is_not_gone_on_with_twice(tmp_path: Path) -> None:
    notebook, inventory, _ = write_many(tmp_path, "fine-1")
    plan = new_batch(str(notebook), ["*"], inventory=inventory)
    book = Book(tmp_path / "reports", plan.order)
    with pytest.raises(UsageError, match="goes on in another process"):
        Book(tmp_path / "reports", plan.order)
    book.release()


def test_a_silent_run_does_not_hold_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cargo_runbook.execution.batch.runner.SILENT_AFTER", 0.5)
    notebook, inventory, marks = write_many(tmp_path, "aaa-1", "waits-1", "zzz-1", "zzz-2")
    ended: list[str] = []

    def note(outcome: Outcome) -> None:
        ended.append(outcome.environment)
        if len(ended) == 3:
            (marks / "go-on").touch()

    with batch_of(new_batch(str(notebook), ["*"], inventory=inventory), tmp_path, 1, listener=Listener(note)) as batch:
        worker = Thread(target=batch.run)
        worker.start()
        worker.join(60)
    assert ended == ["aaa-1", "zzz-1", "zzz-2", "waits-1"]


def swept() -> None:
    """What was kept to be looked at is let go."""
    gc.set_debug(0)
    gc.garbage.clear()
    gc.collect()


def test_runs_leave_nothing_that_only_a_search_for_garbage_would_find(tmp_path: Path) -> None:
    names = [f"{kind}-{n}" for kind in ("begins", "dies", "fine", "raises") for n in range(2)]
    widget = "\nimport ipywidgets\nbox = ipywidgets.Output()\nwith box:\n    print('inside')\nbox"
    notebook, inventory, _ = write_many(tmp_path, *names, body=widget)
    plan = new_batch(str(notebook), ["*"], inventory=inventory)
    found: list[tuple[str, set[str]]] = []

    def look(outcome: Outcome) -> None:
        gc.collect()
        found.append((outcome.environment, {type(thing).__name__ for thing in gc.garbage}))
        swept()
        gc.set_debug(gc.DEBUG_SAVEALL)

    try:
        with batch_of(plan, tmp_path, at_once=1, listener=Listener(look)) as batch:
            outcomes = batch.run()
    finally:
        swept()
    check_truth(tmp_path, outcomes, names)
    assert [name for name, _ in found] == names
    # Of the first there are imports, and what one leaves is seen when the next has ended.
    for (name, _), (_, left) in itertools.pairwise(found[1:]):
        assert not left & {"NotebookNode", "Watch", "WarmClient", "_Client", "_Running"}, name
    assert found[-3][1] == set(), "one that came to its end leaves nothing at all"
