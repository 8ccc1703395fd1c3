"""Retention: old records lose their files, but never their place in the chain.

What is pruned, and why, is a record of its own, a tombstone, written and chained before anything is taken away. A
pruned record keeps its `manifest.json`: the chain goes through it, and the digests of what was there stay known.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import files_in, parse, sync, write_json
from cargo_runbook.archive.places import MANIFEST, SIGNATURE, folder_of
from cargo_runbook.archive.record import HEADER, Record
from cargo_runbook.archive.sealing.chain import Entry, lines
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

PRUNE = "prune"
TOMBSTONE = "tombstone.json"
_PLACE = "archive"
_IS_TOMBSTONE = re.compile(rf"-{_PLACE}-{PRUNE}-[0-9a-f]{{6}}")
_IS_IMPORT = re.compile(rf"-{_PLACE}-import-[0-9a-f]{{6}}")
_KEPT = (MANIFEST, SIGNATURE)


@dataclass(frozen=True)
class Tombstones:
    """Which records were pruned: id -> head, as the tombstones of a chain say."""

    heads: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reports: Path, entries: Iterable[Entry]) -> Tombstones:
        """Reads the tombstones of a chain; one that can't be read buries nothing."""
        heads: dict[str, str] = {}
        for entry in entries:
            if is_tombstone(entry.record):
                buried = buried_in(folder_of(reports, entry.record))
                heads |= {each["record"]: each["head"] for each in buried}
        return cls(heads)

    def holds(self, record: str) -> bool:
        return record in self.heads

    def __len__(self) -> int:
        return len(self.heads)


def is_tombstone(record: str) -> bool:
    """Whether that is the id of a tombstone."""
    return _IS_TOMBSTONE.search(record) is not None


def is_import(text: str) -> bool:
    """Whether that is, or holds, the id of a record that says that a bundle was taken in."""
    return _IS_IMPORT.search(text) is not None


def buried_in(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """The records that one tombstone names, each with its head and what stood in its header."""
    try:
        body = parse((folder / TOMBSTONE).read_bytes())
        return tuple(each for each in body["records"] if isinstance(each["record"], str) and each["head"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


@dataclass(frozen=True)
class Pruning:
    """What was pruned, or would be. `tombstone` is None where nothing was done."""

    records: tuple[str, ...]
    bytes: int
    tombstone: Record | None = None


def prune(
    reports: Path,
    *,
    older_than: timedelta | None = None,
    keep: int | None = None,
    spare: Iterable[str] = (),
    reason: str = "",
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruning:
    """Takes away the files of old records.

    Args:
        older_than: records that started longer ago than this.
        keep: all but that many of the newest. With both, a record goes only if both say so.
        spare: ids that stay in any case, such as those of an incident.
        reason: stands in the tombstone.
        dry_run: only tells.

    Raises:
        UsageError: neither limit was given, or the archive can't be written.
    """
    if older_than is None and keep is None:
        raise UsageError(
            tell("nothing says which records are old", "没有说明哪些记录算旧"),
            next_step=tell("Give --older-than, --keep, or both.", "请给出 --older-than、--keep 或两者。"),
        )
    if keep is not None and keep < 0:
        raise UsageError(
            tell("--keep takes the number of records that stay, 0 or more", "--keep 为保留的记录数，须不小于 0")
        )
    entries = [Entry.of(line) for _, line in lines(reports)]
    buried = Tombstones.of(reports, entries)
    # Who says that a bundle was taken in vouches for it as long as it is there.
    runs = [entry for entry in entries if not is_tombstone(entry.record) and not is_import(entry.record)]
    alive = [entry for entry in runs if not buried.holds(entry.record)]
    chosen = _chosen(alive, older_than, keep, set(spare), now or datetime.now(UTC))
    size = sum(_size(folder_of(reports, entry.record)) for entry in chosen)
    names = tuple(entry.record for entry in chosen)
    if dry_run:
        return Pruning(names, size)
    tombstone = _bury(reports, chosen, reason) if chosen else None
    # Those of earlier times too: one that was cut off is finished by the next.
    for record in (*buried.heads, *names):
        _empty(folder_of(reports, record))
    return Pruning(names, size, tombstone)


def _chosen(
    alive: Sequence[Entry], older_than: timedelta | None, keep: int | None, spare: set[str], now: datetime
) -> list[Entry]:
    newest_first = sorted(alive, key=lambda entry: entry.record[:16], reverse=True)
    old = newest_first[keep:] if keep is not None else newest_first
    if older_than is not None:
        limit = f"{now - older_than:%Y%m%dT%H%M%SZ}"
        old = [entry for entry in old if entry.record[:16] < limit]
    return sorted((entry for entry in old if entry.record not in spare), key=lambda entry: entry.sequence)


def _bury(reports: Path, chosen: Sequence[Entry], reason: str) -> Record:
    draft = Draft(reports, _PLACE, PRUNE)
    records = [{**_told(reports, entry), "head": entry.head, "sequence": entry.sequence} for entry in chosen]
    write_json(draft.folder / TOMBSTONE, {"reason": reason, "records": records})
    return draft.seal(status=PRUNE, kind=PRUNE, reason=reason)


def _told(reports: Path, entry: Entry) -> dict[str, Any]:
    """What stays known of a record: its header."""
    try:
        body = parse((folder_of(reports, entry.record) / HEADER).read_bytes())
    except (OSError, ValueError):
        body = {}
    return {**body, "record": entry.record} if isinstance(body, dict) else {"record": entry.record}


def _empty(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name in _KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    sync(folder)


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum((folder / name).stat().st_size for name in files_in(folder) if name not in _KEPT)
