"""Is everything as it was sealed? Every byte of every record, their order, and that none is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cargo_runbook.archive.files import parse, sha256_of
from cargo_runbook.archive.keeping.prune import Tombstones, is_import
from cargo_runbook.archive.keeping.seal import Problem, check_old, check_record, is_old, lacks_chain, stranger
from cargo_runbook.archive.places import CHAIN, DRAFTS, MANIFEST, SIGNATURE, folder_of, folders, roots
from cargo_runbook.archive.sealing.chain import Entry, lines
from cargo_runbook.texts import Text

BUNDLE, IMPORT_FILE = "bundle.json", "import.json"

_LOST = Text(
    "the file is missing, so that the order of the records is not known; `cargo-runbook records reindex` makes it anew "
    "from their manifests",
    "文件缺失，记录的顺序未知；可用 `cargo-runbook records reindex` 根据各记录的清单重建",
)

_NOT_IMPORTED = Text(
    "no record says that this was imported: it was put there past `cargo-runbook records import`, or the import was cut "
    "off; importing the bundle again mends that",
    "没有记录表明该归档是导入的：未经 `cargo-runbook records import` 放入，或导入被中断；重新导入即可",
)

Progress = Callable[[int], None]


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


@dataclass(frozen=True)
class Part:
    """A part of an archive, as a bundle has it: these records are whole, and of the others there is the manifest."""

    whole: frozenset[str]
    exported: str = ""

    @classmethod
    def of(cls, folder: Path) -> Part:
        """As the part itself says.

        Raises:
            OSError, ValueError, KeyError, TypeError: it says nothing of that kind.
        """
        body = parse((folder / BUNDLE).read_bytes())
        return cls(frozenset(map(str, body["records"])), str(body["exported"]))


def verify_all(reports: Path, *, head: str = "", progress: Progress | None = None) -> Verification:
    """`verify` for an archive and for those that were imported into it."""
    result = verify(reports, progress=progress)
    problems = [*result.problems, *_imports(reports)]
    known = set(named_imports(reports))
    if head and not any(_has_head(folder, head) for _, folder in roots(reports)):
        problems.append(Problem("", CHAIN, _no_head(head)))
    for root, folder in roots(reports):
        if not root:
            continue
        if root not in known:
            problems.append(Problem("", f"{root}/{CHAIN}", _NOT_IMPORTED))
        try:
            part = Part.of(folder)
        except (OSError, ValueError, KeyError, TypeError):
            problems.append(Problem("", f"{root}/{BUNDLE}", Text("it is damaged or missing", "损坏或缺失")))
            continue
        found = verify(folder, part=part).problems
        problems += [replace(p, file=f"{root}/{p.file}") for p in found]
    return replace(result, problems=tuple(problems))


def verify(
    reports: Path, *, head: str = "", progress: Progress | None = None, part: Part | None = None
) -> Verification:
    """Checks one archive. Only reads; records that are added meanwhile are left for the next time.

    Args:
        head: one that is known from elsewhere, at least its first 12 digits: it must be in the chain.
        progress: gets the number of records that are done.
        part: when it is a part of another one; its chain may then begin anywhere.
    """
    problems: list[Problem] = []
    entries = _chain(reports, problems)
    listed = {entry.record for entry in entries}
    buried = Tombstones.of(reports, entries)
    before: Entry | None = None
    for number, entry in enumerate(entries, start=1):
        if before or not part:
            problems += _links(before, entry)
        bare = buried.holds(entry.record) if part is None else entry.record not in part.whole
        problems += _record(reports, entry, before, bare)
        before = entry
        if progress:
            progress(number)
    unsealed = 0
    lost = lacks_chain(reports)
    if lost:
        problems.append(Problem("", CHAIN, _LOST))
    for folder in folders(reports):
        if folder.name in listed:
            continue
        old = is_old(folder)
        # Without the chain, each record is taken at its word.
        alone = lost and (folder / MANIFEST).is_file()
        problems += check_old(folder) if old else check_record(folder) if alone else [stranger(folder)]
        unsealed += old
    if head and not _has_head(reports, head):
        problems.append(Problem("", CHAIN, _no_head(head)))
    if problems:
        # What was pruned while this went on is no loss.
        later = Tombstones.of(reports, _chain(reports, []))
        problems = [p for p in problems if buried.holds(p.record) or not (later.holds(p.record) and _gone(reports, p))]
    last = entries[-1].head if entries else ""
    return Verification(len(entries), unsealed, len(buried), last, tuple(problems))


def _has_head(reports: Path, head: str) -> bool:
    wanted = f'"head":"{head.lower()}'.encode()
    return any(wanted in line for _, line in lines(reports))


def _no_head(head: str) -> Text:
    return Text(
        f"no record has the head {head}: records after the last one were cut off, or this is another archive",
        f"没有记录的校验值为 {head}：末尾的记录被截断，或这是另一个归档",
    )


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


def _record(reports: Path, entry: Entry, before: Entry | None, bare: bool) -> Iterator[Problem]:
    folder = folder_of(reports, entry.record)
    if not folder.is_dir():
        waiting = reports / DRAFTS / entry.record
        if not waiting.is_dir():
            yield Problem(entry.record, "", Text("the record is missing", "记录缺失"))
            return
        # Its writer is just about to give it its place, or was cut off there.
        folder = waiting
    yield from check_record(folder, entry, pruned=bare)
    yield from _placed(folder, entry, before)


def _placed(folder: Path, entry: Entry, before: Entry | None) -> Iterator[Problem]:
    """Does the manifest say of its place what the chain says?"""
    try:
        manifest = parse((folder / MANIFEST).read_bytes())
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


def named_imports(reports: Path) -> Iterator[str]:
    """The folders of imported archives that a record of the archive names, such as `imported/20260304-3f9c…`."""
    for _, body in _import_records(reports):
        yield str(body["folder"])


def _imports(reports: Path) -> Iterator[Problem]:
    """Imported archives that are not as they were taken in, as the records that name them say."""
    for record, body in _import_records(reports):
        told = {f"{body['folder']}/{CHAIN}": body["chain_sha256"], f"{body['folder']}/{BUNDLE}": body["about_sha256"]}
        for name, digest in told.items():
            if not (reports / name).is_file() or sha256_of(reports / name) != digest:
                yield Problem(record, name, Text("it is not as it was imported", "与导入时不一致"))


def _import_records(reports: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for _, line in lines(reports):
        if not is_import(line.decode("utf-8", "replace")):
            continue
        try:
            record = Entry.of(line).record
            body = parse((folder_of(reports, record) / IMPORT_FILE).read_bytes())
            yield record, {name: str(body[name]) for name in ("folder", "chain_sha256", "about_sha256")}
        except (OSError, ValueError, KeyError, TypeError):
            # Told already, by whoever looked at the record.
            continue


def _gone(reports: Path, problem: Problem) -> bool:
    return bool(problem.file) and not (folder_of(reports, problem.record) / problem.file).exists()
