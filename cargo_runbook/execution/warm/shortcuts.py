"""What IPython need not do for most cells.

It cuts each cell into tokens three times, by a tokenizer written in Python: twice to find its own syntax, once to see
whether the cell ends with a semicolon. That takes longer than a small frame takes to be shown. Where the characters that
it would find are nowhere in the cell, the answer is known.
"""

from __future__ import annotations

import re
from typing import Any

# What IPython's token transformers begin with: magics, shell commands and help anywhere; quoting at the start of a line.
_SYNTAX = re.compile(r"[!%?]|^\s*[,;/]")


def take_shortcuts(shell: Any) -> None:
    """Makes a shell answer at once where there is nothing to find; whatever has its syntax goes IPython's own way."""
    manager, hook = shell.input_transformer_manager, shell.displayhook
    transform, transformers, quiet = manager.do_token_transforms, list(manager.token_transformers), hook.quiet

    def do_token_transforms(lines: list[str]) -> list[str]:
        if manager.token_transformers == transformers and not any(map(_SYNTAX.search, lines)):
            return lines
        result: list[str] = transform(lines)
        return result

    def is_quiet() -> bool:
        cells = shell.history_manager.input_hist_parsed
        return bool(cells) and ";" in cells[-1] and bool(quiet())

    manager.do_token_transforms = do_token_transforms
    hook.quiet = is_quiet
