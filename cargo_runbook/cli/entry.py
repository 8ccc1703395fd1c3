"""Where the program begins: the language is chosen before any text is made, for help texts are made at import."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from cargo_runbook.light_start import begins


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
    begins()
    # Late: see above.
    from cargo_runbook.cli.main import main as run

    run()
