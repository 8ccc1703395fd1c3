"""Records: one executed notebook with its evidence, in a folder of its own that is written whole or not at all.

`reports/YYYY/MM/DD/TIME-ENVIRONMENT-RUNBOOK-ID/` holds `notebook.ipynb`, `verdict.json`, `evidence.jsonl`,
`look.json`, `ledger.jsonl`, `masked.json`, `record.json`, plans and journals below `changes/`, and `manifest.json`.
While it is written (`sealing/draft.py`) it lies in `reports/.drafts/`; a draft that stays behind belongs to a run that was cut off.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOTEBOOK, VERDICT, EVIDENCE = "notebook.ipynb", "verdict.json", "evidence.jsonl"
HEADER, LOOK = "record.json", "look.json"
RECORD_VARIABLE = "CARGO_RUNBOOK_RECORD"
"""Set by the runner for the kernel: the draft of the record that this run is kept in."""
FINAL_VARIABLE = "CARGO_RUNBOOK_RECORD_FINAL"
"""Set by the runner as well: where that record will lie, maybe on another machine."""
INCIDENT_VARIABLE = "CARGO_RUNBOOK_INCIDENT"
"""The incident that records belong to when no option names one."""
RUN, NOTE, FIX = "run", "note", "fix"
NOTE_FILE = "note.json"
BY_HAND = "by-hand.json"
"""Of a notebook that was stepped through: incident, domain, the record that it goes on from, and its runbook."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What `record.json` says. Times are ISO UTC; `status` is healthy, fault, unknown or failed.

    `runbook_sha256` is of the notebook as it was before the run. Stepped through by hand, it is of the runbook that the
    working copy was made from, and empty when a cell ran that is not of that runbook: then `edited` has the numbers of
    those cells in the record's notebook, and `opened_from` the digest. Other values of the same parameters are no edit.
    `reason` says why a run failed; `machine` is where it ran; `parameters` are those that papermill injected. `kind` is `run`
    for an executed notebook, `note` for what a person wrote, `fix` for a change by
    command, `prune` and `import` for what was done to the archive.
    """

    record: str
    environment: str
    domain: str
    runbook: str
    runbook_sha256: str
    version: str
    operator: str
    started: str
    ended: str
    status: str
    root_causes: tuple[str, ...]
    replayed: str = ""
    reason: str = ""
    incident: str = ""
    machine: str = ""
    kind: str = RUN
    opened_from: str = ""
    edited: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A record on disk.

    `head` is the SHA-256 (hex) of its `manifest.json`: what one pastes into a ticket. It stands for this record and all
    before it. A record from before there was a chain is not sealed: `sequence` 0, and no head.
    """

    path: Path
    header: Header
    head: str
    sequence: int = 0

    @property
    def sealed(self) -> bool:
        return self.sequence > 0


def in_a_run() -> bool:
    """Whether this kernel belongs to a run, which has a record from its start and nobody at it."""
    return RECORD_VARIABLE in os.environ


def reports_folder(option: Path | None = None, variables: Mapping[str, str] | None = None) -> Path:
    """The folder for records: the option, else CARGO_RUNBOOK_REPORTS, else ./reports. It may not exist yet."""
    values = os.environ if variables is None else variables
    return option or Path(values.get("CARGO_RUNBOOK_REPORTS") or "reports")
