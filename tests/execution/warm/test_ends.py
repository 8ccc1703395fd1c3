"""Whatever ends a run in a forked kernel leaves a true record, and no process."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.warm.kernel import WarmKernel
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.execution.warm.process import ForkedProcess
from cargo_runbook.texts import Text
from tests.execution.notebooks import write_notebook
from tests.execution.warm.runs import alive, printed, statuses
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"),
]


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


def test_a_kernel_that_died_leaves_nothing_that_complains_later(
    kernels: WarmKernels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dies = write_notebook(tmp_path / "dies.ipynb", "import os; os._exit(1)")
    goes_on = write_notebook(tmp_path / "goes-on.ipynb", "import time; time.sleep(1.5)")
    for source in (dies, goes_on):
        run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)
    gc.collect()
    assert "never retrieved" not in caplog.text


def hung_up(wire: socket.socket) -> bool:
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("pass", "Kernel died before it was ready"),
        ("import time; time.sleep(60)", "Kernel died before it was ready"),
        ("import os; os.close(FD); import time; time.sleep(60)", "the kernel went away before it started: Broken pipe"),
    ],
)
def test_a_kernel_that_never_becomes_ready_is_an_error_and_leaves_no_process(body: str, why: str) -> None:
    ours, theirs = socket.socketpair()
    number = theirs.fileno()
    program = [sys.executable, "-c", body.replace("FD", str(number))]
    child = subprocess.Popen(program, pass_fds=[number], start_new_session=True)
    theirs.close()
    if "FD" in body:
        until(lambda: not alive(child.pid) or hung_up(ours), seconds=20)
    process = ForkedProcess(child.pid, ours, os.pidfd_open(child.pid))
    with pytest.raises(RuntimeError, match=f"^{why}"), WarmKernel(lambda: process).client({}, 0.5):
        pass
    assert process.closed
    assert child.wait(10) is not None


def test_exit_functions_run_and_nothing_that_a_notebook_started_stays(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    said, child = tmp_path / "said", tmp_path / "child"
    run(
        f"import atexit, subprocess\natexit.register(lambda: open({str(said)!r}, 'w').write('bye'))\n"
        f"open({str(child)!r}, 'w').write(str(subprocess.Popen(['sleep', '100']).pid))"
    )
    assert said.read_text() == "bye"
    assert not alive(int(child.read_text()))


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
        until(lambda: len(kernels._ready) >= 1, seconds=40)
        os.kill(first, signal.SIGKILL)
        until(lambda: kernels.forge_pid not in (0, first), seconds=40)
        go_on.touch()
        assert printed(running.result()) == "went on\n"
        assert printed(run()) == "went on\n"
    assert told == []
    assert len(list_records(tmp_path / "r").records) == 2


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
    until(lambda: list(pids.iterdir()), seconds=40)
    process.kill()
    process.wait()
    (pid,) = (int(path.name) for path in pids.iterdir())
    until(lambda: not alive(pid), seconds=40)
