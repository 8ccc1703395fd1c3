"""The index in SQLite: it catches up with the chain when it is opened, from where it was the last time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cargo_runbook.archive.index.catching_up import catch_up
from cargo_runbook.archive.index.filters import Filter
from cargo_runbook.archive.index.text import joined, query
from cargo_runbook.archive.places import MANIFEST
from cargo_runbook.archive.record import HEADER
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

INDEX = ".index.sqlite"
VERSION = 4
"""Another one means other tables: the index is then made anew."""
_WAIT = 60.0
_SCHEMA = f"""
CREATE TABLE roots (root TEXT PRIMARY KEY, offset INTEGER NOT NULL);
CREATE TABLE days (day TEXT PRIMARY KEY, changed INTEGER NOT NULL);
CREATE TABLE unreadable (path TEXT PRIMARY KEY, lacks TEXT NOT NULL);
CREATE TABLE records (
    id INTEGER PRIMARY KEY, root TEXT NOT NULL, record TEXT NOT NULL, sequence INTEGER NOT NULL, head TEXT NOT NULL,
    environment TEXT NOT NULL, runbook TEXT NOT NULL, status TEXT NOT NULL, root_causes TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT NOT NULL, incident TEXT NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL,
    replayed TEXT NOT NULL, kind TEXT NOT NULL, pruned INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX by_record ON records (root, record);
CREATE INDEX by_name ON records (record);
CREATE INDEX by_time ON records (started, environment, runbook, status, kind, pruned);
CREATE INDEX by_environment ON records (environment, started);
CREATE INDEX by_runbook ON records (runbook, started);
CREATE INDEX by_status ON records (status, started);
CREATE INDEX by_incident ON records (incident, started) WHERE incident != '';
CREATE INDEX by_gone ON records (gone) WHERE gone != 0;
CREATE TABLE codes (code TEXT, started TEXT, id INTEGER, PRIMARY KEY (code, started, id)) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (body, tokenize = "unicode61 remove_diacritics 0");
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True)
class Row:
    """What the index knows of a record.

    `origin` is the name of the bundle that it was imported in, empty for one that was made here; `sequence` is 0 for
    one that is not sealed; `excerpt` shows where a search text was found.
    """

    record: str
    path: Path
    environment: str
    runbook: str
    status: str
    root_causes: tuple[str, ...]
    started: str
    ended: str
    incident: str
    operator: str
    reason: str
    replayed: str
    head: str
    sequence: int
    origin: str = ""
    pruned: bool = False
    excerpt: str = ""

    def to_json(self) -> dict[str, Any]:
        """The machine interface of a record."""
        return {
            "record": self.record,
            "environment": self.environment,
            "runbook": self.runbook,
            "status": self.status,
            "root_causes": list(self.root_causes),
            "time": self.started,
            "incident": self.incident,
            "path": str(self.path),
            "head": self.head,
            "sequence": self.sequence,
            "sealed": self.sequence > 0,
            "operator": self.operator,
            "reason": self.reason,
            "replayed": self.replayed,
            "origin": self.origin,
            "pruned": self.pruned,
        }


