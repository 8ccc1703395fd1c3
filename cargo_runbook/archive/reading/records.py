"""Reading records back: what is there, and what is not a record though it lies among them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import parse
from cargo_runbook.archive.places import DRAFTS, MANIFEST, folder_of, folders, roots
from cargo_runbook.archive.reading.typed import well_typed
from cargo_runbook.archive.record import EVIDENCE, HEADER, LOOK, NOTE_FILE, RUN, VERDICT, Header, Record
from cargo_runbook.archive.sealing.chain import entry_of
from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Diagnosis, Health, diagnosis_from_json
from cargo_runbook.observations import Observation, observation_from_json
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import tell


class UnreadableRecord(UsageError):
    """A folder that should be a record isn't one, or its files can't be read."""


@dataclass(frozen=True)
class Listing:
    """The records of a folder by time, what can't be read as one, and drafts of runs that were cut off."""

    records: tuple[Record, ...]
    unreadable: tuple[UnreadableRecord, ...]
    drafts: tuple[Path, ...]


def list_records(reports: Path) -> Listing:
    """All records of an archive, each read from its folder; empty when there is none. See `Index` for a quick look."""
    records: list[Record] = []
    unreadable: list[UnreadableRecord] = []
    for folder in folders(reports):
        try:
            records.append(read_record(folder))
        except UnreadableRecord as error:
            unreadable.append(error)
    return Listing(tuple(sorted(records, key=lambda r: r.header.started)), tuple(unreadable), list_drafts(reports))


def list_drafts(reports: Path) -> tuple[Path, ...]:
    """Drafts of runs that go on or were cut off, by time."""
    return tuple(sorted((reports / DRAFTS).glob("*/")))


def find_record(reports: Path, wanted: str) -> Record:
    """The record with that id, the start of an id that fits one alone, or a path.

    Raises:
        UsageError: none fits, or several do.
        UnreadableRecord: the one that fits can't be read.
    """
    if "/" in wanted and Path(wanted).is_dir():
        return read_record(Path(wanted))
    # The id says where it lies: only its start has to be searched for.
    with suppress(ValueError):
        for _, root in roots(reports):
            if (exactly := folder_of(root, wanted)).is_dir():
                return read_record(exactly)
    fitting = [path for _, root in roots(reports) for path in folders(root, wanted)]
    if len(fitting) == 1:
        return read_record(fitting[0])
    if fitting:
        shown = ", ".join(path.name for path in fitting[:3])
        raise UsageError(
            tell(f"{len(fitting)} records start with {wanted!r}", f"有 {len(fitting)} 条记录以 {wanted!r} 开头"),
            next_step=tell(f"Give more of the id: {shown} ...", f"请给出更长的编号：{shown} ..."),
        )
    known = pasteable("cargo-runbook records list")
    raise UsageError(
        tell(f"there is no record {wanted!r} below {reports}", f"{reports} 下没有记录 {wanted!r}"),
        next_step=tell(f"{known}   shows those that there are", f"用 {known} 查看已有记录"),
    )


def find_draft(reports: Path, wanted: str) -> Path | None:
    """The draft of a run that goes on or was cut off, by the id that its record would have, or the start of it."""
    name = Path(wanted).name
    fitting = [path for path in list_drafts(reports) if name and path.name.startswith(name)]
    return fitting[0] if len(fitting) == 1 else None


def read_header(folder: Path) -> Header:
    """The header of a record or of a finished draft.

    Raises:
        UnreadableRecord: it is missing, is no JSON, or lacks a field.
    """
    body = _json(folder, HEADER)
    known = {field.name for field in fields(Header)}
    try:
        # Fields that a newer version added are passed over.
        header = Header(**{name: value for name, value in body.items() if name in known})
        header = replace(header, root_causes=tuple(header.root_causes))
    except TypeError:
        raise UnreadableRecord(
            tell(f"{folder} is not a record: {HEADER} lacks a field", f"{folder} 不是记录：{HEADER} 缺少字段")
        ) from None
    if not well_typed(header):
        raise UnreadableRecord(
            tell(
                f"{folder} is not a record: {HEADER} has a field of a wrong type",
                f"{folder} 不是记录：{HEADER} 有字段类型不符",
            )
        )
    return header


