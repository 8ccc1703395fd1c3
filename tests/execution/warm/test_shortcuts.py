"""What a forked kernel's shell leaves out makes no difference to any cell."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.displayhook import DisplayHook
from IPython.core.inputtransformer2 import TokenTransformBase, TransformerManager

from cargo_runbook.execution.warm.shortcuts import take_shortcuts

CELLS = st.lists(
    st.sampled_from((*"ab=!%?,;/()[]#'\\\n\t", " ", '"""', "\n    ", "if a:\n", "%%time\n", ">>> ")), max_size=14
)


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
    )
    take_shortcuts(shell)
    return shell


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
        return "wrong indentation"
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
def test_a_cell_is_turned_into_what_ipython_makes_of_it(cell: str) -> None:
    assert _transformed(_shell().input_transformer_manager, cell) == _transformed(TransformerManager(), cell)


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
