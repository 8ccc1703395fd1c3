"""A cell that was compiled before the fork does in a kernel what it would do anyway."""

from __future__ import annotations

import ast
import asyncio
import re
import warnings
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from cargo_runbook.execution.warm.prepared import prepare
from cargo_runbook.execution.warm.shortcuts import take_shortcuts

CELL = "x = 20\nx += 1\nx * 2"


class _Shout(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        node.value = -1
        return node


@pytest.fixture
def shell() -> Any:
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    take_shortcuts(shell)
    return shell


def _run(shell: Any, cell: str) -> tuple[Any, str]:
    with capture_output() as captured:
        text = shell.transform_cell(cell)
        done = asyncio.run(shell.run_cell_async(cell, transformed_cell=text))
    return done.result, captured.stdout + captured.stderr


def _compiled(shell: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python itself is asked to compile from now on."""
    asked: list[str] = []

    def counted(source: Any, filename: str, mode: str, *args: Any, **options: Any) -> Any:
        asked.append(mode)
        return compile(source, filename, mode, *args, **options)

    for module in ("codeop", "IPython.core.compilerop"):
        monkeypatch.setattr(f"{module}.compile", counted, raising=False)
    return asked


def test_a_prepared_cell_is_run_and_not_compiled_again(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(shell, [CELL])
    asked = _compiled(shell, monkeypatch)
    assert _run(shell, CELL)[0] == 42
    assert asked == []
    assert _run(shell, CELL + " + 1")[0] == 43
    assert asked != []


def test_nothing_of_it_runs_before(shell: Any) -> None:
    prepare(shell, ["raise SystemExit", "print('x')"])
    assert "x" not in shell.user_ns


def test_transformers_of_a_kernel_get_what_they_change(shell: Any) -> None:
    prepare(shell, [CELL])
    shell.ast_transformers.append(_Shout())
    assert _run(shell, CELL)[0] == 2
    shell.ast_transformers.clear()
    assert _run(shell, CELL)[0] == 42


def test_a_shell_that_shows_assignments_shows_each_once(shell: Any) -> None:
    prepare(shell, ["y = 7"])
    shell.ast_node_interactivity = "last_expr_or_assign"
    for _ in range(2):
        assert _run(shell, "y = 7")[0] == 7
    shell.ast_node_interactivity = "last_expr"
    assert _run(shell, "y = 7")[0] is None


@pytest.mark.parametrize("cell", ["def", "return 1", "x = ", "1 +* 2", "\x00", "(" * 500])
def test_a_cell_that_is_wrong_is_told_where_it_runs(shell: Any, cell: str) -> None:
    prepare(shell, [cell])
    assert "Error" in _run(shell, cell)[1]


def test_a_warning_is_told_where_it_runs(shell: Any) -> None:
    with warnings.catch_warnings(record=True) as before:
        warnings.simplefilter("always")
        prepare(shell, ["x = 1 is 1"])
    assert before == []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _run(shell, "x = 1 is 1")
    assert [warning.category for warning in caught] == [SyntaxWarning]


def test_a_future_is_in_force_from_where_it_is_imported(shell: Any) -> None:
    future = "from __future__ import annotations"
    cell = "def f(a: later): ...\nf.__annotations__"
    prepare(shell, [future, cell])
    assert "NameError" in _run(shell, cell)[1]
    _run(shell, future)
    assert _run(shell, cell)[0] == {"a": "later"}


def test_the_place_of_an_error_is_shown_with_its_line(shell: Any) -> None:
    cell = "a = 1\nb = 0\na / b"
    prepare(shell, [cell])
    told = re.sub(r"\x1b\[[\d;]*m", "", _run(shell, cell)[1])
    assert "ZeroDivisionError" in told
    assert "----> 3 a / b" in told
