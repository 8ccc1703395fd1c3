"""Drafts: a record while it is written, and how it gets its header, its last look and its place in the chain."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook.archive.files import files_in, make_folders, sync, utc, write_json
from cargo_runbook.archive.places import DRAFTS, folder_of
from cargo_runbook.archive.record import FINAL_VARIABLE, HEADER, INCIDENT_VARIABLE, NOTEBOOK, RUN, Header, Record
from cargo_runbook.archive.sealing.chain import Signer, append, make_manifest
from cargo_runbook.archive.sealing.signature import sign_key, signer_with
from cargo_runbook.errors import UsageError
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import tell

if TYPE_CHECKING:
    from cargo_runbook.archive.sealing.clean import Contents
    from cargo_runbook.secret import Redactor


def final_folder(draft: Path) -> Path:
    """Where a draft will lie once it is sealed: where the runner says, or in the archive that it is in."""
    named = os.environ.get(FINAL_VARIABLE)
    return Path(named) if named else folder_of(draft.parent.parent, draft.name)


@dataclass(frozen=True)
class Ran:
    """By whom and on which machine something was run, and until when (ISO UTC)."""

    operator: str
    machine: str
    ended: str


class Draft:
    """A record that is being written.

    Args:
        reports: folder of all records; made when missing.
        environment, runbook: names, part of the record's own name.
        started: start of the run (default: now).
        incident: what it belongs to (default: CARGO_RUNBOOK_INCIDENT).
        key: SSH key to sign with (default: CARGO_RUNBOOK_SIGN_KEY, else no signature); it is tried at once.
        record: id of a draft that somebody else left (default: a new one is begun).

    Raises:
        UsageError: the folder can't be written.
        SigningFailed: the key can't be used.
    """

    def __init__(
        self,
        reports: Path,
        environment: str,
        runbook: str,
        started: datetime | None = None,
        *,
        incident: str = "",
        key: Path | None = None,
        record: str = "",
    ) -> None:
        self._sign = self._signer(key)
        self.started = (started or datetime.now(UTC)).astimezone(UTC)
        self.environment = environment
        self.runbook = runbook
        self.incident = incident or os.environ.get(INCIDENT_VARIABLE, "")
        self.reports = reports.absolute()
        # The random part keeps runs apart that start in the same second.
        name = "-".join((_name_part(environment), _name_part(runbook), secrets.token_hex(3)))
        self.id = record or f"{self.started:%Y%m%dT%H%M%SZ}-{name}"
        self.folder = self.reports / DRAFTS / self.id
        self.final = folder_of(self.reports, self.id)
        try:
            make_folders(self.folder)
        except OSError as error:
            raise UsageError(
                tell(
                    f"no record can be written below {reports}: {error.strerror}",
                    f"无法在 {reports} 下写入记录：{error.strerror}",
                ),
                next_step=tell("Name another folder with --reports.", "用 --reports 指定其他目录。"),
            ) from None

    def _signer(self, key: Path | None) -> Signer | None:
        key = sign_key(key)
        return signer_with(key) if key else None

    def seal(
        self,
        *,
        status: str,
        domain: str = "",
        root_causes: Iterable[str] = (),
        runbook_sha256: str = "",
        opened_from: str = "",
        edited: str = "",
        replayed: str = "",
        reason: str = "",
        kind: str = RUN,
        redactor: Redactor | None = None,
        ran: Ran | None = None,
    ) -> Record:
        """Writes the header, puts everything on the disk, looks through it, and gives it its place in the chain.

        Args:
            runbook_sha256, opened_from, edited, and others: as `Header` says.
            redactor: knows the secrets of the run (default: what this process knows).
            ran: by whom and where it ran, and until when (default: this process, until now).

        Raises:
            SecretInRecord: a secret stands in one of the files; the draft stays as it is.
            UsageError: the archive can't be written, or something in the draft is no file.
        """
        # Late: who lists records needs none of it.
        from cargo_runbook.archive.sealing.clean import Contents, clean, refuse_secrets
        from cargo_runbook.secret import Redactor

        _refuse_other_than_files(self.folder)
        contents = Contents(self.folder)
        header = Header(
            record=self.id,
            environment=self.environment,
            domain=domain,
            runbook=self.runbook,
            runbook_sha256=runbook_sha256,
            opened_from=opened_from,
            edited=edited,
            version=_version(),
            operator=ran.operator if ran else operator_name(),
            machine=ran.machine if ran else socket.gethostname(),
            started=utc(self.started),
            ended=ran.ended if ran else utc(datetime.now(UTC)),
            status=status,
            root_causes=tuple(root_causes),
            replayed=replayed,
            reason=reason,
            incident=self.incident,
            kind=kind,
            parameters=_parameters(contents),
        )
        redactor = redactor or Redactor()
        clean(contents, redactor)
        write_json(self.folder / HEADER, vars(header))
        contents.written(HEADER)
        refuse_secrets(contents, redactor)
        return self._file(header)

    def _file(self, header: Header) -> Record:
        """The last step, when all files are as they will stay."""
        return chain_draft(self.folder, header, self._sign)


def chain_draft(draft: Path, header: Header, sign: Signer | None = None) -> Record:
    """Puts a finished draft onto the disk and gives it its place in the chain of the archive that it lies in.

    Raises:
        UsageError: the archive can't be written; the draft stays as it is.
    """
    reports = draft.parent.parent
    manifest = make_manifest(draft, draft.name)
    folders = {draft}
    for name in files_in(draft):
        sync(draft / name)
        folders.update((draft / name).parents)
    for folder in folders - set(draft.parents):
        sync(folder)
    entry = append(reports, draft, manifest, sign)
    return Record(folder_of(reports, draft.name), header, entry.head, entry.sequence)


def _refuse_other_than_files(draft: Path) -> None:
    """A link would be sealed as what it leads to, and a pipe never come to its end."""
    for name in files_in(draft):
        path = draft / name
        if path.is_symlink() or not path.is_file():
            seal = pasteable("cargo-runbook records seal")
            raise UsageError(
                tell(f"no record was made: {path} is no file", f"未生成记录：{path} 不是普通文件"),
                next_step=tell(f"Remove it, then: {seal}", f"请删除它，然后执行 {seal}"),
            )


def _parameters(contents: Contents) -> Mapping[str, Any]:
    """The parameters that papermill noted in the notebook; none where it did not run it."""
    notebook = contents.parts(NOTEBOOK)[0].data if NOTEBOOK in contents.names else None
    if not isinstance(notebook, dict):
        return {}
    found = notebook.get("metadata", {}).get("papermill", {}).get("parameters", {})
    return found if isinstance(found, dict) else {}


@cache
def _version() -> str:
    return version("cargo-runbook")


def _name_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("._")[:60] or "unnamed"


def operator_name() -> str:
    """Who is at work here."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # Containers often run under a user id without a name.
        return f"uid {os.getuid()}"
