"""Which cell of a record's notebook a step stands in: what a line that is about that step leads to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.archive.files import parse

VERDICT, FIX = "verdict", "fix"
_CALL = re.compile(r"\.(look|verdict|fix)\(\s*(?:[\"']([^\"']*)[\"'])?")


@dataclass(frozen=True)
class CellPlace:
    """A cell: its number in the notebook, from 1, and the id that the notebook gives it (empty in old ones)."""

    number: int
    id: str = ""


def cells_of_steps(notebook: Path) -> Mapping[str, CellPlace]:
    """Name of a step or check -> the first cell that looks at it; `verdict` and `fix` for those.

    Nothing of a notebook that is missing or can't be read.
    """
    found: dict[str, CellPlace] = {}
    try:
        cells = parse(notebook.read_bytes())["cells"]
        for number, cell in enumerate(cells, start=1):
            if cell["cell_type"] == "code" and (call := _CALL.search("".join(cell["source"]))):
                found.setdefault(call[2] or call[1], CellPlace(number, str(cell.get("id", ""))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found
