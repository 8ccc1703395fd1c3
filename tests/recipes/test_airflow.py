"""The DAG file: by Airflow itself in an installation of its own, where its operators are called for real.

Airflow is no dependency of this project (it brings some 150 packages and pins others), so the real test uses the
one that `tools/beside.sh` has put below the cache folder. The quick test beside it holds the file against the
arguments that these versions of the operators take, written down here from their source.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest

from tests.beside import python_with
from tests.execution.batch.test_summary import outcome, write

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "docs" / "recipes" / "airflow_cargo_triage.py"

_BASE = {"task_id", "execution_timeout", "max_active_tis_per_dag"}
_TAKES = {
    "PapermillOperator": _BASE
    | {"input_nb", "output_nb", "parameters", "kernel_name", "language_name", "kernel_conn_id", "log_output"}
    | {"nbconvert", "nbconvert_args"},
    "BashOperator": _BASE
    | {"bash_command", "env", "append_env", "output_encoding", "skip_on_exit_code", "cwd", "output_processor"},
}


class Operator:
    """Takes what the operator of that name takes, and keeps the order of tasks."""

    def __init__(self, **options: Any) -> None:
        assert set(options) <= _TAKES[type(self).__name__], f"{type(self).__name__} takes no such argument"
        self.options = options
        self.after: list[str] = []

    def __rshift__(self, other: Operator) -> Operator:
        other.after.append(self.options["task_id"])
        return other

    @classmethod
    def partial(cls, **options: Any) -> Operator:
        return cls(**options)

    def expand(self, **options: Any) -> Self:
        assert set(options) <= _TAKES[type(self).__name__]
        return self

    def expand_kwargs(self, each: list[dict[str, Any]]) -> Self:
        assert all(set(options) <= _TAKES[type(self).__name__] for options in each)
        self.options["each"] = each
        return self


class PapermillOperator(Operator): ...


class BashOperator(Operator): ...


class Dag:
    def __init__(self, dag_id: str, *, schedule: str, start_date: Any, catchup: bool, max_active_runs: int) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def dags(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    places = {
        "airflow": {},
        "airflow.sdk": {"DAG": Dag},
        "airflow.providers.papermill.operators.papermill": {"PapermillOperator": PapermillOperator},
        "airflow.providers.standard.operators.bash": {"BashOperator": BashOperator},
    }
    for name, members in places.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return runpy.run_path(str(DAGS))


def test_the_operators_take_the_arguments_and_the_notebooks_and_their_parameters_exist(dags: dict[str, Any]) -> None:
    from cargo_runbook.execution.runbooks import read_parameters

    assert (dags["summary"].after, dags["verdict"].after, dags["judged"].after) == (["triage"], ["summary"], ["triage"])
    for operator, parameters in (
        (dags["summary"], dags["summary"].options["parameters"]),
        (dags["each"], dags["each"].options["each"][0]["parameters"]),
    ):
        notebook = ROOT / "runbooks" / Path(operator.options["input_nb"]).name
        assert read_parameters(notebook, parameters) == parameters


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 0), (2, 2), (3, 0), (130, 130)])
def test_a_fault_is_left_to_the_last_task_and_wrong_usage_fails_the_first(
    dags: dict[str, Any], tmp_path: Path, code: int, ends: int
) -> None:
    program = tmp_path / ".venv/bin/cargo-runbook"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho \'{{"batch": "B"}}\'\nexit {code}\n')
    program.chmod(0o755)
    command = dags["triage"].options["bash_command"].replace(dags["HOME"], str(tmp_path))
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == ends
    assert dags["triage"].options["output_processor"](done.stdout.splitlines()[-1])["batch"] == "B"


PROGRAM = """
import json, runpy, sys
dags = runpy.run_path(sys.argv[1])
summary = dags["summary"]
assert (summary.dag.dag_id, summary.upstream_task_ids, summary.downstream_task_ids) == ("cargo_triage", {"triage"}, {"verdict"})
assert dags["each"].dag.get_task("verdict").upstream_task_ids == {"triage"}
summary.input_nb, summary.output_nb = sys.argv[2:4]
summary.parameters = {"reports": sys.argv[4]}
summary.execute({})
each = dags["each"].unmap({"output_nb": sys.argv[6], "parameters": {"environment": "cargo"}})
each.input_nb = sys.argv[5]
each.execute({})
"""


@pytest.mark.slow
def test_airflow_loads_the_file_and_papermill_operators_run_the_notebooks(tmp_path: Path) -> None:
    python = python_with("airflow")
    kernel = tmp_path / "jupyter" / "kernels" / "cargo-runbook" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    # As `ipykernel install --env` writes it.
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    env = {"CARGO_RUNBOOK_REPORTS": str(tmp_path / "reports"), "CARGO_RUNBOOK_REPLAY": "wrong-domain"}
    kernel.write_text(json.dumps({"argv": argv, "display_name": "r", "language": "python", "env": env}))
    write(tmp_path / "reports", "20260101T000000Z-aa", outcome("a", "fault", "CRG201"))
    (tmp_path / "program.py").write_text(PROGRAM)
    notebooks = ROOT / "runbooks"
    arguments = [DAGS, notebooks / "95_batch_summary.ipynb", tmp_path / "summary.ipynb", tmp_path / "reports"]
    arguments += [notebooks / "00_triage.ipynb", tmp_path / "each.ipynb"]
    variables = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "home"), "JUPYTER_PATH": str(tmp_path / "jupyter")}
    done = subprocess.run(
        [python, tmp_path / "program.py", *map(str, arguments)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert "1 environment has CRG201" in (tmp_path / "summary.ipynb").read_text()
    assert "CRG201" in (tmp_path / "each.ipynb").read_text()
    # What the last task asks: the record that the notebook sealed, judged again.
    ours = [sys.executable, "-m", "cargo_runbook"]
    listed = [*ours, "records", "list", "--env", "cargo", "--limit", "1", "--json", "--reports", tmp_path / "reports"]
    (record,) = json.loads(subprocess.run(listed, capture_output=True, text=True, check=True).stdout)
    judged = subprocess.run(
        [*ours, "diagnose", "--from", record["record"], "--reports", tmp_path / "reports"],
        capture_output=True,
        check=False,
    )
    assert (record["status"], judged.returncode) == ("fault", 1)
