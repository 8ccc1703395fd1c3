"""How forked kernels are started ahead and handed out, and what is done where nothing can be forked."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.execution.run import run_notebook
from cargo_runbook.execution.warm import starting
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.execution.watch import Watch
from cargo_runbook.texts import Text
from tests.beside import packages_with
from tests.execution.notebooks import write_notebook
from tests.execution.warm.runs import printed
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"),
]


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


def test_where_somebody_has_pyarrow_kernels_are_forked_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It brings an allocator that would start a thread, and pandas keeps texts in it.
    monkeypatch.setenv("PYTHONPATH", str(packages_with("pyarrow")))
    told: list[Text] = []
    source = write_notebook(tmp_path / "n.ipynb", "import pandas\nprint(pandas.Series(['text']).dtype.storage)")
    with WarmKernels(notice=told.append) as kernels:
        result = run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)
    assert printed(result) == "pyarrow\n"
    assert told == []


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
            until(lambda: len(kernels._taken) == 3 and kernels.crowded(3) is crowded, seconds=40)
        finally:
            for watch in watches:
                watch.stop(Text("enough", "够了"))
    assert [run.result().status for run in runs] == ["failed"] * 3


def test_what_notebooks_seldom_use_is_imported_when_they_do(kernels: WarmKernels, tmp_path: Path) -> None:
    source = write_notebook(
        tmp_path / "n.ipynb",
        "import io, sys, httpx, paramiko\n"
        "print([name for name in ('httpx._main', 'unittest.mock', 'debugpy') if name in sys.modules])\n"
        "config = paramiko.SSHConfig.from_file(io.StringIO('Match exec \"true\"\\n  User seen\\n'))\n"
        "print(config.lookup('host')['user'])",
    )
    result = run_notebook(str(source), "cargo", reports=tmp_path / "r", replay="healthy", kernels=kernels)
    assert printed(result) == "[]\nseen\n"


def test_when_nothing_is_left_to_begin_who_began_first_stands_back_most() -> None:
    with WarmKernels() as kernels:
        taken = [kernels.take() for _ in range(4)]
        kernels.end_together()
        taken += [kernels.take() for _ in range(2)]
        try:
            own = os.getpriority(os.PRIO_PROCESS, 0)
            assert [os.getpriority(os.PRIO_PROCESS, process.pid) - own for process in taken] == [8, 6, 4, 2, 0, 0]
        finally:
            for process in taken:
                process.close()


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
