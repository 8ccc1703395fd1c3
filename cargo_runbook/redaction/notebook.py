"""Notebooks without secrets: code, metadata, and all that cells showed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from cargo_runbook.redaction.code import redact_code
from cargo_runbook.secret import Redactor

# Base64 of what no shape fits: looked through for values alone.
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")


def redacted_notebook(notebook: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A whole notebook (nbformat 4) without secrets; what has no cells is looked through like any other data."""
    if not isinstance(notebook.get("cells"), list):
        return dict(redactor.redact_data(dict(notebook)))
    cells = [redacted_cell(cell, redactor) for cell in notebook["cells"]]
    return {**notebook, "metadata": redactor.redact_data(notebook.get("metadata", {})), "cells": cells}


def redacted_cell(cell: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A cell without secrets: source, metadata and all outputs, chunks of a stream joined before they are looked at."""
    clean = {key: value for key, value in cell.items() if key not in ("outputs", "source", "metadata")}
    source = _text(cell["source"])
    clean["source"] = redact_code(source, redactor) if cell["cell_type"] == "code" else redactor.redact(source)
    clean["metadata"] = redactor.redact_data(cell.get("metadata", {}))
    if "outputs" in cell:
        clean["outputs"] = [redacted_output(output, redactor) for output in _joined(cell["outputs"])]
    return clean


def redacted_output(output: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """An output without secrets: text, what is shown in each of its kinds (MIME types), or an error with its way."""
    clean: dict[str, Any] = redactor.redact_data({k: v for k, v in output.items() if k not in ("data", "traceback")})
    if "data" in output:
        clean["data"] = {kind: _shown(kind, value, redactor) for kind, value in output["data"].items()}
    if "traceback" in output:
        # Joined, since a text that is quoted in a traceback may go over several of its lines.
        clean["traceback"] = redactor.redact("\n".join(output["traceback"])).split("\n")
    return clean


def _shown(kind: str, value: Any, redactor: Redactor) -> Any:
    if kind in _BINARY:
        return redactor.redact_values(_text(value))
    if isinstance(value, list):
        # Lines of one text; anything else stays a list.
        with suppress(TypeError):
            value = "".join(value)
    return redactor.redact_data(value)


def _joined(outputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for output in outputs:
        stream = output["output_type"] == "stream"
        last = joined[-1] if joined else {}
        if stream and (last.get("output_type"), last.get("name")) == ("stream", output["name"]):
            last["text"] += _text(output["text"])
        else:
            joined.append({**output, **({"text": _text(output["text"])} if stream else {})})
    return joined


def _text(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)
