"""Where the program begins: the language is chosen before any text is made, for help texts are made at import."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from cargo_runbook.cli.language import VARIABLE, take_language


def main() -> NoReturn:
    """Entry point of the console script."""
    language, _ = take_language(sys.argv[1:])
    if language:
        # For what is started from here as well: kernels, JupyterLab, the sandbox's operator.
        os.environ[VARIABLE] = language
    # Late: see above.
    from cargo_runbook.cli.main import main as run

    run()
