"""Bundles: records as one zip file that verifies on another machine, with the chain between them.

A bundle is a part of an archive: `chain.jsonl` from the first of its records to the last, these records whole, and of
those between them the manifest alone. So nobody can say that one in between was left out unless its manifest says it was
there. `bundle.json` says what is whole. An imported bundle keeps its chain in a folder of its own, and a record of the
archive that took it in names its digests.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cargo_runbook.archive.files import files_in, make_folders, sha256_of, sync, utc, write_json
from cargo_runbook.archive.keeping.verify import BUNDLE, IMPORT_FILE, Part, named_imports, verify
from cargo_runbook.archive.places import CHAIN, IMPORTED, MANIFEST, SIGNATURE, folder_of
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.chain import Entry, lines, locked
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

FORMAT = 1
IMPORT = "import"
_PLACE = "archive"
_README = "README.txt"
_MOST_BYTES = 8 * 2**30
_MOST_FILES = 1_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"\d{4}/\d\d/\d\d/[A-Za-z0-9._-]+/[^\\\0]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII)
_TOLD = f"""Records of cargo-runbook; each folder is one executed notebook with its evidence.

With cargo-runbook:  cargo-runbook records verify THIS.zip --head HEAD
Without it:          sha256sum {MANIFEST}, in a record's folder, must print the head that stands in the ticket;
                     the manifest has the SHA-256 of every other file of that folder.
"""


class BadBundle(UsageError):
    """A file is no bundle, or not as it was exported."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    records: tuple[str, ...]
    head: str


@dataclass(frozen=True)
class Imported:
    """What was taken in. `record` names it in the own chain."""

    folder: Path
    records: tuple[str, ...]
    record: Record


def export_bundle(reports: Path, records: Sequence[Record], target: Path) -> Exported:
    """Writes records as a bundle, whole or not at all.

    Raises:
        UsageError: there are none, one is not sealed or not of this archive, or the file can't be written.
    """
    unsealed = next((record for record in records if not record.sealed), None)
    if unsealed:
        raise UsageError(
            tell(
                f"{unsealed.header.record} is not sealed: nobody could verify it elsewhere",
                f"{unsealed.header.record} 未封存：无法在其他机器上校验",
            ),
            next_step=tell(f"Copy its folder instead: {unsealed.path}", f"请改为复制其目录：{unsealed.path}"),
        )
    whole = {record.header.record for record in records}
    entries = [Entry.of(line) for _, line in lines(reports)]
    numbers = [entry.sequence for entry in entries if entry.record in whole]
    if not whole or len(numbers) != len(whole):
        raise UsageError(
            tell("these are no records of this archive", "这些不是本归档的记录"),
            next_step=tell("Imported ones leave in their own bundle.", "导入的记录请用其原来的记录包。"),
        )
    between = [entry for entry in entries if min(numbers) <= entry.sequence <= max(numbers)]
    about = {"format": FORMAT, "exported": utc(datetime.now(UTC)), "records": sorted(whole), "head": entries[-1].head}
    partial = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as file:
            _add(file, BUNDLE, json.dumps(about, indent=2).encode())
            _add(file, _README, _TOLD.encode())
            _add(file, CHAIN, b"".join(entry.line() for entry in between))
            for entry in between:
                folder = folder_of(reports, entry.record)
                names = sorted(files_in(folder)) if entry.record in whole else [MANIFEST, SIGNATURE]
                for name in names:
                    if (folder / name).exists():
                        _add(file, f"{folder.relative_to(reports)}/{name}", (folder / name).read_bytes())
        sync(partial)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(
            tell(f"{target} can't be written: {error.strerror}", f"无法写入 {target}：{error.strerror}"),
            next_step=tell("Name another file.", "请换一个文件。"),
        ) from None
    return Exported(target, tuple(sorted(whole)), entries[-1].head)


