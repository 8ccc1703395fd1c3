"""What a forked kernel's shell leaves out makes no difference to any cell."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ipykernel import ipkernel
from IPython.core.displayhook import DisplayHook
from IPython.core.inputtransformer2 import TokenTransformBase, TransformerManager
from IPython.core.interactiveshell import InteractiveShell

from cargo_runbook.execution.warm.shortcuts import take_kernel_shortcuts, take_shortcuts

CELLS = st.lists(
    st.sampled_from((*"ab=!%?,;/()[]#'\\\n\t", " ", '"""', "\n    ", "if a:\n", "%%time\n", ">>> ")), max_size=14
)


WRONG_INDENTATION = "wrong indentation"


class _Hook(DisplayHook):
    def __init__(self, cells: list[str]) -> None:
        self._cells = cells

    def quiet(self) -> bool:
        return bool(self.semicolon_at_end_of_expression(self._cells[-1]))


def _shell(*cells: str) -> Any:
    shown = list(cells)
    shell = SimpleNamespace(
        input_transformer_manager=TransformerManager(),
        displayhook=SimpleNamespace(quiet=_Hook(shown).quiet),
        compile=SimpleNamespace(),
        history_manager=SimpleNamespace(input_hist_parsed=shown),
        should_run_async=InteractiveShell.should_run_async.__get__(SimpleNamespace(autoawait=True)),
    )
    take_shortcuts(shell)
    return shell


def _is_python(made: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(made, "cell", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _transformed(manager: TransformerManager, cell: str) -> str:
    try:
        made = str(manager.transform_cell(cell))
        # IPython's tokenizer trips over a wrong indentation before the compiler does; it is the same error then.
        with warnings.catch_warnings(action="ignore"):
            compile(made, "cell", "exec")
    except IndexError:
        # IPython stumbles over some that are no cells at all; so must we.
        return "none"
    except IndentationError:
        return WRONG_INDENTATION
    except (SyntaxError, ValueError):
        pass
    return made


@given(CELLS.map("".join))
@example("x = %time 1")
@example("a = !ls")
@example("  /f a, b")
@example(",f a b")
@example("if a:\n    ;f a")
@example("len?")
@example("a != b")
@example("\ta\n    a")
@example(")(\n    \ta\n    a")
def test_a_cell_is_turned_into_what_ipython_makes_of_it(cell: str) -> None:
    ours, theirs = (_transformed(each, cell) for each in (_shell().input_transformer_manager, TransformerManager()))
    if theirs == WRONG_INDENTATION != ours:
        # Its tokenizer stumbled over that, the compiler over another mistake before: the cell is an error both ways.
        assert not _is_python(ours)
    else:
        assert ours == theirs


@pytest.mark.parametrize("cell", ["1", "1;", "1 ; # why", "';'", "1 # ;", "f(\n1);\n"])
def test_a_semicolon_at_the_end_keeps_a_result_back_as_ever(cell: str) -> None:
    assert _shell(cell).displayhook.quiet() is _Hook([cell]).quiet()


def test_a_transformer_that_a_notebook_adds_is_asked() -> None:
    class Shout(TokenTransformBase):  # type: ignore[misc]
        @classmethod
        def find(cls, tokens_by_line: Any) -> Any:
            return next((cls(t.start) for line in tokens_by_line for t in line if t.string == "whisper"), None)

        def transform(self, lines: list[str]) -> list[str]:
            return [line.replace("whisper", "shout") for line in lines]

    manager = _shell().input_transformer_manager
    manager.token_transformers.append(Shout)
    assert manager.transform_cell("whisper(1)") == "shout(1)\n"


@pytest.mark.parametrize(
    ("cell", "awaits"),
    [
        ("x = 1", False),
        ("await f()", True),
        ("async with f(): pass", True),
        ("[x async for x in f()]", True),
        ("async def f():\n    await g()", False),
        ("'await'", False),
        ("await = 1", False),
        ("return 1", False),
    ],
)
def test_a_cell_is_run_in_a_coroutine_if_something_is_awaited_in_it(cell: str, awaits: bool) -> None:
    assert _shell().should_run_async(cell, transformed_cell=cell) is awaits
    assert InteractiveShell.should_run_async(SimpleNamespace(autoawait=True), cell, transformed_cell=cell) is awaits


def test_which_arguments_a_method_takes_is_asked_once_and_answered_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ipkernel
    asked: list[Any] = []
    ever = module._accepts_parameters
    monkeypatch.setattr(module, "_accepts_parameters", lambda *given: asked.append(given) or ever(*given))
    take_kernel_shortcuts()
    method = InteractiveShell.run_cell_async
    told = [module._accepts_parameters(method, ["cell_id", "cell_meta"]) for _ in range(3)]
    assert told == [ever(method, ["cell_id", "cell_meta"])] * 3
    assert len(asked) == 1
