"""Sealing what a run left that was cut off: as the failed run that it was, with nothing in it made better.

The runner is gone, so nobody knows any more by value what it knew; what it wrote was redacted by it. Here it is looked
through once more, by shape and by the values that the caller names.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import files_in, parse, utc, write_json
from cargo_runbook.archive.ledger import LEDGER, Account, LedgerError, RunState, read_account
from cargo_runbook.archive.record import BY_HAND, VERDICT, Record
from cargo_runbook.archive.sealing.draft import Draft, Ran, operator_name
from cargo_runbook.errors import UsageError
from cargo_runbook.pasteable import pasteable
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import in_english, tell

FAILED = "failed"
_QUIET_SECONDS = 600
# What a file is written under before it is renamed (see `archive.files`): the half of one that the runner did not finish.
_UNFINISHED = re.compile(r"(?:.*/)?\.[^/]+\.[0-9a-f]{8}")
_PARTS = re.compile(r"(\d{8}T\d{6})Z-([A-Za-z0-9._]+)-([A-Za-z0-9._]+)-[0-9a-f]{6}")


class NotOver(UsageError):
    """A draft that may still be written."""


def account_of(draft: Path, *, held: bool = False) -> Account:
    """What is known of the run of a draft: by its ledger (see `read_account`), else by the draft's own name."""
    try:
        # The reason of a run is sealed with it.
        with in_english():
            account = read_account(draft, held=held)
    except LedgerError as error:
        account = Account(RunState.INTERRUPTED, reason=error.in_full().en)
    named = _PARTS.fullmatch(draft.name)
    if named is None or account.started:
        return account
    began = datetime.strptime(named[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    environment, runbook = account.environment or named[2], account.runbook or named[3]
    return replace(account, environment=environment, runbook=runbook, started=utc(began))


def seal_interrupted(reports: Path, draft: Path, redactor: Redactor | None = None, key: Path | None = None) -> Record:
    """Seals a draft whose run is over: status `failed`, the reason, and of each step what its ledger says.

    Args:
        redactor: knows the secrets that may stand in it (default: what this process knows).
        key: SSH key to sign with (default: CARGO_RUNBOOK_SIGN_KEY, else no signature).

    Raises:
        NotOver: its run goes on, or somebody else seals it.
        SecretInRecord: a secret stands in one of the files; the draft stays as it is.
        UsageError: that is no draft, or the archive can't be written.
    """
    if not _PARTS.fullmatch(draft.name):
        known = pasteable("cargo-runbook records list")
        raise UsageError(
            tell(f"{draft} is no draft of a record", f"{draft} 不是记录的草稿"),
            next_step=tell(f"{known}   names those.", f"用 {known} 查看草稿"),
        )
    with _alone_with(draft):
        account = account_of(draft, held=True)
        who = operator_name()
        reason = f"{account.reason or 'it was never sealed'}; sealed afterwards by {who}"
        for name in list(files_in(draft)):
            if _UNFINISHED.fullmatch(name):
                (draft / name).unlink()
        verdict = _object(draft / VERDICT)
        by_hand = _object(draft / BY_HAND)
        told = account.about
        body = {"environment": account.environment, "domain": told.get("domain", ""), "root_causes": [], "findings": []}
        body |= {"refuted": [], "untested": [], "replayed": told.get("replayed", "")}
        body |= {**verdict, "status": FAILED, "reason": reason}
        write_json(draft / VERDICT, body)
        started = datetime.fromisoformat(account.started.replace("Z", "+00:00"))
        incident = told.get("incident", "")
        return Draft(
            reports, account.environment, account.runbook, started, incident=incident, key=key, record=draft.name
        ).seal(
            status=FAILED,
            domain=str(body["domain"]),
            root_causes=tuple(map(str, body["root_causes"])),
            runbook_sha256=told.get("runbook_sha256") or str(by_hand.get("runbook_sha256", "")),
            opened_from=str(by_hand.get("opened_from", "")),
            edited=str(by_hand.get("edited", "")),
            replayed=str(body["replayed"]),
            reason=reason,
            redactor=redactor,
            ran=Ran(_owner(draft), account.host, _last_sign_of_life(account)),
        )


@contextmanager
def _alone_with(draft: Path) -> Iterator[None]:
    """Holds the lock that the runner held; where there never was one, nothing may have changed for a while."""
    try:
        handle = os.open(draft / LEDGER, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        newest = max((path.stat().st_mtime for path in (draft, *draft.rglob("*"))), default=0.0)
        if time.time() - newest < _QUIET_SECONDS:
            raise NotOver(
                tell(
                    f"{draft.name} was written to less than {_QUIET_SECONDS // 60} minutes ago, and has no ledger",
                    f"{draft.name} 在 {_QUIET_SECONDS // 60} 分钟之内还有写入，且没有运行台账",
                ),
                next_step=tell(
                    "If nothing writes it any more, wait and try again.", "如果已没有程序写入，请稍后再试。"
                ),
            ) from None
        yield
        return
    except OSError as error:
        raise UsageError(
            tell(f"{draft / LEDGER} can't be opened: {error.strerror}", f"无法打开 {draft / LEDGER}：{error.strerror}")
        ) from None
    try:
        if not _is_free(handle, draft):
            raise NotOver(
                tell(f"the run of {draft.name} goes on, or is being sealed", f"{draft.name} 仍在运行，或正在封存")
            )
        yield
    finally:
        os.close(handle)


def _is_free(handle: int, draft: Path) -> bool:
    """Takes the lock; somebody who was faster may have sealed the draft since it was opened."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), (draft / LEDGER).stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _object(path: Path) -> Mapping[str, Any]:
    with suppress(OSError, ValueError):
        body = parse(path.read_bytes())
        if isinstance(body, dict):
            return body
    return {}


def _owner(draft: Path) -> str:
    """Whoever ran it: the files are theirs."""
    number = draft.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def _last_sign_of_life(account: Account) -> str:
    return max((account.ended, account.started, *(t for s in account.steps for t in (s.started, s.ended))))
