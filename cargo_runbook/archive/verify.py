"""Is everything as it was sealed? Every byte of every record, their order, and that none is missing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.archive.chain import CHAIN, DRAFTS, MANIFEST, SIGNATURE, Entry, entry_of, folder_of, lines
from cargo_runbook.archive.files import files_in
from cargo_runbook.archive.prune import Tombstones
from cargo_runbook.archive.record import HEADER
from cargo_runbook.texts import Text

_DAYS = "[0-9]*/[0-9]*/[0-9]*"

_MISSING = Text("the file is missing", "文件缺失")
_NO_MANIFEST = Text("it is no manifest", "不是有效的清单")

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was sealed. `record` and `file` are empty where it is about the chain as a whole."""

    record: str
    file: str
    problem: Text

    def to_json(self) -> dict[str, str]:
        return {"record": self.record, "file": self.file, "problem": self.problem.en}


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what is wrong.

    `records` counts the entries of the chain, `unsealed` the records from before there was one, `pruned` those of which
    only the manifest is kept; `head` is that of the last record.
    """

    records: int
    unsealed: int
    pruned: int
    head: str
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(reports: Path, *, head: str = "", progress: Progress | None = None) -> Verification:
    """Checks a whole archive. Only reads; records that are added meanwhile are left for the next time.

    Args:
        head: one that is known from elsewhere, at least its first 12 digits: it must be in the chain.
        progress: gets the number of records that are done.
    """
    problems: list[Problem] = []
    entries = _chain(reports, problems)
    listed = {entry.record for entry in entries}
    buried = Tombstones.of(reports, entries)
    before: Entry | None = None
    for number, entry in enumerate(entries, start=1):
        problems += _links(before, entry)
        problems += _record(reports, entry, before, buried)
        before = entry
        if progress:
            progress(number)
    unsealed = 0
    for folder in folders(reports):
        if folder.name in listed:
            continue
        old = _is_old(folder)
        problems += _old(folder) if old else [_stranger(folder)]
        unsealed += old
    if head and not any(entry.head.startswith(head.lower()) for entry in entries):
        problems.append(Problem("", CHAIN, Text(f"no record has the head {head}: records after the last one were cut "
                        "off, or this is another archive", f"没有记录的校验值为 {head}：末尾的记录被截断，或这是另一个归档")))  # fmt: skip
    if problems:
        # What was pruned while this went on is no loss.
        later = Tombstones.of(reports, _chain(reports, []))
        problems = [p for p in problems if buried.holds(p.record) or not (later.holds(p.record) and _gone(reports, p))]
    last = entries[-1].head if entries else ""
    return Verification(len(entries), unsealed, len(buried), last, tuple(problems))


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
        manifest = json.loads(content)
        files: dict[str, Any] = manifest["files"]
        found = entry_of(manifest, content, folder)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
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


def folders(reports: Path, start: str = "") -> Iterator[Path]:
    """All folders that lie where records lie and whose names begin like that, in order."""
    whole = start[:8].isdecimal() and len(start) >= len("YYYYMMDD")
    for day in sorted(reports.glob("/".join((start[:4], start[4:6], start[6:8])) if whole else _DAYS)):
        if day.is_dir():
            with os.scandir(day) as found:
                names = sorted(n for each in found if (n := each.name).startswith(start) and not n.startswith("."))
            yield from (day / name for name in names)


def _files(record: str, folder: Path, files: dict[str, Any], pruned: bool) -> Iterator[Problem]:
    there = set(files_in(folder)) - {MANIFEST, SIGNATURE}
    for name, sealed in sorted(files.items()):
        if name not in there:
            if not pruned:
                yield Problem(record, name, _MISSING)
            continue
        there.discard(name)
        path = folder / name
        try:
            content = None if path.is_symlink() else path.read_bytes()
        except OSError as error:
            yield Problem(record, name, Text(f"it can't be read: {error.strerror}", f"无法读取：{error.strerror}"))
            continue
        if content is None or hashlib.sha256(content).hexdigest() != sealed["sha256"]:
            yield Problem(record, name, Text("it was changed: its digest is not the one that was sealed",
                          "已被修改：摘要与封存时不一致"))  # fmt: skip
    for name in sorted(there):
        yield Problem(record, name, Text("the file was added after sealing", "封存之后新增的文件"))


def _chain(reports: Path, problems: list[Problem]) -> list[Entry]:
    entries = []
    end = 0
    for number, (end, line) in enumerate(lines(reports), start=1):  # noqa: B007 - the last one counts
        try:
            entries.append(Entry.of(line))
        except ValueError:
            said = Text(f"line {number} is damaged: it is no entry", f"第 {number} 行已损坏")
            problems.append(Problem("", CHAIN, said))
    path = reports / CHAIN
    if path.exists() and path.stat().st_size > end and not any((reports / DRAFTS).glob("*/manifest.json")):
        problems.append(Problem("", CHAIN, Text("the last line is cut off", "最后一行不完整")))
    return entries


def _links(before: Entry | None, entry: Entry) -> Iterator[Problem]:
    place = before.sequence + 1 if before else 1
    if entry.sequence != place:
        said = Text(
            f"it has the number {entry.sequence} and stands where {place} should: records before it were taken out or "
            "moved",
            f"编号为 {entry.sequence}，该位置应为 {place}：之前的记录被移除或调换",
        )
        yield Problem(entry.record, CHAIN, said)
    elif entry.previous != (before.head if before else ""):
        said = Text("it does not follow the record before it: the heads differ", "与前一条记录的校验值不衔接")
        yield Problem(entry.record, CHAIN, said)


def _record(reports: Path, entry: Entry, before: Entry | None, buried: Tombstones) -> Iterator[Problem]:
    folder = folder_of(reports, entry.record)
    if not folder.is_dir():
        waiting = reports / DRAFTS / entry.record
        if not waiting.is_dir():
            yield Problem(entry.record, "", Text("the record is missing", "记录缺失"))
            return
        # Its writer is just about to give it its place, or was cut off there.
        folder = waiting
    yield from check_record(folder, entry, pruned=buried.holds(entry.record))
    yield from _placed(folder, entry, before)


def _placed(folder: Path, entry: Entry, before: Entry | None) -> Iterator[Problem]:
    """Does the manifest say of its place what the chain says?"""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        previous = manifest["previous"]
        same = manifest["sequence"] == entry.sequence and (previous["head"] if previous else "") == entry.previous
        signed = previous["signature"] if previous and before else before.signature if before else ""
    except (OSError, ValueError, KeyError, TypeError):
        # Told already, by whoever looked at the files.
        return
    if not same:
        yield Problem(entry.record, MANIFEST, Text("its place in the chain is another one", "在链中的位置不符"))
    elif before and before.record == (previous or {}).get("record") and signed != before.signature:
        yield Problem(before.record, SIGNATURE, Text("the signature is another one", "签名不是原来的"))


def _is_old(folder: Path) -> bool:
    """Is it a record from before there was a chain?"""
    try:
        return (folder / HEADER).exists() and "sequence" not in json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _old(folder: Path) -> Iterator[Problem]:
    try:
        yield from _files(folder.name, folder, json.loads((folder / MANIFEST).read_bytes())["files"], pruned=False)
    except (KeyError, TypeError, AttributeError):
        yield Problem(folder.name, MANIFEST, _NO_MANIFEST)


def _stranger(folder: Path) -> Problem:
    if (folder / MANIFEST).is_file():
        return Problem(folder.name, CHAIN, Text("the chain does not have this record", "链中没有该记录"))
    return Problem(folder.name, "", Text("it is no record, and lies among them", "不是记录，却在记录目录中"))


def _gone(reports: Path, problem: Problem) -> bool:
    return bool(problem.file) and not (folder_of(reports, problem.record) / problem.file).exists()
