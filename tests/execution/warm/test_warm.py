"""Forked kernels against ordinary ones: the same results, each run a process of its own, and true records of every end."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.record import NOTEBOOK, VERDICT
from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.warm import starting
from cargo_runbook.execution.warm.forge import Order
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.execution.watch import Watch
from cargo_runbook.texts import Text
from tests.execution.notebooks import write_notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"),
]

CELLS = (
    "import os, sys, time\nprint('out'); print('err', file=sys.stderr); os.system('echo by a program'); time.sleep(0.2)",
    "import pandas as pd\npd.DataFrame({'name': ['a', '域名'], 'n': [1, 2.5]})",
    "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
    "from IPython.display import display, clear_output\nh = display('first', display_id='x'); h.update('second')",
    "print('gone'); clear_output(); print('stays')",
    "import ipywidgets\nbox = ipywidgets.Output()\nwith box:\n    print('inside')\nbox",
    "import subprocess\n!echo by the shell\nsubprocess.run(['sh', '-c', 'echo error >&2']); time.sleep(0.2)",
    "import os\n(os.environ['CARGO_RUNBOOK_REPLAY'], sys.path[0], __name__, get_ipython().execution_count)",
    "display({'text/plain': 'bundle', 'application/json': {'a': [1]}}, raw=True)",
    "%%time\nx = _ ; x",
    "try:\n    input()\nexcept Exception as error:\n    print(type(error).__name__)",
    "import contextvars\nvar = contextvars.ContextVar('v'); token = var.set(1)",
    "var.get(), _oh and len(In)",
    # The same text twice, and what it is turned into is another thing the second time.
    "turn = lambda lines: [line.replace('2', '3') for line in lines]\n1 + 2",
    "get_ipython().input_transformers_post.append(turn)",
    "1 + 2",
    "get_ipython().input_transformers_post.remove(turn)",
    "1 + 2;",
    "1 + 2 # ;",
    "def f(n): return 1 / n\nf(0)",
)


@pytest.fixture(scope="module")
def kernels() -> Iterator[WarmKernels]:
    told: list[Text] = []
    with WarmKernels(notice=told.append) as warm:
        yield warm
    assert told == []


@pytest.fixture
def run(kernels: WarmKernels, tmp_path: Path) -> Callable[..., RunResult]:
    def execute(*sources: str, **options: Any) -> RunResult:
        source = write_notebook(tmp_path / f"n{time.monotonic_ns()}.ipynb", *sources)
        reports = tmp_path / "reports"
        return run_notebook(str(source), "cargo", reports=reports, replay="healthy", **{"kernels": kernels, **options})

    return execute


def cells_of(result: RunResult) -> list[dict[str, Any]]:
    """The cells of a record, without what can't be twice the same: times, ids, and the colours of a traceback."""
    notebook = json.loads((result.path / NOTEBOOK).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for key in ("start_time", "end_time", "duration"):
            cell["metadata"].get("papermill", {}).pop(key, None)
        # papermill gives the cells that it adds a new id each time.
        cell.pop("id")
    text = json.dumps(notebook["cells"])
    text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
    text = re.sub(r"ipykernel_\d+/\d+", "FILE", text)
    text = re.sub(r"n\d{8,}\.ipynb", "NOTEBOOK", text)
    text = re.sub(r"(CPU times|Wall time)[^\"]*", "TIME", text)
    cells: list[dict[str, Any]] = json.loads(text)
    return cells


def statuses(result: RunResult) -> list[str]:
    added = {"parameters", "injected-parameters", "papermill-error-cell-tag"}
    cells = [c for c in cells_of(result) if not set(c["metadata"].get("tags", ())) & added]
    return [c["metadata"]["papermill"]["status"] for c in cells]


def printed(result: RunResult) -> str:
    return "".join("".join(o.get("text", "")) for c in cells_of(result) for o in c.get("outputs", ()))


def test_a_warm_run_is_the_same_as_an_ordinary_one_cell_by_cell(
    run: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    # ipykernel captures less when it sees this.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    ordinary, warm = run(*CELLS, kernels=None), run(*CELLS)
    for one, other in zip(cells_of(warm), cells_of(ordinary), strict=True):
        assert one == other
    assert (warm.status, warm.reason) == (ordinary.status, ordinary.reason)
    assert "cell 22 ended with ZeroDivisionError" in warm.reason


def test_a_warm_triage_has_the_verdict_and_the_evidence_of_an_ordinary_one(
    kernels: WarmKernels, tmp_path: Path
) -> None:
    results = [
        run_notebook("00_triage", "cargo", reports=tmp_path, replay="wrong-domain", kernels=source)
        for source in (None, kernels)
    ]
    first, second = (_judged(result.path / VERDICT) for result in results)
    assert first == second
    assert len(first) > 20
    assert {r.root_causes for r in results} == {("CRG201",)}
    first, second = (_asked(result.path / "evidence.jsonl") for result in results)
    assert first == second
    assert len(first) > 30
    assert {path.name for path in results[0].path.iterdir()} == {path.name for path in results[1].path.iterdir()}


def test_a_notebook_that_uses_nothing_of_this_package_gets_a_kernel_without_it(tmp_path: Path) -> None:
    source = write_notebook(
        tmp_path / "n.ipynb",
        "import sys\nprint(*(name in sys.modules for name in ('cargo_runbook.remedies', 'pandas')))",
    )
    told: list[Text] = []
    for ours, here in ((False, "False True"), (True, "True True")):
        with WarmKernels(notice=told.append, order=Order(ours=ours)) as kernels:
            result = run_notebook(str(source), "cargo", reports=tmp_path, replay="healthy", kernels=kernels)
        assert printed(result).strip() == here
    assert told == []


def test_runs_share_nothing(run: Callable[..., RunResult]) -> None:
    body = "import math, os, numpy; print(hasattr(math, 'mark'), os.getpid(), numpy.random.random()); math.mark = 1"
    told = [printed(run(body)).split() for _ in range(3)]
    assert [mark for mark, _, _ in told] == ["False"] * 3
    assert len({pid for _, pid, _ in told}) == 3
    assert len({number for _, _, number in told}) == 3


def test_a_warm_kernel_listens_nowhere(run: Callable[..., RunResult]) -> None:
    body = (
        "import os\nfrom pathlib import Path\nfrom jupyter_core.paths import jupyter_runtime_dir\n"
        "own = {os.readlink(f)[8:-1] for f in Path('/proc/self/fd').iterdir() if os.path.islink(f)}\n"
        "tables = [Path('/proc/self/net', t).read_text() for t in ('tcp', 'tcp6')]\n"
        "ports = [line for t in tables for line in t.splitlines()[1:] if line.split()[9] in own]\n"
        "files = list(Path(jupyter_runtime_dir()).glob(f'*{os.getpid()}*'))\nprint(ports, files)"
    )
    assert printed(run(body)) == "[] []\n"


def test_what_is_printed_while_a_cell_runs_is_all_there_and_in_order(run: Callable[..., RunResult]) -> None:
    body = (
        "import os, sys, threading, time\n"
        "def more():\n    for n in range(300): sys.stdout.write(f'thread {n}\\n')\n"
        "t = threading.Thread(target=more); t.start()\n"
        "for n in range(300):\n    sys.stdout.write(f'cell {n}\\n')\n    if n % 100 == 0: time.sleep(0.25)\n"
        "t.join(); os.write(1, b'x' * 200_000); None"
    )
    text = printed(run(body))
    lines = [line for line in text.split("\n") if not line.startswith("x")]
    for who in ("thread", "cell"):
        assert [line for line in lines if line.startswith(who)] == [f"{who} {n}" for n in range(300)]
    assert text.count("x") == 200_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel died in cell 3"),
        ("import os; os._exit(0)", "the kernel died in cell 3"),
        # A child has the socket still.
        ("import os, time; time.sleep(20) if os.fork() == 0 else os._exit(0)", "the kernel died in cell 3"),
        ("import time; time.sleep(60)", "cell 3 did not end within 2 s"),
        ("import sys; sys.exit(0)", "cell 3 ended with SystemExit: 0"),
    ],
)
def test_a_warm_run_that_breaks_leaves_a_true_record(run: Callable[..., RunResult], body: str, reason: str) -> None:
    result = run(body, "print('never')", deadline=2)
    assert (result.status, result.reason) == ("failed", reason)
    assert statuses(result) == ["failed", "pending"]


