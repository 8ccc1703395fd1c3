"""Where the program begins: the language is chosen before any text is made, for help texts are made at import."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

_COLLECTED = (10_000, 20, 20)


def main() -> NoReturn:
    """Entry point of the console script."""
    if sys.argv[1:2] == ["batch"] and not any(word.startswith(("--help", "--scheduler")) for word in sys.argv):
        # Before anything else is imported, which takes a while: what kernels are forked from imports for longer.
        from cargo_runbook.execution.warm.starting import begin

        begin()
    # Late: it imports what commands are made of.
    from cargo_runbook.cli.language import VARIABLE, take_language

    language, _ = take_language(sys.argv[1:])
    if language:
        # For what is started from here as well: kernels, JupyterLab, the sandbox's operator.
        os.environ[VARIABLE] = language
    # Modules are much and never garbage: looked through again and again while they are made, and twice at the end, they
    # cost a batch a third of a second.
    gc.set_threshold(*_COLLECTED)
    atexit.register(gc.freeze)
    # Late: see above.
    from cargo_runbook.cli.main import main as run

    run()
