"""Forked kernels against ordinary ones: the same results, and each run a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cargo_runbook.archive.record import VERDICT
from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.runbooks import code_cells, find_runbook
from cargo_runbook.execution.warm.forge import Order
from cargo_runbook.execution.warm.frames import take_frame_shortcuts
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.findings import CHECKS
from cargo_runbook.steps import SECTIONS
from cargo_runbook.texts import Text
from tests.execution.notebooks import write_notebook
from tests.execution.warm.runs import cells_of, printed, statuses

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"),
]

CELLS = (
    "import os, sys, time\nprint('out'); print('err', file=sys.stderr); os.system('echo by a program'); time.sleep(0.2)",
    "import pandas as pd\npd.DataFrame({'name': ['a', '域名', '<b>\\t&'], 'n': [1, 2.5, None], 'any': [[1], 'b  c', {}]})",
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
    "print('half \\ud83d of a character')",
    "def f(n): return 1 / n\nf(0)",
)


def test_a_warm_run_is_the_same_as_an_ordinary_one_cell_by_cell(
    run: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    # ipykernel captures less when it sees this.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    ordinary, warm = run(*CELLS, kernels=None), run(*CELLS)
    for one, other in zip(cells_of(warm), cells_of(ordinary), strict=True):
        assert one == other
    assert (warm.status, warm.reason) == (ordinary.status, ordinary.reason)
    assert "cell 23 ended with ZeroDivisionError" in warm.reason
    assert "half \ufffd of a character" in str(cells_of(warm))


@pytest.fixture(scope="module")
def rehearsed() -> Iterator[WarmKernels]:
    """Kernels of a batch of triages, forked from a process that has taken a look itself."""
    told: list[Text] = []
    order = Order(cells=code_cells(find_runbook("00_triage")))
    with WarmKernels(notice=told.append, order=order) as kernels:
        yield kernels
    assert told == []


def test_a_warm_triage_has_the_verdict_and_the_evidence_of_an_ordinary_one(
    kernels: WarmKernels, rehearsed: WarmKernels, tmp_path: Path
) -> None:
    results = [
        run_notebook("00_triage", "cargo", reports=tmp_path, replay="wrong-domain", kernels=source)
        for source in (None, kernels, rehearsed)
    ]
    first, second, third = (_judged(result.path / VERDICT) for result in results)
    assert first == second == third
    assert len(first) > 20
    assert {r.root_causes for r in results} == {("CRG201",)}
    first, second, third = (_asked(result.path / "evidence.jsonl") for result in results)
    assert first == second == third
    assert len(first) > 30
    files, *others = ({path.name for path in result.path.iterdir()} for result in results)
    assert [files, files] == others


def test_a_triage_imports_nothing_more_in_a_kernel(rehearsed: WarmKernels, tmp_path: Path) -> None:
    cells = code_cells(find_runbook("00_triage"))
    known = "import sys\nknown = set(sys.modules)"
    source = write_notebook(
        tmp_path / "00_triage.ipynb", *cells[:1], known, *cells[1:], "print(sorted(set(sys.modules) - known))"
    )
    result = run_notebook(str(source), "cargo", reports=tmp_path, replay="wrong-domain", kernels=rehearsed)
    assert printed(result) == "[]\n"


_LEFT = """\
import ipywidgets, os, tempfile, threading
from pathlib import Path
from cargo_runbook.secret import HELD, Redactor
from cargo_runbook.views.panels import SPEECH
print(sorted(n for n in globals() if not n.startswith("_")))
print(len(HELD.values), len(HELD.numbers), Redactor("").masked, SPEECH.language, len(Out))
print(len(SPEECH._trait_notifiers.get("language", {})), len(ipywidgets.widgets.widget._instances))
print(sorted(p.name for p in Path(tempfile.gettempdir()).glob("cargo-runbook-*/20260101T000000Z-*")))
print(sorted(n for n in os.environ if n.startswith("CARGO_RUNBOOK")), threading.active_count())
"""


def test_nothing_is_left_in_a_kernel_of_the_look_that_was_taken_before_the_fork(
    run: Callable[..., RunResult], rehearsed: WarmKernels
) -> None:
    there = "import sys\nprint('cargo_runbook.execution.warm.rehearsal' in sys.modules)"
    told = [printed(run(_LEFT, there, kernels=kernels)) for kernels in (rehearsed, None)]
    before, after = (text.splitlines() for text in told)
    # An ordinary kernel has more threads.
    assert [line.rpartition(" ")[0] for line in before[:-1]] == [line.rpartition(" ")[0] for line in after[:-1]]
    assert (before[-1], after[-1]) == ("True", "False")


def test_pandas_is_there_before_the_fork_only_where_a_cell_may_want_it() -> None:
    own = "from cargo_runbook import open_environment, choose_environment\nimport json\ntriage.look('dns')"
    assert not Order(cells=(own,)).frames
    wanting = (
        "import os, pandas",
        "  from pandas import DataFrame",
        "import my_tools",
        "table.frame",
        "import numpy as np",
    )
    assert all(Order(cells=(own, cell)).frames for cell in wanting)
    assert Order().frames
    assert Order(ours=False, cells=("1 + 1",)).frames


def test_each_cell_of_the_look_before_the_fork_comes_to_its_end(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    code = f"""
import json
from pathlib import Path
from cargo_runbook.execution.warm import forge, rehearsal
kinds = []
class Watching(rehearsal.Guard):
    def _pass_on(self, stream, message, *arguments, **options):
        kinds.append(message if isinstance(message, str) else message["header"]["msg_type"])
        return super()._pass_on(stream, message, *arguments, **options)
rehearsal.Guard = Watching
app = forge.build(forge.Order(cells=("open_environment(",)))
Path({str(told)!r}).write_text(json.dumps([kinds, forge.why_not(), "send" in vars(app.session)]))
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)
    kinds, why_not, guarded = json.loads(told.read_text())
    assert "error" not in kinds
    assert kinds.count("execute_result") == len(CHECKS) + len(SECTIONS["00_triage"]) + 7
    assert (why_not, guarded) == ("", False)


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


def test_kernels_are_forked_with_the_shorter_way_to_show_frames(run: Callable[..., RunResult]) -> None:
    body = "from pandas.io.formats import format, html\nprint(html.pprint_thing.__module__, format.DataFrameFormatter.format_col)"
    module, way = printed(run(body)).split(maxsplit=1)
    assert module == take_frame_shortcuts.__module__
    assert "once" in way


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