class Index:
    """The index of an archive, caught up with it. Where it can't be written it is made in memory.

    Args:
        reports: folder of the archive; it may be missing.
        anew: make it from the folders alone, whatever there was.
        progress: gets the number of records that were read.

    Raises:
        UsageError: (from `find`) a search text has no word in it.
    """

    def __init__(
        self, reports: Path, *, anew: bool = False, progress: Callable[[int], None] = lambda done: None
    ) -> None:
        self.reports = reports
        self._database = self._opened(anew)
        try:
            catch_up(self._database, reports, progress)
        except sqlite3.DatabaseError:
            # Damaged, or the folder can't be written after all.
            self._database.close()
            self._database = self._opened(True)
            catch_up(self._database, reports, progress)

    def find(self, wanted: Filter | None = None, limit: int = 0) -> list[Row]:
        """The records that fit, oldest first; with a limit, the newest of them."""
        wanted = wanted or Filter()
        conditions, values = wanted.conditions()
        tables, order, columns = "records", "started", f"{_COLUMNS}, ''"
        if wanted.code:
            tables = "codes CROSS JOIN records USING (id)"
            conditions, values = ["codes.code = ?", *_of_records(conditions)], [wanted.code.upper(), *values]
            order = "codes.started"
        if wanted.text:
            words = query(wanted.text)
            if not words:
                raise UsageError(
                    tell(f"{wanted.text!r} has no word to search for", f"{wanted.text!r} 中没有可搜索的词")
                )
            # By id, which is the order of sealing: FTS5 gives that without sorting all that it found.
            tables, order = "texts CROSS JOIN records ON records.id = texts.rowid", "texts.rowid"
            columns = f"{_COLUMNS}, snippet(texts, 0, '', '', '…', 24)"
            code = ["records.id IN (SELECT id FROM codes WHERE code = ?)"] if wanted.code else []
            conditions, plain = wanted.conditions()
            first, last = self._between(wanted)
            conditions = ["texts MATCH ?", "texts.rowid BETWEEN ? AND ?", *code, *conditions]
            values = [words, first, last, *([wanted.code.upper()] if code else []), *plain]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        cut = f" LIMIT {int(limit)}" if limit else ""
        statement = f"SELECT {columns} FROM {tables}{where} ORDER BY {order} DESC{cut}"  # noqa: S608 - no value is in it
        rows = [self._row(found) for found in self._database.execute(statement, values)]
        return sorted(rows, key=lambda row: (row.started, row.sequence))

    def starting_with(self, start: str, limit: int = 4) -> list[Row]:
        """Records whose id begins like that."""
        statement = f"SELECT {_COLUMNS}, '' FROM records WHERE record >= ? AND record < ? LIMIT ?"  # noqa: S608
        return [self._row(row) for row in self._database.execute(statement, (start, f"{start}\U0010ffff", limit))]

    def unreadable(self) -> list[tuple[str, str]]:
        """Folders that should be records and can't be read, and records that are gone: path, and what is to be said."""
        told = self._database.execute("SELECT path, lacks FROM unreadable ORDER BY path")
        gone = self._database.execute("SELECT root, record FROM records WHERE gone != 0 ORDER BY record")
        return [
            *((path, _why_not(lacks)) for path, lacks in told),
            *((record, tell("is gone: its folder is not there", "已不存在：找不到其目录")) for _, record in gone),
        ]

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM records").fetchone()
        return int(count)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _between(self, wanted: Filter) -> tuple[int, int]:
        """The first and the last id of the time that is asked for: what lies outside need not be looked at."""
        if not wanted.since and not wanted.until:
            return 0, 2**62
        values = (wanted.since, wanted.until or "~")
        found = self._database.execute(
            "SELECT min(id), max(id) FROM records WHERE started >= ? AND started < ?", values
        )
        first, last = found.fetchone()
        return first or 0, last or 0

    def _opened(self, anew: bool) -> sqlite3.Connection:
        path = self.reports / INDEX
        if self.reports.is_dir():
            with suppress(sqlite3.Error, OSError):
                if anew:
                    path.unlink(missing_ok=True)
                return _ready(sqlite3.connect(path, timeout=_WAIT, isolation_level=None))
            with suppress(sqlite3.Error, OSError):
                path.unlink()
                return _ready(sqlite3.connect(path, timeout=_WAIT, isolation_level=None))
        return _ready(sqlite3.connect(":memory:", isolation_level=None))

    def _row(self, found: tuple[Any, ...]) -> Row:
        named = dict(zip(_NAMES, found, strict=True))
        root = named.pop("root")
        named["root_causes"] = tuple(json.loads(named["root_causes"]))
        named["pruned"] = bool(named["pruned"])
        named["excerpt"] = joined(named["excerpt"]).replace("\n", " ")
        path = _path(self.reports / root, named["record"])
        return Row(**named, path=path, origin=Path(root).name)


_PLAIN = ("record", "root", "environment", "runbook", "status", "root_causes", "started", "ended", "incident",
          "operator", "reason", "replayed", "head", "sequence", "pruned")  # fmt: skip
_NAMES = (*_PLAIN, "excerpt")
_COLUMNS = ", ".join(f"records.{name}" for name in _PLAIN)


def _of_records(conditions: list[str]) -> list[str]:
    return [condition.replace("started", "records.started") for condition in conditions]


def _path(root: Path, record: str) -> Path:
    return root / record[:4] / record[4:6] / record[6:8] / record


def _ready(database: sqlite3.Connection) -> sqlite3.Connection:
    try:
        # What is lost in a power cut is made anew.
        database.execute("PRAGMA synchronous = OFF")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            _make(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _make(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        # Somebody else was faster.
        database.execute("ROLLBACK")
        return
    for (name,) in list(_own_tables(database)):
        database.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in _SCHEMA.split(";\n"):
        database.execute(statement)
    database.execute("COMMIT")


def _own_tables(database: sqlite3.Connection) -> Iterator[tuple[str]]:
    yield from database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'texts_%' "
                                "AND name NOT LIKE 'sqlite_%'").fetchall()  # fmt: skip


def _why_not(lacks: str) -> str:
    if lacks:
        return tell(f"is not a record: it has no {lacks}", f"不是记录：缺少 {lacks}")
    return tell(f"is not a record: {HEADER} or {MANIFEST} is damaged", f"不是记录：{HEADER} 或 {MANIFEST} 已损坏")
