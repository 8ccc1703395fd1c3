"""The chain: which record came after which, so that none can be changed, taken out or moved unnoticed.

The manifest of a record names every file with its SHA-256, and the record before it with that one's head. The head of
a record is the SHA-256 of the bytes of its `manifest.json`; so one head stands for that record and for all before it.
`chain.jsonl` has a line a record, in order. It is what makes the order known without reading every folder; everything
in it stands in the manifests too.

Writers take turns by a lock on a file. A line is on the disk before the record's folder gets its name: a writer that
is cut off between the two leaves what the next one finishes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import canonical, files_in, make_folders, parse, sha256_of, sync, write_bytes
from cargo_runbook.archive.places import CHAIN, DRAFTS, LOCK, MANIFEST, SIGNATURE, folder_of, is_id
from cargo_runbook.errors import UsageError
from cargo_runbook.json_layout import laid_out
from cargo_runbook.texts import tell

FORMAT = 1
_BLOCK = 4096

Signer = Callable[[Path], None]
"""Writes the signature of a manifest beside it."""


@dataclass(frozen=True)
class Entry:
    """One line of the chain. Digests are hex; `previous` is the head before it, `signature` that of the signature file,
    each empty when there is none.
    """

    sequence: int
    record: str
    head: str
    previous: str = ""
    signature: str = ""

    def line(self) -> bytes:
        """As it stands in the file, with its line end."""
        return canonical(vars(self)) + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Entry:
        """The inverse of `line`, without the line end.

        Raises:
            ValueError: these are not exactly the bytes that `line` gives.
        """
        try:
            entry = cls(**parse(line))
            same = entry.line() == line + b"\n"
            texts = all(isinstance(text, str) for name, text in vars(entry).items() if name != "sequence")
        except (TypeError, UnicodeError) as error:
            raise ValueError(str(error)) from None
        if not same or not texts or not is_id(entry.record) or type(entry.sequence) is not int:
            raise ValueError("it is not written as this program writes it")
        return entry


def lines(reports: Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """The whole lines of the chain from a byte on: the offset after each, and the line without its end."""
    try:
        with (reports / CHAIN).open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    # Still being written, or cut off: the next writer sees to it.
                    return
                offset += len(line)
                yield offset, line[:-1]
    except FileNotFoundError:
        return


def last_entry(reports: Path) -> Entry | None:
    """The last line that is an entry, without reading those before it."""
    tail = b""
    try:
        with (reports / CHAIN).open("rb") as file:
            position = file.seek(0, os.SEEK_END)
            while position:
                start = max(0, position - _BLOCK)
                file.seek(start)
                tail = file.read(position - start) + tail
                position = start
                first, *rest = tail.split(b"\n")
                whole = rest if position else [first, *rest]
                for line in reversed(whole):
                    try:
                        return Entry.of(line)
                    except ValueError:
                        continue
                tail = first if position else b""
    except FileNotFoundError:
        return None
    return None


def make_manifest(folder: Path, record: str) -> dict[str, Any]:
    """Name, size in bytes and SHA-256 of every file of a record, but for manifest and signature themselves."""
    names = sorted(name for name in files_in(folder) if name not in (MANIFEST, SIGNATURE))
    files = {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)} for name in names}
    return {"files": files, "format": FORMAT, "record": record}


def append(reports: Path, draft: Path, manifest: Mapping[str, Any], sign: Signer | None = None) -> Entry:
    """Seals a draft: its manifest gets its place in the chain, and its folder the name that it keeps.

    Args:
        draft: folder whose files are on the disk already.
        manifest: as `make_manifest` gives it.
        sign: called with the manifest's path while the lock is held.

    Raises:
        UsageError: the archive can't be written; the draft stays as it is.
    """
    try:
        with locked(reports):
            before = settle(reports)
            body = {**manifest, "sequence": before.sequence + 1 if before else 1, "previous": None}
            if before:
                body["previous"] = {"record": before.record, "head": before.head, "signature": before.signature}
            content = laid_out(body, indent=1, sort_keys=True).encode() + b"\n"
            write_bytes(draft / MANIFEST, content)
            if sign:
                sign(draft / MANIFEST)
            sync(draft)
            entry = entry_of(body, content, draft)
            _add_line(reports, entry.line())
            _place(reports, entry)
            return entry
    except OSError as error:
        raise UsageError(
            tell(
                f"the record can't be sealed in {reports}: {error.strerror}",
                f"无法在 {reports} 中封存记录：{error.strerror}",
            ),
            seen=tell(f"It stays as a draft: {draft}", f"保留为草稿：{draft}"),
            next_step=tell(
                "Make room or mend the folder's rights, then run it again.", "请腾出空间或修正目录权限，然后重新执行。"
            ),
        ) from None


def entry_of(manifest: Mapping[str, Any], content: bytes, folder: Path) -> Entry:
    """The line of the chain that a manifest stands for.

    Args:
        content: the bytes of its file.
        folder: where the signature lies, if there is one.

    Raises:
        ValueError: the manifest is none of a sealed record.
    """
    try:
        previous = manifest["previous"]
        signature = folder / SIGNATURE
        return Entry(
            sequence=int(manifest["sequence"]),
            record=str(manifest["record"]),
            head=sha256(content).hexdigest(),
            previous=previous["head"] if previous else "",
            signature=sha256_of(signature) if signature.exists() else "",
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the manifest lacks {error}") from None


@contextmanager
def locked(reports: Path) -> Iterator[None]:
    """Holds the archive for writing; waits until it is free. A process that dies lets go of it."""
    make_folders(reports)
    handle = os.open(reports / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def settle(reports: Path) -> Entry | None:
    """Finishes what a writer that was cut off had begun, and gives the last entry. The lock must be held."""
    if not (reports / CHAIN).exists():
        # Late: it reads folders, which nobody does who only adds.
        from cargo_runbook.archive.sealing.rebuilding import rebuild_chain

        rebuild_chain(reports)
    _finish_line(reports)
    last = last_entry(reports)
    if last is not None and (reports / DRAFTS / last.record).is_dir() and not folder_of(reports, last.record).exists():
        _place(reports, last)
    return last


def _finish_line(reports: Path) -> None:
    """A last line without an end: completed from the draft that it belongs to, else ended as it is, for verify to name.

    Nothing that was written is ever taken away.
    """
    torn = _torn(reports)
    if not torn:
        return
    for draft in sorted((reports / DRAFTS).glob("*/")):
        try:
            content = (draft / MANIFEST).read_bytes()
            expected = entry_of(parse(content), content, draft).line()
        except (OSError, ValueError):
            continue
        if expected.startswith(torn):
            _add_line(reports, expected[len(torn) :])
            return
    _add_line(reports, b"\n")


def _torn(reports: Path) -> bytes:
    try:
        with (reports / CHAIN).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _BLOCK))
            return file.read().rpartition(b"\n")[2]
    except FileNotFoundError:
        return b""


def _add_line(reports: Path, line: bytes) -> None:
    path = reports / CHAIN
    new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, line) != len(line):
                raise OSError(28, "no space left on the device")  # noqa: TRY301 - told like the ones of the system
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
    if new:
        sync(reports)


def _place(reports: Path, entry: Entry) -> None:
    final = folder_of(reports, entry.record)
    make_folders(final.parent)
    (reports / DRAFTS / entry.record).rename(final)
    sync(final.parent)
    sync(reports / DRAFTS)
