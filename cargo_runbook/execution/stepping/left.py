"""Drafts that a killed kernel left behind: sealed when their notebook is opened again, so that nothing that was run is lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cargo_runbook.archive.ledger import LedgerError, RunState, read_account
from cargo_runbook.archive.reading.records import list_drafts
from cargo_runbook.archive.record import BY_HAND, Record
from cargo_runbook.archive.sealing.interrupted import seal_interrupted
from cargo_runbook.errors import RunbookError


def seal_left(reports: Path, environment: str, runbook: str) -> tuple[Record, ...]:
    """Seals the drafts of that notebook and environment whose kernel is gone from this machine. Those that can't be
    sealed stay as they are; `records list` names them."""
    sealed = []
    for folder in _left(reports, environment, runbook):
        with suppress(RunbookError, OSError):
            sealed.append(seal_interrupted(reports, folder))
    return tuple(sealed)


def _left(reports: Path, environment: str, runbook: str) -> Iterator[Path]:
    for folder in list_drafts(reports):
        if not (folder / BY_HAND).exists():
            continue
        with suppress(LedgerError):
            account = read_account(folder)
            same = (account.environment, account.runbook, account.host) == (environment, runbook, socket.gethostname())
            if same and account.state is RunState.INTERRUPTED:
                yield folder