def import_bundle(reports: Path, bundle: Path) -> Imported:
    """Takes a bundle in: verified, with its own chain, below `imported/`; and a record that says so.

    Raises:
        BadBundle: it is none, or something in it is not as it was sealed; nothing is taken in.
        UsageError: it was taken in before, or the archive can't be written.
    """
    digest = sha256_of(bundle) if bundle.is_file() else ""
    known = set(named_imports(reports))
    with opened(bundle) as (folder, part):
        result = verify(folder, part=part)
        if not result.ok:
            first = result.problems[:3]
            told = tell(
                "; ".join(f"{p.record} {p.file}: {p.problem.en}".strip() for p in first),
                "；".join(f"{p.record} {p.file}：{p.problem.zh}".strip() for p in first),
            )
            raise BadBundle(
                tell(f"{bundle} is not as it was sealed, and was not taken in", f"{bundle} 与封存时不一致，没有导入"),
                seen=told,
            )
        name = f"{part.exported[:10].replace('-', '')}-{result.head[:12]}"
        final = reports / IMPORTED / name
        draft = Draft(reports, _PLACE, IMPORT)
        with locked(reports.absolute()):
            if final.exists() and f"{IMPORTED}/{name}" in known:
                shutil.rmtree(draft.folder)
                raise UsageError(tell(f"{bundle} was taken in before", f"{bundle} 已经导入过"), seen=str(final))
            make_folders(final.parent)
            # Nothing names it: its import was cut off, or somebody put it there.
            shutil.rmtree(final, ignore_errors=True)
            partial = final.with_name(f".{name}.part")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(folder, partial)
            for path in sorted(partial.rglob("*")):
                sync(path)
            partial.rename(final)
            sync(final.parent)
    body = {
        "folder": f"{IMPORTED}/{name}",
        "bundle_sha256": digest,
        "chain_sha256": sha256_of(final / CHAIN),
        "about_sha256": sha256_of(final / BUNDLE),
        "records": sorted(part.whole),
    }
    write_json(draft.folder / IMPORT_FILE, body)
    record = draft.seal(status=IMPORT, kind=IMPORT, reason=f"{len(part.whole)} records of {bundle.name}")
    return Imported(final, tuple(sorted(part.whole)), record)


@contextmanager
def opened(bundle: Path) -> Iterator[tuple[Path, Part]]:
    """The content of a bundle in a folder, while the context lasts; it is not verified yet.

    Raises:
        BadBundle: it is no bundle.
    """
    with TemporaryDirectory(prefix="cargo-runbook-bundle-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(bundle) as file:
                for each in _members(file.infolist(), bundle):
                    target = folder / each.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with file.open(each) as source, target.open("xb") as unpacked:
                        shutil.copyfileobj(source, unpacked)
            yield folder, _part(folder, bundle)
        except (zipfile.BadZipFile, EOFError) as error:
            raise BadBundle(
                tell(f"{bundle} is damaged or no bundle: {error}", f"{bundle} 已损坏或不是记录包：{error}")
            ) from None
        except (OSError, NotImplementedError, RuntimeError) as error:
            raise BadBundle(tell(f"{bundle} can't be read: {error}", f"无法读取 {bundle}：{error}")) from None
        except (ValueError, KeyError, TypeError):
            raise BadBundle(
                tell(
                    f"{bundle} is no bundle: it has no {BUNDLE} that says what is in it",
                    f"{bundle} 不是记录包：缺少说明其内容的 {BUNDLE}",
                )
            ) from None


def _part(folder: Path, bundle: Path) -> Part:
    """What the bundle says of itself, which no seal stands for."""
    part = Part.of(folder)
    listed = {Entry.of(line).record for _, line in lines(folder)}
    if not part.whole or not part.whole <= listed:
        raise BadBundle(
            tell(
                f"{bundle} is no bundle: its {CHAIN} does not have the records that it says it holds",
                f"{bundle} 不是记录包：{CHAIN} 中没有其声明包含的记录",
            )
        )
    # A folder is named by it.
    if not _DAY.match(part.exported):
        raise BadBundle(
            tell(
                f"{bundle} is no bundle: {BUNDLE} has no time of its export",
                f"{bundle} 不是记录包：{BUNDLE} 没有导出时间",
            )
        )
    return part


def _members(found: Iterable[zipfile.ZipInfo], bundle: Path) -> list[zipfile.ZipInfo]:
    members = list(found)
    if len(members) > _MOST_FILES or sum(each.file_size for each in members) > _MOST_BYTES:
        raise BadBundle(
            tell(f"{bundle} is too large to be taken in", f"{bundle} 过大，无法导入"),
            next_step=tell("Export it again in several parts.", "请分几部分重新导出。"),
        )
    names: set[str] = set()
    for each in members:
        known = each.filename in (BUNDLE, CHAIN, _README) or _NAME.fullmatch(each.filename)
        if not known or ".." in each.filename.split("/") or each.filename in names or each.is_dir():
            raise BadBundle(
                tell(
                    f"{bundle} holds {each.filename!r}, which no bundle has; nothing was taken in",
                    f"{bundle} 含有记录包中不应有的 {each.filename!r}；没有导入任何内容",
                )
            )
        names.add(each.filename)
    return members


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Times and modes of this machine say nothing about the record.
    about = zipfile.ZipInfo(name, _EPOCH)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o644 << 16
    file.writestr(about, content)
