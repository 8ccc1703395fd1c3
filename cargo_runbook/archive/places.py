"""Where what lies in an archive: its own files, and the folder of each record, by day."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

CHAIN, LOCK, DRAFTS = "chain.jsonl", ".lock", ".drafts"
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
IMPORTED = "imported"
"""Folder of archives that came from other machines, each with a chain of its own."""
_ID = re.compile(r"(\d{4})(\d\d)(\d\d)T\d{6}Z-[A-Za-z0-9._-]+")
_DAYS = "[0-9]*/[0-9]*/[0-9]*"


def is_id(text: str) -> bool:
    """Could a record have that id?"""
    return _ID.fullmatch(text) is not None


def folder_of(reports: Path, record: str) -> Path:
    """Where the record of that id lies or will lie.

    Raises:
        ValueError: that is no id of a record.
    """
    found = _ID.fullmatch(record)
    if found is None:
        raise ValueError(f"{record!r} is no id of a record")
    return reports.joinpath(*found.groups(), record)


def roots(reports: Path) -> Iterator[tuple[str, Path]]:
    """The archives of a folder: itself (named by an empty text), and those that were imported."""
    yield "", reports
    for folder in sorted((reports / IMPORTED).glob("*/")):
        if (folder / CHAIN).exists() and not folder.name.startswith("."):
            yield f"{IMPORTED}/{folder.name}", folder


def folders(reports: Path, start: str = "") -> Iterator[Path]:
    """All folders that lie where records lie and whose names begin like that, in order."""
    whole = start[:8].isdecimal() and len(start) >= len("YYYYMMDD")
    for day in sorted(reports.glob("/".join((start[:4], start[4:6], start[6:8])) if whole else _DAYS)):
        if day.is_dir():
            with os.scandir(day) as found:
                names = sorted(n for each in found if (n := each.name).startswith(start) and not n.startswith("."))
            yield from (day / name for name in names)
