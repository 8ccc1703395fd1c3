"""What is written of a notebook while it runs and at its end: copies without secrets, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4.rwbase import split_lines

from cargo_runbook.archive.files import write_text
from cargo_runbook.execution.layout import nodes
from cargo_runbook.json_layout import laid_out
from cargo_runbook.redaction.notebook import redacted_cell
from cargo_runbook.secret import Redactor


class NotebookCopies:
    """Makes redacted copies of one running notebook.

    The notebook itself keeps its values, which the kernel needs; nothing but copies may be written. A cell that is
    over is redacted once for all saves but the last, since only late updates of its outputs could change it.

    Args:
        path: file of the copies; None to write nothing.
        redactor: knows the secrets of the run.
    """

    def __init__(self, path: Path | None, redactor: Redactor) -> None:
        self._path = path
        self._redactor = redactor
        self._over: dict[int, dict[str, Any]] = {}
        self._last: dict[str, Any] = {}

    def save(self, notebook: NotebookNode, *, over: Iterable[int] = ()) -> None:
        """Makes a copy, and writes it; the cells of the indices `over` may be taken from the copy before."""
        kept = set(over)
        cells = []
        for index, cell in enumerate(notebook.cells):
            clean = self._over.get(index) if index in kept else None
            if clean is None:
                clean = redacted_cell(cell, self._redactor)
            if index in kept:
                self._over[index] = clean
            cells.append(clean)
        self._last = {**self._around(notebook), "cells": cells}
        if self._path is not None:
            write_text(self._path, notebook_text(self._last))

    @property
    def last(self) -> NotebookNode:
        """The last copy, to hand out to whoever may write it."""
        copy: NotebookNode = nodes(self._last)
        return copy

    def _around(self, notebook: Mapping[str, Any]) -> dict[str, Any]:
        around = {key: value for key, value in notebook.items() if key != "cells"}
        return {**around, "metadata": self._redactor.redact_data(notebook["metadata"])}


def notebook_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as its file has it."""
    cells = [_to_be_split(cell) for cell in notebook["cells"]]
    body = split_lines(_node({**notebook, "cells": cells}))  # type: ignore[no-untyped-call]
    return laid_out(body, indent=1, sort_keys=True, default=str) + "\n"


def _to_be_split(cell: Mapping[str, Any]) -> NotebookNode:
    """A copy of what nbformat changes when it cuts texts into lines; what lies deeper it leaves alone."""
    copy = _node(cell)
    if "outputs" in cell:
        outputs = [_node(output) for output in cell["outputs"]]
        for output in outputs:
            if "data" in output:
                dict.__setitem__(output, "data", dict(output["data"]))
        dict.__setitem__(copy, "outputs", outputs)
    if "attachments" in cell:
        copy["attachments"] = nodes(cell["attachments"])
    return copy


def _node(data: Mapping[str, Any]) -> NotebookNode:
    node = NotebookNode()  # type: ignore[no-untyped-call]
    # Its own ways would make nodes of all that lies below.
    dict.update(node, data)
    return node
