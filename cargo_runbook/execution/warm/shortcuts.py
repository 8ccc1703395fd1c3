"""What IPython need not do for most cells.

It cuts each cell into tokens three times, by a tokenizer written in Python: twice to find its own syntax, once to see
whether the cell ends with a semicolon. That takes longer than a small frame takes to be shown. Where the characters that
it would find are nowhere in the cell, the answer is known.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ipykernel import ipkernel

from cargo_runbook.execution.warm.prepared import PreparedCompiler, remember_transformed

# What IPython's token transformers begin with: magics, shell commands and help anywhere; quoting at the start of a line.
_SYNTAX = re.compile(r"[!%?]|^\s*[,;/]")
# What stands in a cell that can only be run in a coroutine; a keyword is written in these letters alone.
_AWAITS = re.compile("await|async")


def take_shortcuts(shell: Any) -> None:
    """Makes a shell answer at once where there is nothing to find; whatever has its syntax goes IPython's own way."""
    manager, hook = shell.input_transformer_manager, shell.displayhook
    transform, transformers, quiet = manager.do_token_transforms, list(manager.token_transformers), hook.quiet
    asked_async = shell.should_run_async

    def do_token_transforms(lines: list[str]) -> list[str]:
        if manager.token_transformers == transformers and not any(map(_SYNTAX.search, lines)):
            return lines
        result: list[str] = transform(lines)
        return result

    def is_quiet() -> bool:
        cells = shell.history_manager.input_hist_parsed
        return bool(cells) and ";" in cells[-1] and bool(quiet())

    def should_run_async(raw_cell: str, *, transformed_cell: str | None = None, **others: Any) -> bool:
        if transformed_cell is not None and not _AWAITS.search(transformed_cell):
            return False
        return bool(asked_async(raw_cell, transformed_cell=transformed_cell, **others))

    manager.do_token_transforms = do_token_transforms
    remember_transformed(manager)
    shell.compile = PreparedCompiler(shell)
    shell.should_run_async = should_run_async
    hook.quiet = is_quiet


def take_kernel_shortcuts() -> None:
    """What ipykernel asks a method of this process for, it asks once. For the whole process, which becomes kernels only."""
    module: Any = ipkernel
    asked = module._accepts_parameters

    @lru_cache(maxsize=8)
    def remembered(method: Any, names: tuple[str, ...]) -> Any:
        return asked(method, names)

    module._accepts_parameters = lambda method, names: remembered(method, tuple(names))
