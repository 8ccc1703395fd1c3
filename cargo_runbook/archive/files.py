"""Files of the archive: written whole or not at all, digested, put onto the disk."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cargo_runbook.json_layout import laid_out


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(body: object) -> bytes:
    """JSON that is the same bytes for the same data: sorted keys, no spaces, UTF-8, no line end."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(text: bytes | str) -> Any:
    """JSON that may be of anybody's making.

    Raises:
        ValueError: it is none, or nested deeper than any of ours.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def write_json(path: Path, body: object) -> None:
    """JSON for people and programs, whole or not at all."""
    write_text(path, laid_out(body) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all: under another name, onto the disk, then renamed."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """As `write_text`."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def files_in(folder: Path) -> Iterator[str]:
    """Paths of all that lies in a folder and is no folder itself, relative, with slashes; links are not followed."""
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{name}/")
                else:
                    yield name


def sync(path: Path) -> None:
    """Puts a file or the names in a folder onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folders(folder: Path) -> None:
    """Makes a folder and those above it that are missing, each onto the disk."""
    if folder.is_dir():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def utc(moment: datetime) -> str:
    """ISO time with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
