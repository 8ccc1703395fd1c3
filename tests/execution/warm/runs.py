"""What came of a run, and of its processes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cargo_runbook.archive.record import NOTEBOOK
from cargo_runbook.execution.run import RunResult


def cells_of(result: RunResult) -> list[dict[str, Any]]:
    """The cells of a record, without what can't be twice the same: times, ids, and the colours of a traceback."""
    notebook = json.loads((result.path / NOTEBOOK).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for key in ("start_time", "end_time", "duration"):
            cell["metadata"].get("papermill", {}).pop(key, None)
        # papermill gives the cells that it adds a new id each time.
        cell.pop("id")
    text = json.dumps(notebook["cells"])
    text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
    text = re.sub(r"ipykernel_\d+/\d+", "FILE", text)
    text = re.sub(r"n\d{8,}\.ipynb", "NOTEBOOK", text)
    text = re.sub(r"(CPU times|Wall time)[^\"]*", "TIME", text)
    cells: list[dict[str, Any]] = json.loads(text)
    return cells


def statuses(result: RunResult) -> list[str]:
    added = {"parameters", "injected-parameters", "papermill-error-cell-tag"}
    cells = [c for c in cells_of(result) if not set(c["metadata"].get("tags", ())) & added]
    return [c["metadata"]["papermill"]["status"] for c in cells]


def printed(result: RunResult) -> str:
    return "".join("".join(o.get("text", "")) for c in cells_of(result) for o in c.get("outputs", ()))


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
