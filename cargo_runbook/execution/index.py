"""The index notebook: what is the symptom, which runbook, and what was recorded of this environment lately."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.record import in_a_run, reports_folder
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.execution.pasting import understood
from cargo_runbook.execution.runbooks import runbooks_folder
from cargo_runbook.texts import Text
from cargo_runbook.views.index import Entry, IndexView, Recent

if TYPE_CHECKING:
    from cargo_runbook.views.panels import EnvironmentPanel, IndexPanel, SymptomPanel

_RECENT = 8
_TITLE = re.compile(r'^# (?:<span lang="en">)?(.+?)(?:</span> <span lang="zh">| · )(.+?)(?:</span>)?$', re.M)
_LEADS_HERE = re.compile(r"\*\*It leads here:\*\* (.+)")


def open_index(chosen: EnvironmentPanel, pasted: SymptomPanel) -> IndexPanel:
    """The list of the runbooks, the one for the pasted text marked, with the newest records of the environment."""
    from cargo_runbook.views.panels import IndexPanel

    entries = read_entries(runbooks_folder())

    def look() -> IndexView:
        suggested = understood(pasted.value).notebook if pasted.value.strip() else ""
        return IndexView(chosen.value, entries, _recent(chosen.value, reports_folder()), suggested)

    panel = IndexPanel(look, interactive=not in_a_run())
    chosen.on_change(panel.follow)
    pasted.on_change(panel.follow)
    return panel


def read_entries(folder: Path) -> tuple[Entry, ...]:
    """The runbooks of a folder with their titles and the texts that lead to them, as their first cells have them."""
    return tuple(_entry(path) for path in sorted(folder.glob("[0-9]*.ipynb")))


def _entry(path: Path) -> Entry:
    try:
        cells = json.loads(path.read_bytes())["cells"]
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    except (OSError, ValueError, KeyError, TypeError):
        return Entry(path.stem, Text(path.stem, path.stem))
    title, leads = _TITLE.search(prose), _LEADS_HERE.search(prose)
    named = Text(title[1], title[2]) if title else Text(path.stem, path.stem)
    return Entry(path.stem, named, leads[1].replace("`", "").rstrip(".") if leads else "")


def _recent(environment: str, reports: Path) -> tuple[Recent, ...]:
    if not environment or not reports.is_dir():
        return ()
    try:
        with Index(reports) as index:
            rows = index.find(Filter(environments=(environment,)), limit=_RECENT)
    except (UsageError, RunbookError, OSError):
        # The list of the runbooks is worth more than a word about the archive; `records list` says it.
        return ()
    return tuple(
        Recent(row.record, row.started[:19].replace("T", " "), row.runbook, row.status, row.root_causes)
        for row in reversed(rows)
    )