def read_record(folder: Path) -> Record:
    """The record in a folder.

    Raises:
        UnreadableRecord: a file is missing, is no JSON, or lacks a field.
    """
    header = read_header(folder)
    manifest = _json(folder, MANIFEST)
    if "sequence" not in manifest:
        return Record(folder, header, "")
    try:
        content = (folder / MANIFEST).read_bytes()
        entry = entry_of(manifest, content, folder)
    except (OSError, ValueError) as error:
        raise UnreadableRecord(
            tell(f"{folder / MANIFEST} is not a manifest: {error}", f"{folder / MANIFEST} 不是有效的清单：{error}")
        ) from None
    return Record(folder, header, entry.head, entry.sequence)


def read_diagnosis(record: Record) -> Diagnosis | None:
    """The diagnosis of a record; None when its run ended without one.

    Raises:
        UnreadableRecord: its file can't be read.
    """
    if record.header.kind != RUN and not (record.path / VERDICT).exists():
        # What a person wrote, or what was done to the archive.
        return None
    body = _json(record.path, VERDICT)
    if body.get("status") not in set(Health):
        return None
    try:
        diagnosis = diagnosis_from_json(body)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableRecord(
            tell(
                f"{record.path / VERDICT} is not a verdict: {error}", f"{record.path / VERDICT} 不是有效的结论：{error}"
            )
        ) from None
    if not well_typed(diagnosis):
        raise UnreadableRecord(
            tell(
                f"{record.path / VERDICT} is not a verdict: a field has a value of a wrong type",
                f"{record.path / VERDICT} 不是有效的结论：有字段的值类型不符",
            )
        )
    return diagnosis


def read_evidence_of(record: Record) -> Sequence[Observation]:
    """The evidence of a record, in the order of its ids; nothing when the run left none.

    Raises:
        UnreadableRecord: its file can't be read.
    """
    path = record.path / EVIDENCE
    if not path.exists():
        return ()
    try:
        # No splitlines: a JSON text may hold U+2028 and others that it takes for line ends.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        found = [observation_from_json(parse(line)) for line in lines if line]
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableRecord(tell(f"{path} is not evidence: {error}", f"{path} 不是证据：{error}")) from None
    if not all(map(well_typed, found)):
        raise UnreadableRecord(
            tell(f"{path} is not evidence: a field has a value of a wrong type", f"{path} 不是证据：有字段的值类型不符")
        )
    return found


def read_look(record: Record) -> dict[str, Any] | None:
    """What the look of a record was about (see `archive.sealing.look`); None where the run left none.

    Raises:
        UnreadableRecord: its file can't be read.
    """
    return _json(record.path, LOOK) if (record.path / LOOK).exists() else None


def read_note(folder: Path) -> tuple[str, str]:
    """Time and text of a note; both empty where there is none that can be read."""
    try:
        body = parse((folder / NOTE_FILE).read_bytes())
        return str(body["at"]), str(body["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    try:
        body = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnreadableRecord(
            tell(f"{folder} is not a record: it has no {name}", f"{folder} 不是记录：缺少 {name}")
        ) from None
    except OSError as error:
        raise UnreadableRecord(
            tell(f"{path} can't be read: {error.strerror}", f"无法读取 {path}：{error.strerror}")
        ) from None
    except ValueError:
        raise UnreadableRecord(tell(f"{path} is not JSON", f"{path} 不是 JSON")) from None
    if not isinstance(body, dict):
        raise UnreadableRecord(tell(f"{path} does not hold an object", f"{path} 的内容不是 JSON 对象"))
    return body
