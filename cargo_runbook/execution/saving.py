"""What is written of a notebook while it runs and at its end: copies without secrets, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4.rwbase import split_lines

from cargo_runbook.archive.files import write_text
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

    def save(self, notebook: NotebookNode, *, over: Iterable[int] = ()) -> None:
        """Writes a copy; the cells of the indices `over` may be taken from the save before."""
        if self._path is None:
            return
        kept = set(over)
        cells = []
        for index, cell in enumerate(notebook.cells):
            clean = self._over.get(index) if index in kept else None
            if clean is None:
                clean = redacted_cell(cell, self._redactor)
            if index in kept:
                self._over[index] = clean
            cells.append(clean)
        self._write({**self._around(notebook), "cells": cells})

    def finish(self, notebook: NotebookNode) -> NotebookNode:
        """Writes the last copy, made of everything, and gives it."""
        copy = self.copy(notebook)
        self._write(copy)
        return copy

    def copy(self, notebook: NotebookNode) -> NotebookNode:
        """A copy to hand out to whoever may write it."""
        cells = [redacted_cell(cell, self._redactor) for cell in notebook.cells]
        copy: NotebookNode = from_dict({**self._around(notebook), "cells": cells})  # type: ignore[no-untyped-call]
        return copy

    def _write(self, body: dict[str, Any]) -> None:
        if self._path is not None:
            lines = split_lines(from_dict(body))  # type: ignore[no-untyped-call]
            write_text(self._path, json.dumps(lines, ensure_ascii=False, indent=1, sort_keys=True) + "\n")

    def _around(self, notebook: NotebookNode) -> dict[str, Any]:
        around = {key: value for key, value in notebook.items() if key != "cells"}
        return {**around, "metadata": self._redactor.redact_data(notebook.metadata)}


def redacted_cell(cell: NotebookNode, redactor: Redactor) -> dict[str, Any]:
    """A cell without secrets: source, metadata and all outputs, chunks of a stream joined before they are looked at."""
    clean = {key: value for key, value in cell.items() if key not in ("outputs", "source", "metadata")}
    clean |= {"source": redactor.redact(cell.source), "metadata": redactor.redact_data(cell.metadata)}
    if "outputs" in cell:
        clean["outputs"] = [_redacted_output(output, redactor) for output in _joined(cell.outputs)]
    return clean


def _joined(outputs: Iterable[NotebookNode]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and (last.get("output_type"), last.get("name")) == ("stream", output.name):
            last["text"] += output.text
        else:
            joined.append(dict(output))
    return joined


def _redacted_output(output: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    if output["output_type"] == "error":
        # Joined, since a text that is quoted in a traceback may go over several of its lines.
        traceback = redactor.redact("\n".join(output["traceback"])).split("\n")
        told = {name: redactor.redact(str(output[name])) for name in ("ename", "evalue")}
        return {**output, **told, "traceback": traceback}
    clean: dict[str, Any] = redactor.redact_data(output)
    return clean
