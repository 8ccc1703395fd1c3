"""Is one record as it was sealed? And what lies where records lie."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import files_in, parse
from cargo_runbook.archive.places import CHAIN, MANIFEST, SIGNATURE, folders
from cargo_runbook.archive.record import HEADER
from cargo_runbook.archive.sealing.chain import Entry, entry_of
from cargo_runbook.texts import Text

_AT_ONCE = 1 << 20
_MISSING = Text("the file is missing", "文件缺失")
_NO_MANIFEST = Text("it is no manifest", "不是有效的清单")


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was sealed. `record` and `file` are empty where it is about the chain as a whole."""

    record: str
    file: str
    problem: Text

    def to_json(self) -> dict[str, str]:
        return {"record": self.record, "file": self.file, "problem": self.problem.en}


def check_record(folder: Path, entry: Entry | None = None, *, pruned: bool = False) -> Iterator[Problem]:
    """What is not as sealed in one record.

    Args:
        entry: its line of the chain; without one, the manifest is taken at its word.
        pruned: whether its files may be gone.
    """
    record = entry.record if entry else folder.name
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError:
        yield Problem(record, MANIFEST, _MISSING)
        return
    try:
        manifest = parse(content)
        files = _digests(manifest)
        found = entry_of(manifest, content, folder)
    except (ValueError, KeyError, TypeError, AttributeError):
        yield Problem(record, MANIFEST, _NO_MANIFEST)
        return
    if entry and found.head != entry.head:
        yield Problem(record, MANIFEST, Text("it was changed: its digest is not the head that the chain has",
                      "已被修改：摘要与链中的校验值不一致"))  # fmt: skip
        return
    if found.record != folder.name:
        yield Problem(record, MANIFEST, Text(f"it belongs to the record {found.record}", f"属于记录 {found.record}"))
    if entry and found.signature != entry.signature:
        yield Problem(record, SIGNATURE, Text("the signature is missing or was changed", "签名缺失或已被修改"))
    yield from _files(record, folder, files, pruned)


def _digests(manifest: Any) -> dict[str, str]:
    """Name -> SHA-256 of every file, as a manifest has it."""
    return {str(name): str(sealed["sha256"]) for name, sealed in manifest["files"].items()}


def _sha256(path: Path) -> str:
    """SHA-256 of a file; empty for a link, a pipe and whatever else is none. A large one never is in memory as a whole."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return ""
        raise
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return ""
        # One byte more: a small file is known to be over when it has been read once.
        digest, size = hashlib.sha256(), min(about.st_size + 1, _AT_ONCE)
        while content := os.read(handle, size):
            digest.update(content)
            if len(content) == about.st_size:
                break
        return digest.hexdigest()
    finally:
        os.close(handle)


def _files(record: str, folder: Path, files: dict[str, str], pruned: bool) -> Iterator[Problem]:
    there = set(files_in(folder)) - {MANIFEST, SIGNATURE}
    for name, sealed in sorted(files.items()):
        if name not in there:
            if not pruned:
                yield Problem(record, name, _MISSING)
            continue
        there.discard(name)
        try:
            found = _sha256(folder / name)
        except OSError as error:
            yield Problem(record, name, Text(f"it can't be read: {error.strerror}", f"无法读取：{error.strerror}"))
            continue
        if found != sealed:
            yield Problem(record, name, Text("it was changed: its digest is not the one that was sealed",
                          "已被修改：摘要与封存时不一致"))  # fmt: skip
    for name in sorted(there):
        yield Problem(record, name, Text("the file was added after sealing", "封存之后新增的文件"))


def lacks_chain(reports: Path) -> bool:
    """Whether there are sealed records, and the file that has their order is gone: copied without it, or lost."""
    return not (reports / CHAIN).exists() and any(
        (folder / MANIFEST).is_file() and not is_old(folder) for folder in folders(reports)
    )


def is_old(folder: Path) -> bool:
    """Is it a record from before there was a chain?"""
    try:
        return (folder / HEADER).exists() and "sequence" not in parse((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def check_old(folder: Path) -> Iterator[Problem]:
    """What is not as its manifest says in a record from before the chain."""
    try:
        yield from _files(folder.name, folder, _digests(parse((folder / MANIFEST).read_bytes())), pruned=False)
    except (ValueError, KeyError, TypeError, AttributeError):
        yield Problem(folder.name, MANIFEST, _NO_MANIFEST)


def stranger(folder: Path) -> Problem:
    """A folder among the records that the chain does not name."""
    if (folder / MANIFEST).is_file():
        return Problem(folder.name, CHAIN, Text("the chain does not have this record", "链中没有该记录"))
    return Problem(folder.name, "", Text("it is no record, and lies among them", "不是记录，却在记录目录中"))
