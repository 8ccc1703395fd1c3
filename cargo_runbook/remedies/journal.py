"""The account of one change: who did what, when, from where and why; true after kill -9 and power loss.

`reports/changes/ID/` (0700) holds `plan.json`, `journal.jsonl` (a line is on the disk before what it announces is
done), and the content of each edited file before and after, by the number of the action (0600: configuration files
hold secrets).
"""

from __future__ import annotations

import getpass
import json
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

FOLDER = "changes"
PLAN, JOURNAL = "plan.json", "journal.jsonl"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")


@dataclass(frozen=True)
class Change:
    """The folder of one change."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    def note(self, event: str, **more: Any) -> None:
        """Appends an event; it is on the disk when this returns."""
        line = json.dumps({"at": now(), "event": event, **more}, ensure_ascii=False) + "\n"
        descriptor = os.open(self.path / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def events(self) -> tuple[dict[str, Any], ...]:
        """All events; a last line that was cut off is none."""
        try:
            lines = (self.path / JOURNAL).read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return tuple(event for event in found if isinstance(event, dict))

    def keep(self, name: str, content: bytes) -> None:
        """Writes a file of the change, whole or not at all."""
        part = self.path / f".{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path / name)
        _sync(self.path)

    def kept(self, name: str) -> bytes | None:
        """The content of a file of the change; None when there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None


def begin(reports: Path, environment: str, code: str, plan: Mapping[str, Any]) -> Change:
    """A new folder with its plan in it."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{environment}-{code}-{secrets.token_hex(3)}"
    folder = reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / name).mkdir(mode=0o700)
    _sync(folder)
    change = Change(folder / name)
    change.keep(PLAN, json.dumps(plan, ensure_ascii=False, indent=1).encode())
    return change


def find(reports: Path, name: str) -> tuple[Change, dict[str, Any]]:
    """A change by its id, with its plan.

    Raises:
        UsageError: there is none, or its plan can't be read.
    """
    folder = reports / FOLDER
    change = Change(folder / name)
    plan = change.kept(PLAN) if _ID.fullmatch(name) else None
    if plan is None:
        known = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        raise UsageError(
            tell(f"there is no change {name!r} in {folder}", f"{folder} 中没有变更 {name!r}"),
            next_step=tell(f"There are: {', '.join(known) or 'none'}.", f"现有：{', '.join(known) or '无'}。"),
        )
    try:
        body = json.loads(plan)
    except ValueError as error:
        raise UsageError(
            tell(f"{change.path / PLAN} can't be read: {error}", f"无法读取 {change.path / PLAN}：{error}")
        ) from error
    return change, body


def who() -> dict[str, str]:
    """Who is at work, and from where."""
    return {"operator": getpass.getuser(), "machine": socket.gethostname(),
            "from": os.environ.get("SSH_CONNECTION", "").split(" ")[0]}  # fmt: skip


def now() -> str:
    """ISO UTC time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