@pytest.mark.parametrize("warm", [True, False])
def test_a_cell_that_takes_long_is_seen_in_the_file_before_it_ends(
    kernels: WarmKernels, tmp_path: Path, warm: bool
) -> None:
    body = (
        "import os, time\nfrom pathlib import Path\nprint('on the ' 'way')\n"
        "file = Path(os.environ['CARGO_RUNBOOK_RECORD'], 'notebook.ipynb')\n"
        "while not (file.exists() and 'on the ' 'way' in file.read_text()): time.sleep(0.02)"
    )
    source = write_notebook(tmp_path / "n.ipynb", body)
    options = {"kernels": kernels} if warm else {}
    result = run_notebook(
        str(source), "cargo", reports=tmp_path / "r", replay="healthy", save_every=0.3, deadline=20, **options
    )
    assert printed(result) == "on the way\n"
    assert statuses(result) == ["completed"]


def test_a_kernel_that_died_leaves_nothing_that_complains_later(
    kernels: WarmKernels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dies = write_notebook(tmp_path / "dies.ipynb", "import os; os._exit(1)")
    goes_on = write_notebook(tmp_path / "goes-on.ipynb", "import time; time.sleep(1.5)")
    for source in (dies, goes_on):
        run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_exit_functions_run_and_nothing_that_a_notebook_started_stays(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    said, child = tmp_path / "said", tmp_path / "child"
    run(
        f"import atexit, subprocess\natexit.register(lambda: open({str(said)!r}, 'w').write('bye'))\n"
        f"open({str(child)!r}, 'w').write(str(subprocess.Popen(['sleep', '100']).pid))"
    )
    assert said.read_text() == "bye"
    assert not _runs(int(child.read_text()))


def test_the_death_of_the_forge_takes_no_run_with_it(tmp_path: Path) -> None:
    told: list[Text] = []
    go_on = tmp_path / "go-on"
    body = f"import os, time\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.02)\nprint('went on')"
    source = write_notebook(tmp_path / "n.ipynb", body)
    with WarmKernels(notice=told.append) as kernels, ThreadPoolExecutor(1) as pool:
        kernels.kernel()
        first = kernels.forge_pid

        def run() -> RunResult:
            return run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)

        running = pool.submit(run)
        _until(lambda: len(kernels._ready) >= 1)
        os.kill(first, signal.SIGKILL)
        _until(lambda: kernels.forge_pid not in (0, first))
        go_on.touch()
        assert printed(running.result()) == "went on\n"
        assert printed(run()) == "went on\n"
    assert told == []
    assert len(list_records(tmp_path / "r").records) == 2


def test_where_nothing_can_be_forked_ordinary_kernels_serve_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A library that starts a thread when it is imported: a fork would lose it.
    (tmp_path / "sitecustomize.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told: list[Text] = []
    source = write_notebook(tmp_path / "n.ipynb", "print('served')")
    with WarmKernels(notice=told.append) as kernels:
        result = run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)
    assert printed(result) == "served\n"
    assert [text.en for text in told] == [
        "kernels are started one by one, which takes longer: "
        "1 threads were started by what is imported, and a fork would lose them"
    ]


def test_kernels_end_with_the_process_that_runs_them(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    body = f"import os, time; open({str(pids)!r} + f'/{{os.getpid()}}', 'w').close(); time.sleep(60)"
    source = write_notebook(tmp_path / "n.ipynb", body)
    program = (
        "from pathlib import Path\nfrom cargo_runbook.execution.run import run_notebook\n"
        "from cargo_runbook.execution.warm.kernels import WarmKernels\n"
        f"with WarmKernels() as k:\n    run_notebook({str(source)!r}, 'cargo', "
        f"reports=Path({str(tmp_path / 'r')!r}), replay='healthy', kernels=k)"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    _until(lambda: list(pids.iterdir()))
    process.kill()
    process.wait()
    (pid,) = (int(path.name) for path in pids.iterdir())
    _until(lambda: not _runs(pid))


def _judged(path: Path) -> list[tuple[str, ...]]:
    findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
    return sorted((f["code"] or "", f["status"], str(f["vantage"]), str(f["summary"])) for f in findings)


def _asked(path: Path) -> list[str]:
    """What was asked and answered; the ids are given in the order in which answers come, and of two that ask the same
    with deadlines of their own the first is the one that asks."""
    lines = list(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
    for line in lines:
        line["question"].pop("deadline", None)
    return sorted(json.dumps([line["question"], line["output"]], sort_keys=True) for line in lines)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _until(true: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited for too long"
        time.sleep(0.02)


@pytest.mark.parametrize(("body", "crowded"), [("while True: pass", True), ("__import__('time').sleep(60)", False)])
def test_kernels_that_compute_leave_no_room_for_another_and_those_that_wait_do(
    kernels: WarmKernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, crowded: bool
) -> None:
    monkeypatch.setattr("cargo_runbook.execution.warm.kernels._CORES", 1)
    source = write_notebook(tmp_path / "n.ipynb", f"print('x')\n{body}")
    watches = [Watch() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(
                run_notebook,
                str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels, watch=watch,
            )
            for watch in watches
        ]  # fmt: skip
        try:
            # Until there is a kernel, a run computes here.
            assert kernels.crowded(3)
            _until(lambda: len(kernels._taken) == 3 and kernels.crowded(3) is crowded)
        finally:
            for watch in watches:
                watch.stop(Text("enough", "够了"))
    assert [run.result().status for run in runs] == ["failed"] * 3


def test_every_second_kernel_stands_back_so_that_runs_do_not_end_all_at_once(kernels: WarmKernels) -> None:
    taken = [kernels.take() for _ in range(4)]
    try:
        first, *others = [os.getpriority(os.PRIO_PROCESS, process.pid) for process in taken]
        assert [abs(each - first) for each in others] == [5, 0, 5]
    finally:
        for process in taken:
            process.close()


def test_a_folder_of_this_name_where_somebody_stands_is_not_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cargo_runbook").mkdir()
    (tmp_path / "cargo_runbook" / "__init__.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    begun = starting.start()
    begun.control.close()
    assert begun.process.wait(30) == 0


def test_what_was_started_ahead_is_given_out_once_and_ends_with_its_socket() -> None:
    starting.begin()
    begun, other = starting.start(), starting.start()
    assert begun.process.pid < other.process.pid
    for each in (begun, other):
        each.control.close()
        assert each.process.wait(30) == 0
