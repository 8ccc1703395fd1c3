"""Runs by real papermill and real kernels, on replayed evidence: what is kept is what was."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.archive.files import sha256_of
from cargo_runbook.archive.ledger import LEDGER
from cargo_runbook.archive.reading.records import list_records, read_record
from cargo_runbook.archive.record import NOTEBOOK, VERDICT
from cargo_runbook.errors import UnknownEnvironment, UsageError
from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.watch import Watch
from cargo_runbook.texts import Text
from tests.execution.notebooks import write_notebook
from tests.waiting import until

CHINESE = re.compile(r"[\u3400-\u9fff]")
FIRST = "print('first')"
LAST = "print('never')"
ENDINGS: Mapping[str, tuple[str, str]] = {
    "error": ("1 / 0", "cell 3 ended with ZeroDivisionError: division by zero"),
    "exit": ("import sys; sys.exit(0)", "cell 3 ended with SystemExit: 0"),
    "timeout": ("import time; time.sleep(60)", "cell 3 did not end within 2 s"),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel died in cell 3"),
}


def statuses(result: RunResult) -> list[str]:
    """Statuses of the code cells, but for the ones that papermill adds for parameters."""
    notebook = json.loads((result.path / NOTEBOOK).read_text(encoding="utf-8"))
    assert "papermill" in notebook["metadata"]
    added = ("parameters", "injected-parameters", "papermill-error-cell-tag")
    cells = [c for c in notebook["cells"] if not set(c["metadata"]["tags"]) & set(added)]
    return [c["metadata"]["papermill"]["status"] for c in cells]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, RunResult]:
    """One run for each way to break, all at the same time."""
    folder = tmp_path_factory.mktemp("broken")

    def run(name: str) -> RunResult:
        source = write_notebook(folder / f"{name}.ipynb", ENDINGS[name][0], LAST)
        return run_notebook(str(source), "cargo", reports=folder / "reports", replay="healthy", deadline=2)

    with ThreadPoolExecutor() as pool:
        return dict(zip(ENDINGS, pool.map(run, ENDINGS), strict=True))


@pytest.mark.slow
def test_the_digest_is_that_of_the_notebook_before_the_run(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "own.ipynb", f"open({str(tmp_path / 'own.ipynb')!r}, 'a').write(' ')")
    before = sha256_of(source)
    result = run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy")
    assert sha256_of(source) != before, "it was edited while it ran"
    assert read_record(result.path).header.runbook_sha256 == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_cell_that_never_ran_is_never_called_completed(broken: Mapping[str, RunResult], ending: str) -> None:
    assert statuses(broken[ending]) == ["failed", "pending"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_that_breaks_leaves_a_record_that_says_why(broken: Mapping[str, RunResult], ending: str) -> None:
    result = broken[ending]
    assert (result.status, result.exit_code, result.root_causes) == ("failed", 3, ())
    assert result.reason == ENDINGS[ending][1]
    verdict = json.loads((result.path / VERDICT).read_text(encoding="utf-8"))
    assert (verdict["status"], verdict["reason"]) == ("failed", result.reason)
    assert read_record(result.path).header.reason == result.reason


def test_runs_at_the_same_time_never_share_a_record(broken: Mapping[str, RunResult]) -> None:
    reports = broken["error"].path.parents[3]
    listing = list_records(reports)
    assert {r.header.record for r in listing.records} == {r.record for r in broken.values()}
    assert len(listing.records) == len(ENDINGS)
    assert not listing.drafts


def test_the_triage_runbook_names_the_root_cause_and_keeps_its_evidence(tmp_path: Path) -> None:
    moves: list[tuple[int, int]] = []
    result = run_notebook(
        "00_triage",
        "cargo",
        reports=tmp_path,
        replay="wrong-domain",
        progress=lambda done, total: moves.append((done, total)),
    )
    assert (result.status, result.root_causes, result.exit_code) == ("fault", ("CRG201",), 1)
    assert {path.name for path in result.path.iterdir()} == {
        "evidence.jsonl",
        "ledger.jsonl",
        "masked.json",
        "look.json",
        "manifest.json",
        "notebook.ipynb",
        "record.json",
        "verdict.json",
    }
    assert set(statuses(result)) == {"completed"}
    assert moves[0][0] == 0
    assert moves[-1][0] == moves[-1][1] > 7
    page = (result.path / NOTEBOOK).read_text(encoding="utf-8")
    outputs = [cell["outputs"] for cell in json.loads(page)["cells"] if "triage." in "".join(cell["source"])]
    assert [[output["output_type"] for output in shown] for shown in outputs if shown] == [["execute_result"]] * 14
    assert "Wrong domain in the challenge" in page
    assert result.replayed in page
    assert str(tmp_path) not in json.dumps(json.loads(page)["metadata"])
    assert "widgets" not in json.loads(page)["metadata"], "states of widgets that nobody can see"


@pytest.mark.slow
def test_an_error_in_a_cell_is_shown_in_the_readers_language_and_kept_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    opens = (
        'from cargo_runbook import open_environment\nopen_environment(environment, runbook="none", replay="healthy")'
    )
    source = write_notebook(tmp_path / "wrong.ipynb", opens, more='replay = ""')
    result = run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy")
    assert "there is no runbook 'none' with steps" in result.reason
    assert not CHINESE.search((result.path / LEDGER).read_text("utf-8"))
    cells = json.loads((result.path / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    shown = next(out["traceback"] for cell in cells for out in cell.get("outputs", ()) if out["output_type"] == "error")
    assert shown[0] == "没有带步骤的 Runbook 'none'"


def test_a_runbook_without_a_verdict_is_no_healthy_one(tmp_path: Path) -> None:
    source = write_notebook(tmp_path / "silent.ipynb", FIRST)
    result = run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy")
    assert (result.status, result.reason) == ("failed", "the notebook came to its end without a verdict")
    assert statuses(result) == ["completed"]


def test_the_kernel_is_the_interpreter_that_runs_us(tmp_path: Path) -> None:
    told = tmp_path / "told"
    source = write_notebook(tmp_path / "who.ipynb", f"import sys; open({str(told)!r}, 'w').write(sys.executable)")
    run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy")
    assert told.read_text(encoding="utf-8") == sys.executable


def test_a_run_can_be_stopped_from_another_thread(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    source = write_notebook(
        tmp_path / "long.ipynb", f"open({str(begun)!r}, 'w').close(); import time; time.sleep(60)", LAST
    )
    watch = Watch()

    def stop() -> None:
        while not begun.exists():
            time.sleep(0.02)
        watch.stop(Text("stopped by the test", "测试中断"))

    stopper = threading.Thread(target=stop)
    stopper.start()
    result = run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy", watch=watch)
    stopper.join()
    assert (result.status, result.reason) == ("failed", "stopped by the test")
    assert statuses(result) == ["failed", "pending"]


def test_sigterm_leaves_a_true_record_and_no_kernel(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    body = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    source = write_notebook(tmp_path / "long.ipynb", body, LAST)
    command = [sys.executable, "-c", "from cargo_runbook.cli.main import main; main()", "run", str(source)]
    options = ["--env", "cargo", "--replay", "healthy", "--reports", str(tmp_path / "reports")]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: pid_file.exists() and pid_file.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGTERM)
    printed, complaints = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM, complaints
    assert "stopped by SIGTERM" in printed
    (record,) = list_records(tmp_path / "reports").records
    assert (record.header.status, record.header.reason) == ("failed", "stopped by SIGTERM")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text(encoding="utf-8")), 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"imag": "x"}, "has no parameter 'imag'\n  Did you mean \"image\"?"),
        ({"tries": "many"}, "the parameter tries takes int values, not 'many'"),
    ],
)
def test_a_wrong_parameter_is_an_error_before_anything_runs(
    tmp_path: Path, given: dict[str, str], sentence: str
) -> None:
    source = write_notebook(tmp_path / "n.ipynb", FIRST)
    with pytest.raises(UsageError) as caught:
        run_notebook(str(source), "cargo", reports=tmp_path / "reports", replay="healthy", parameters=given)
    assert sentence in str(caught.value)
    assert not (tmp_path / "reports").exists()


def test_an_unknown_environment_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UnknownEnvironment):
        run_notebook("00_triage", "nowhere", reports=tmp_path / "reports", replay="healthy")
    assert not (tmp_path / "reports").exists()


def test_an_unknown_runbook_is_told_with_those_that_are_near() -> None:
    with pytest.raises(UsageError) as caught:
        run_notebook("01_triage", "cargo", reports=Path("reports"), replay="healthy")
    assert "there is no runbook named '01_triage'\n  Did you mean 00_triage" in str(caught.value)
