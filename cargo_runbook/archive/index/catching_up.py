"""How the index learns what came since it was open the last time: new lines of the chain, and changed day folders."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import parse
from cargo_runbook.archive.index.text import searchable
from cargo_runbook.archive.keeping.prune import buried_in, is_tombstone
from cargo_runbook.archive.places import CHAIN, DRAFTS, MANIFEST, folder_of, roots
from cargo_runbook.archive.record import FIX, HEADER, NOTE, RUN
from cargo_runbook.archive.sealing.chain import Entry, lines

_AT_ONCE = 500
# Names that are given to a folder twice within one tick of the file system's clock leave its time as it was.
_SETTLED = 2_000_000_000

Progress = Callable[[int], None]


def catch_up(database: sqlite3.Connection, reports: Path, progress: Progress) -> None:
    """Takes in what is new.

    Raises:
        sqlite3.DatabaseError: the index is damaged or can't be written.
    """
    done = 0
    for root, folder in roots(reports):
        if _is_current(database, root, folder):
            continue
        # In turns, so that others who only look never wait long.
        while taken := _take(database, root, folder):
            done += taken
            progress(done)
    database.execute("BEGIN IMMEDIATE")
    for root, folder in roots(reports):
        _look_at_days(database, root, folder)
    database.execute("COMMIT")


def _offset(database: sqlite3.Connection, root: str) -> int:
    found = database.execute("SELECT offset FROM roots WHERE root = ?", (root,)).fetchone()
    return int(found[0]) if found else 0


def _is_current(database: sqlite3.Connection, root: str, folder: Path) -> bool:
    size = (folder / CHAIN).stat().st_size if (folder / CHAIN).exists() else 0
    offset = _offset(database, root)
    if size < offset:
        # Not the archive that this was made from.
        raise sqlite3.DatabaseError("the chain is shorter than it was")
    return size == offset


def _take(database: sqlite3.Connection, root: str, folder: Path) -> int:
    """Takes in some lines of the chain; gives their number."""
    database.execute("BEGIN IMMEDIATE")
    offset, count = _offset(database, root), 0
    entries: list[Entry] = []
    for end, line in islice(lines(folder, offset), _AT_ONCE):
        offset, count = end, count + 1
        # A damaged line is told by verify; those after it are still found.
        with suppress(ValueError):
            entries.append(Entry.of(line))
    bodies: list[tuple[Entry, Mapping[str, Any], str]] = []
    for entry in entries:
        place = _place(folder, entry.record)
        if is_tombstone(entry.record):
            _insert(database, root, bodies)
            bodies = []
            _bury(database, root, place)
        elif (body := _body(place)) is None and root:
            # Of records between those of a bundle there is the manifest alone.
            continue
        elif body is None:
            # Pruned: what it was stands in the tombstone, which comes later. Else it is damaged.
            database.execute("INSERT OR REPLACE INTO unreadable VALUES (?, ?)", (str(place), _why_not(place)))
        elif body.get("kind", RUN) in (RUN, NOTE, FIX):
            bodies.append((entry, body, searchable(place, body)))
    _insert(database, root, bodies)
    database.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", (root, offset))
    database.execute("COMMIT")
    return count


def _place(root: Path, record: str) -> Path:
    final = folder_of(root, record)
    return final if final.exists() else root / DRAFTS / record


def _body(folder: Path) -> dict[str, Any] | None:
    try:
        body = parse((folder / HEADER).read_bytes())
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) and "record" in body else None


def _why_not(folder: Path) -> str:
    """The file that it lacks; empty where one is damaged. The sentence is made for whoever reads it."""
    return next((name for name in (HEADER, MANIFEST) if not (folder / name).exists()), "")


def _insert(
    database: sqlite3.Connection,
    root: str,
    found: Iterable[tuple[Entry, Mapping[str, Any], str]],
    pruned: int = 0,
) -> None:
    for entry, body, text in found:
        causes = [str(code) for code in body.get("root_causes", ())]
        told = [str(body.get(name, "")) for name in _TOLD]
        told.append(str(body.get("kind", RUN)))
        values = (root, entry.record, entry.sequence, entry.head, *told, json.dumps(causes), pruned)
        done = database.execute(_INSERT, values)
        if done.rowcount < 1 or done.lastrowid is None:
            continue
        started = str(body.get("started", ""))
        codes = [(code, started, done.lastrowid) for code in set(causes)]
        database.executemany("INSERT OR IGNORE INTO codes VALUES (?, ?, ?)", codes)
        if text:
            database.execute("INSERT INTO texts (rowid, body) VALUES (?, ?)", (done.lastrowid, text))


_TOLD = ("environment", "runbook", "status", "started", "ended", "incident", "operator", "reason", "replayed")
_INSERT = (  # the names are ours, the values are bound
    f"INSERT OR IGNORE INTO records (root, record, sequence, head, {', '.join(_TOLD)}, kind, root_causes, pruned) "  # noqa: S608
    f"VALUES ({', '.join('?' * (len(_TOLD) + 7))})"
)


def _bury(database: sqlite3.Connection, root: str, folder: Path) -> None:
    for kept in buried_in(folder):
        record = str(kept.get("record", ""))
        found = database.execute("SELECT id FROM records WHERE root = ? AND record = ?", (root, record)).fetchone()
        if found:
            database.execute("UPDATE records SET pruned = 1 WHERE id = ?", found)
            database.execute("DELETE FROM texts WHERE rowid = ?", found)
        else:
            entry = Entry(int(kept.get("sequence", 0)), record, str(kept.get("head", "")))
            _insert(database, root, [(entry, kept, "")], pruned=1)
        database.execute("DELETE FROM unreadable WHERE path LIKE ?", (f"%/{record}",))


def _look_at_days(database: sqlite3.Connection, root: str, folder: Path) -> None:
    """Finds records from before the chain, and ones that are gone, where something changed."""
    for day in sorted(folder.glob("[0-9]*/[0-9]*/[0-9]*")):
        changed = day.stat().st_mtime_ns
        name = f"{root}/{day.relative_to(folder)}"
        known = database.execute("SELECT changed FROM days WHERE day = ?", (name,)).fetchone()
        if known and known[0] == changed:
            continue
        _look_at_day(database, root, day)
        if time.time_ns() - changed > _SETTLED:
            database.execute("INSERT OR REPLACE INTO days VALUES (?, ?)", (name, changed))


def _look_at_day(database: sqlite3.Connection, root: str, day: Path) -> None:
    with os.scandir(day) as listed:
        there = {each.name for each in listed if each.is_dir(follow_symlinks=False) and not each.name.startswith(".")}
    begin = "".join(day.parts[-3:])
    statement = "SELECT record, gone FROM records WHERE root = ? AND record >= ? AND record < ?"
    known = dict(database.execute(statement, (root, begin, f"{begin}~")).fetchall())
    for record, gone in known.items():
        if bool(gone) != (record not in there):
            database.execute("UPDATE records SET gone = ? WHERE root = ? AND record = ?",
                             (int(not gone), root, record))  # fmt: skip
    for record in sorted(there - set(known)):
        _take_old(database, root, day / record)


def _take_old(database: sqlite3.Connection, root: str, folder: Path) -> None:
    try:
        if "sequence" in parse((folder / MANIFEST).read_bytes()):
            # It is about to be taken from the chain, or was told as unreadable, or the chain does not have it.
            return
        body = _body(folder)
    except (OSError, ValueError, TypeError):
        body = None
    if body is None:
        database.execute("INSERT OR REPLACE INTO unreadable VALUES (?, ?)", (str(folder), _why_not(folder)))
        return
    _insert(database, root, [(Entry(0, folder.name, ""), body, searchable(folder, body))])
