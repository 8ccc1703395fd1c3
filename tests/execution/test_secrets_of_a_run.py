"""A secret that a notebook handles stands in nothing that is written, however it is shown; a marker beside it does."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from cargo_runbook.archive.record import NOTEBOOK
from cargo_runbook.archive.sealing.clean import MASKED
from cargo_runbook.execution.run import RunResult, run_notebook
from cargo_runbook.execution.warm.kernels import WarmKernels
from cargo_runbook.secret import Secret
from tests.execution.notebooks import write_notebook

pytestmark = pytest.mark.slow

VALUE = 'c4n"ary-77 <&välue>'
MARKER = "harmless-marker-4711"
CELLS = {
    "print": f"print('{MARKER}', password)",
    "pieces": "import sys, time\nfor letter in password:\n    print(letter, end='', flush=True)\nprint()",
    "pieces of base64": "import base64\nfor c in base64.b64encode(f'admin:{password}'.encode()).decode():\n"
    "    sys.stdout.write(c); sys.stdout.flush()",
    "stderr": "print(password, file=sys.stderr)",
    "log": "import logging; logging.warning('it is %s', password)",
    "result": "{'note': password}",
    "html": "from html import escape\nfrom IPython.display import HTML, JSON, display\n"
    f"display(HTML(f'<b>{{escape(password)}} {MARKER}</b>'))",
    "json": "display(JSON({'deep': [password]}))",
    "updated": "shown = display('nothing yet', display_id='later')",
    "update": "shown.update(password)",
    "widget": "import ipywidgets\nipywidgets.VBox([ipywidgets.Password(value='other-' 'c4' + 'nary'), "
    "ipywidgets.Text(value=password)])",
    "program": "!echo $HARBOR_ADMIN_PASSWORD; echo \"password: other-c4nary\"",
    "held": "from cargo_runbook.secret import Secret\nother = Secret(''.join(['c4nary-of-', 'a-kernel'])); print(other.reveal())",
    "metadata": "display({'text/plain': 'x'}, metadata={'note': password}, raw=True)",
    "error": "def inner(value):\n    raise ValueError(f'cannot use {value}')\ninner(password)",
}  # fmt: skip


def _forms() -> dict[str, str]:
    return {
        "plain": VALUE,
        "base64": base64.b64encode(VALUE.encode()).decode(),
        "base64 of a login": base64.b64encode(f"admin:{VALUE}".encode()).decode().rstrip("="),
        "URL": quote(VALUE, safe=""),
        "JSON": json.dumps(VALUE)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(VALUE))[3:-3],
        "HTML": html.escape(VALUE),
        "typed into a widget": "other-c4nary",
        "held in the kernel": "c4nary-of-a-kernel",
        "the telling part": "ary-77",
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", params=["new interpreter", "forked"])
def result(home: Path, request: pytest.FixtureRequest) -> Iterator[RunResult]:
    """A run that shows the password in every way, in a home folder of its own."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as ends:
        for name in ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(home / name.lower()) if name != "HOME" else str(home))
        patch.setenv("HARBOR_ADMIN_PASSWORD", VALUE)
        source = write_notebook(home / "shows.ipynb", *CELLS.values(), more='password = ""')
        kernels = ends.enter_context(WarmKernels()) if request.param == "forked" else None
        yield run_notebook(
            str(source),
            "cargo",
            reports=home / "reports",
            replay="healthy",
            parameters={"password": Secret(VALUE)},
            kernels=kernels,
        )


@pytest.mark.parametrize("form", _forms())
def test_nothing_that_is_written_holds_the_secret(result: RunResult, home: Path, form: str) -> None:
    wanted = _forms()[form].encode()
    sources = [home / "shows.ipynb"]
    found = [p for p in home.rglob("*") if p.is_file() and p not in sources and wanted in p.read_bytes()]
    assert not found


def test_the_marker_and_the_shape_of_what_was_shown_survive(result: RunResult) -> None:
    page = (result.path / NOTEBOOK).read_text(encoding="utf-8")
    assert page.count(MARKER) == 4
    cells = json.loads(page)["cells"]
    ours = [cell for cell in cells if cell["cell_type"] == "code" and "parameters" not in str(cell["metadata"]["tags"])]
    shows = {
        name: "‹secret" in json.dumps(cell["outputs"], ensure_ascii=False)
        for name, cell in zip(CELLS, ours, strict=True)
    }
    # Every cell that showed the secret still shows that it did.
    silent = [name for name in CELLS if not shows[name]]
    assert set(silent) <= {"update", "widget"}
    assert result.reason.startswith("cell ")
    assert "‹secret" in result.reason


def test_equal_secrets_have_one_token_in_the_whole_record_and_the_list_names_it(result: RunResult) -> None:
    listed = json.loads((result.path / MASKED).read_text(encoding="utf-8"))["masked"]
    by_value = [entry for entry in listed if "known by value" in entry["reasons"]]
    everywhere = {"notebook.ipynb", "ledger.jsonl", "verdict.json"}
    assert [entry["label"] for entry in by_value if everywhere <= set(entry["places"])] == ["password"]


def test_the_parameter_reaches_the_kernel_and_only_the_kernel(result: RunResult) -> None:
    notebook = json.loads((result.path / NOTEBOOK).read_text(encoding="utf-8"))
    parameters = notebook["metadata"]["papermill"]["parameters"]
    assert parameters["password"].startswith("‹secret ")
    assert parameters["environment"] == "cargo"
    (injected,) = [c for c in notebook["cells"] if "injected-parameters" in c["metadata"].get("tags", [])]
    assert 'environment = "cargo"' in "".join(injected["source"])
    assert 'password = "‹secret ' in "".join(injected["source"])


def _run(home: Path, given: str) -> subprocess.CompletedProcess[str]:
    source = write_notebook(home / "given.ipynb", "print(password)", more='password = ""')
    command = [sys.executable, "-m", "cargo_runbook", "run", str(source), "--env", "cargo", "--replay", "healthy"]
    options = ["--reports", str(home / "reports"), "-p", given]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def test_a_secret_on_the_command_line_is_refused_with_a_way_out(tmp_path: Path) -> None:
    ended = _run(tmp_path, "password=c4nary-77")
    assert ended.returncode == 2
    assert "c4nary-77" not in ended.stderr + ended.stdout
    assert "password is a secret" in ended.stderr
    assert "-p password=env:NAME" in ended.stderr


def test_a_reference_to_a_secret_is_followed_and_the_secret_is_masked(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("c4nary-77\n", encoding="utf-8")
    (tmp_path / "kept").chmod(0o600)
    ended = _run(tmp_path, f"password=file:{tmp_path / 'kept'}")
    assert "came to its end without a verdict" in ended.stdout
    (page,) = (tmp_path / "reports").rglob(NOTEBOOK)
    text = page.read_text(encoding="utf-8")
    assert "c4nary-77" not in text
    assert json.loads(text)["cells"][-1]["outputs"][0]["text"][0].startswith("‹secret ")
