"""What the running kernel knows of the notebook that it runs: its name, and what was executed so far."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePath
from typing import Any

from IPython.core.getipython import get_ipython

_SESSION_VARIABLE = "JPY_SESSION_NAME"


def notebook_name() -> str:
    """Name of the notebook without folder and suffix, as Jupyter's server tells its kernels; else `notebook`."""
    return PurePath(os.environ.get(_SESSION_VARIABLE, "")).stem or "notebook"


def notebook_path() -> Path | None:
    """The notebook's file, as Jupyter's server tells its kernels; None where it tells nothing."""
    told = os.environ.get(_SESSION_VARIABLE, "")
    return Path(told) if told else None


def executed_cells() -> str:
    """A notebook (nbformat 4.5, as text) of the cells that were executed in this kernel, in the order in which they
    were, with their results: what a person really did, whatever the file on the disk holds. Empty outside a kernel.
    """
    shell: Any = get_ipython()
    names = {} if shell is None else shell.user_ns
    # In[0] is empty by IPython's convention.
    cells = [_cell(shell, number, source) for number, source in enumerate(names.get("In", [])[1:], start=1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    return json.dumps(notebook, ensure_ascii=False, indent=1, default=str) + "\n"


def _cell(shell: Any, number: int, source: str) -> dict[str, Any]:
    outputs: list[dict[str, Any]] = []
    results = shell.user_ns.get("Out", {})
    if number in results:
        data, metadata = shell.display_formatter.format(results[number])
        outputs.append({"output_type": "execute_result", "execution_count": number, "data": data, "metadata": metadata})
    return {
        "cell_type": "code",
        "id": f"in-{number}",
        "execution_count": number,
        "metadata": {},
        "source": source,
        "outputs": outputs,
    }
