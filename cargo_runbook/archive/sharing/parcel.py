"""A finished draft on its way from the machine that ran it to the one whose archive it is sealed in.

The machine that ran it looks through it as every seal does: it has the same program, and it alone knows its secrets by
value. The archive's machine gives it its place in the chain.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import files_in, make_folders, write_json
from cargo_runbook.archive.places import DRAFTS, MANIFEST, SIGNATURE, folder_of
from cargo_runbook.archive.reading.records import UnreadableRecord, read_header
from cargo_runbook.archive.record import HEADER, Header, Record
from cargo_runbook.archive.sealing.chain import Signer
from cargo_runbook.archive.sealing.draft import Draft, chain_draft, operator_name
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

_NAME = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_MOST_BYTES = 1 << 30


class BadParcel(UsageError):
    """What came back is no draft of a record."""


class TravellingDraft(Draft):
    """A draft that is finished here and sealed elsewhere.

    Args:
        archive: folder of the archive that it will be sealed in, as its own machine calls it.
    """

    def __init__(self, *arguments: Any, archive: Path, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.final = folder_of(archive, self.id)

    def _signer(self, key: Path | None) -> Signer | None:
        return None

    def _file(self, header: Header) -> Record:
        return Record(self.folder, header, "")


def pack(draft: Path) -> bytes:
    """All files of a finished draft."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(files_in(draft)):
            file.write(draft / name, name)
    return content.getvalue()


def take_in(reports: Path, record: str, parcel: bytes, *, incident: str = "", sign: Signer | None = None) -> Record:
    """Seals the draft that came in a parcel: it gets its place in the chain of this archive.

    Args:
        record: id of the record, as the machine that ran it told.
        incident: what the record belongs to.
        sign: signs its manifest.

    Raises:
        BadParcel: it holds what no draft does; nothing was taken in.
        UsageError: the archive can't be written.
    """
    try:
        folder_of(reports, record)
    except ValueError as error:
        raise BadParcel(str(error)) from None
    draft = reports.absolute() / DRAFTS / record
    try:
        make_folders(draft)
        _unpack(parcel, draft)
        header = read_header(draft)
        if header.record != record:
            other = tell(f"the parcel of {record} holds {header.record}", f"{record} 传回的是 {header.record}")
            raise BadParcel(other)  # noqa: TRY301 - cleaned up like the others
    except (BadParcel, UnreadableRecord, zipfile.BadZipFile) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BadParcel(
            tell(f"what came back of {record} is no record: {error}", f"{record} 传回的内容不是记录：{error}")
        ) from None
    except OSError as error:
        raise UsageError(
            tell(
                f"no record can be written below {reports}: {error.strerror}",
                f"无法在 {reports} 下写入记录：{error.strerror}",
            )
        ) from None
    header = replace(header, operator=operator_name(), incident=incident)
    write_json(draft / HEADER, asdict(header))
    return chain_draft(draft, header, sign)


def _unpack(parcel: bytes, draft: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(parcel)) as file:
        members = file.infolist()
        if sum(member.file_size for member in members) > _MOST_BYTES:
            raise BadParcel(tell("it is too large", "内容过大"))
        for member in members:
            name = member.filename
            own = name in (MANIFEST, SIGNATURE) or ".." in name.split("/")
            if own or not _NAME.fullmatch(name) or (draft / name).exists():
                raise BadParcel(tell(f"it holds {name!r}", f"含有 {name!r}"))
            make_folders((draft / name).parent)
            (draft / name).write_bytes(file.read(member))
