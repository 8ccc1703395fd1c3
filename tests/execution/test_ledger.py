"""Every way in which a run can end, with plain papermill beside it: no cell has a false status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.archive.ledger import RunState, read_account
from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.record import NOTEBOOK
from cargo_runbook.execution.endings import SKIP_TAG
from cargo_runbook.execution.run import run_notebook
from tests.execution.notebooks import write_notebook
from tests.waiting import until

pytestmark = pytest.mark.slow

FIRST, LAST = "print('first')", "print('never')"
BEGUN = "open('{begun}', 'w').close(); "
WAIT = BEGUN + "import time; time.sleep(120)"
# What the third of four cells does, and the signal that the runner gets while it does it.
ENDINGS: Mapping[str, tuple[str, int]] = {
    "timeout": (WAIT, 0),
    "killed kernel": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 0),
    "sys.exit": ("import sys; sys.exit(0)", 0),
    "SIGTERM": (WAIT, signal.SIGTERM),
    "kill -9": (WAIT, signal.SIGKILL),
    "error": ("1 / 0", 0),
}
# What became of the four code cells: the parameters, FIRST, the one above, LAST.
TRUE: Mapping[str, list[str]] = {
    "timeout": ["ok", "ok", "timed_out", "not_run"],
    "killed kernel": ["ok", "ok", "kernel_died", "not_run"],
    "sys.exit": ["ok", "ok", "failed", "not_run"],
    "SIGTERM": ["ok", "ok", "interrupted", "not_run"],
    "kill -9": ["ok", "ok", "interrupted", "not_run"],
    "error": ["ok", "ok", "failed", "not_run"],
}
# papermill's word for each of ours; a cell that nobody runs any more is not running.
PAPERMILLS = {"ok": "completed", "not_run": "pending"}

OURS = """
import sys
from pathlib import Path
from cargo_runbook.cli.main import main
import cargo_runbook.execution.run as run
run.run_notebook.__kwdefaults__["deadline"] = 3
sys.argv = ["cargo-runbook", "run", sys.argv[1], "--env", "cargo", "--replay", "healthy", "--reports", sys.argv[2]]
main()
"""
THEIRS = """
import sys
import papermill
papermill.execute_notebook(
    sys.argv[1], sys.argv[2], execution_timeout=3, progress_bar=False, kernel_name="python3", language="python"
)
"""


def _ended(program: str, folder: Path, ending: str, target: Path) -> int:
    """Runs the notebook with that ending by a program in a process of its own, sends the signal; its exit code."""
    body, number = ENDINGS[ending]
    folder.mkdir(parents=True)
    begun = folder / "begun"
    source = write_notebook(folder / "notebook.ipynb", FIRST, body.format(begun=begun), LAST)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(source), str(target)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if number:
        until(begun.exists)
        process.send_signal(number)
    return process.wait(timeout=90)


def _cells(notebook: Path) -> list[dict[str, dict[str, str]]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    added = ("injected-parameters", "papermill-error-cell-tag")
    return [cell["metadata"] for cell in cells if not set(cell["metadata"]["tags"]) & set(added)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every ending, by our runner and by papermill, two at a time."""
    folder = tmp_path_factory.mktemp("endings")

    def one(job: tuple[str, str]) -> None:
        ending, who = job
        place = folder / who / ending
        target = place / ("out" if who == "ours" else NOTEBOOK)
        code = _ended(OURS if who == "ours" else THEIRS, place / "in", ending, target)
        (place / "code").write_text(str(code), encoding="utf-8")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, [(ending, who) for ending in ENDINGS for who in ("ours", "theirs")]))
    return folder


def _code(folder: Path, who: str, ending: str) -> int:
    return int((folder / who / ending / "code").read_text(encoding="utf-8"))


def _kept(folder: Path, ending: str) -> Path:
    """The record of our run with that ending; the draft, where nobody was left to make a record."""
    listing = list_records(folder / "ours" / ending / "out")
    (path,) = (*(record.path for record in listing.records), *listing.drafts)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_ledger_says_of_every_step_what_became_of_it(folder: Path, ending: str) -> None:
    account = read_account(_kept(folder, ending))
    by_hand = [step for step in account.steps if step.id != "injected"]
    # The injected parameters are a step too, but papermill gives their cell no stable id.
    statuses = [str(step.status) for step in by_hand]
    assert [statuses[0], *statuses[-3:]] == TRUE[ending]
    assert account.state is (RunState.INTERRUPTED if ending == "kill -9" else RunState.ENDED)
    assert account.reason


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_notebook_that_is_left_says_the_same(folder: Path, ending: str) -> None:
    cells = _cells(_kept(folder, ending) / NOTEBOOK)
    assert [cell["cargo_runbook"]["status"] for cell in cells] == TRUE[ending]


def test_a_run_that_was_cut_off_is_no_record_and_is_shown_as_what_it_is(folder: Path) -> None:
    reports = folder / "ours" / "kill -9" / "out"
    listing = list_records(reports)
    assert not listing.records
    (draft,) = listing.drafts
    name = draft.name
    command = [sys.executable, "-m", "cargo_runbook", "records", "show", name, "--reports", str(reports)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "interrupted: the runner was cut off" in shown
    body = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert body["status"] == "interrupted"
    assert [step["status"] for step in body["steps"]][-3:] == ["ok", "interrupted", "not_run"]
    listed = subprocess.run(
        [*command[:4], "list", "--reports", str(reports)], capture_output=True, text=True, check=True
    )
    assert f"{name}: interrupted: the runner was cut off (3 of 5 steps done)" in listed.stderr


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_such_end_is_a_success(folder: Path, ending: str) -> None:
    # A record of its own, a signal handled, a signal that nobody can handle.
    codes = {"SIGTERM": 128 + signal.SIGTERM, "kill -9": -signal.SIGKILL}
    assert _code(folder, "ours", ending) == codes.get(ending, 3)


def test_papermill_alone_gets_one_of_these_right(folder: Path) -> None:
    right = []
    for ending in ENDINGS:
        statuses = [cell["papermill"]["status"] for cell in _cells(folder / "theirs" / ending / NOTEBOOK)]
        wanted = [PAPERMILLS.get(status, "failed") for status in TRUE[ending]]
        if statuses == wanted and _code(folder, "theirs", ending) != 0:
            right.append(ending)
    assert right == ["error"]


def test_a_step_that_complained_and_one_that_was_left_out_are_called_so(tmp_path: Path) -> None:
    complains = "import sys; print('careful', file=sys.stderr)"
    source = write_notebook(tmp_path / "notebook.ipynb", FIRST, complains, "   ", "print('left out')", LAST)
    notebook = json.loads(source.read_text(encoding="utf-8"))
    notebook["cells"][4]["metadata"]["tags"] = [SKIP_TAG]
    source.write_text(json.dumps(notebook), encoding="utf-8")
    done = run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy")
    statuses = [str(step.status) for step in read_account(done.path).steps if step.id != "injected"]
    assert statuses[-5:] == ["ok", "warned", "skipped", "skipped", "ok"]
    kept = [cell.get("cargo_runbook", {}).get("status") for cell in _cells(done.path / NOTEBOOK)]
    assert kept[-5:] == ["ok", "warned", "skipped", "skipped", "ok"]
