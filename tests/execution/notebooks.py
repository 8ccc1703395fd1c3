"""Small notebooks for tests of execution, made where they are needed."""

from __future__ import annotations

import json
from pathlib import Path

PARAMETERS = 'environment = "cargo"\nimage = ""\ntries = 1'


def write_notebook(path: Path, *sources: str, more: str = "") -> Path:
    """A notebook with a parameters cell (`more` adds parameters to it) and one code cell a source."""
    cells = [
        _cell(0, f"{PARAMETERS}\n{more}".strip(), ["parameters"]),
        *(_cell(n, s, []) for n, s in enumerate(sources, start=1)),
    ]
    # The kernel's name is of one that nobody has: ours must be used all the same.
    kernel = {"display_name": "somebody else's", "language": "python", "name": "not-here"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def _cell(number: int, source: str, tags: list[str]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": f"cell-{number}",
        "metadata": {"tags": tags},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
