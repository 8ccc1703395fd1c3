"""Drafts that a killed kernel left behind: sealed as they are, so that nothing that was run is lost."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cargo_runbook.archive.ledger import LedgerError, RunState, read_account
from cargo_runbook.archive.reading import list_drafts
from cargo_runbook.archive.record import VERDICT, Draft, Record
from cargo_runbook.errors import RunbookError
from cargo_runbook.execution.stepping.keeping import ABOUT
from cargo_runbook.secret import Redactor

CUT_OFF = "the kernel ended before the notebook was concluded"


def seal_left(reports: Path, environment: str, runbook: str) -> tuple[Record, ...]:
    """Seals the drafts of that notebook and environment whose kernel is gone from this machine. Those that can't be
    sealed stay as they are; `records list` names them."""
    sealed = []
    for folder in _left(reports, environment, runbook):
        with suppress(RunbookError, OSError):
            sealed.append(_seal(reports, folder, environment, runbook))
    return tuple(sealed)


def _left(reports: Path, environment: str, runbook: str) -> Iterator[Path]:
    for folder in list_drafts(reports):
        if not (folder / ABOUT).exists():
            continue
        with suppress(LedgerError):
            account = read_account(folder)
            same = (account.environment, account.runbook, account.host) == (environment, runbook, socket.gethostname())
            if same and account.state is RunState.INTERRUPTED:
                yield folder


def _seal(reports: Path, folder: Path, environment: str, runbook: str) -> Record:
    about, verdict = _read(folder / ABOUT), _read(folder / VERDICT)
    started = datetime.strptime(folder.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    draft = Draft(reports, environment, runbook, started, incident=str(about.get("incident", "")), record=folder.name)
    return draft.seal(
        status=str(verdict.get("status", "failed")),
        domain=str(about.get("domain", "")),
        root_causes=verdict.get("root_causes", ()),
        replayed=str(verdict.get("replayed", "")),
        reason=CUT_OFF,
        redactor=Redactor(),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
