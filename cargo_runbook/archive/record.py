"""Records: one executed notebook with its evidence, in a folder of its own that is written whole or not at all.

`reports/YYYY/MM/DD/TIME-ENVIRONMENT-RUNBOOK-ID/` holds `notebook.ipynb`, `verdict.json`, `evidence.jsonl`,
`record.json` and `manifest.json`. While it is written its name starts with `.draft-`; a draft that stays behind
belongs to a run that was cut off.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Diagnosis, diagnosis_to_json
from cargo_runbook.observations import Observation, observation_to_json

NOTEBOOK, VERDICT, EVIDENCE = "notebook.ipynb", "verdict.json", "evidence.jsonl"
HEADER, MANIFEST = "record.json", "manifest.json"
DRAFT_PREFIX = ".draft-"
RECORD_VARIABLE = "CARGO_RUNBOOK_RECORD"
"""Set by the runner for the kernel: the draft of the record that this run is kept in."""
_DAY = "%Y/%m/%d"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What `record.json` says. Times are ISO UTC; `status` is healthy, fault, unknown or failed.

    `runbook_sha256` is of the notebook as it was before the run, empty when it was stepped through by hand; `reason`
    says why a run failed.
    """

    record: str
    environment: str
    domain: str
    runbook: str
    runbook_sha256: str
    version: str
    operator: str
    started: str
    ended: str
    status: str
    root_causes: tuple[str, ...]
    replayed: str = ""
    reason: str = ""
    incident: str = ""


@dataclass(frozen=True)
class Record:
    """A record on disk. `head` is the SHA-256 (hex) of its canonical manifest: what one pastes into a ticket."""

    path: Path
    header: Header
    head: str


def reports_folder(option: Path | None = None, variables: Mapping[str, str] | None = None) -> Path:
    """The folder for records: the option, else CARGO_RUNBOOK_REPORTS, else ./reports. It may not exist yet."""
    values = os.environ if variables is None else variables
    return option or Path(values.get("CARGO_RUNBOOK_REPORTS") or "reports")


class Draft:
    """A record that is being written.

    Args:
        reports: folder of all records; made when missing.
        environment, runbook: names, part of the record's own name.
        started: start of the run (default: now).

    Raises:
        UsageError: the folder can't be written.
    """

    def __init__(self, reports: Path, environment: str, runbook: str, started: datetime | None = None) -> None:
        self.started = (started or datetime.now(UTC)).astimezone(UTC)
        self.environment = environment
        self.runbook = runbook
        # The random part keeps runs apart that start in the same second.
        name = "-".join((_name_part(environment), _name_part(runbook), secrets.token_hex(3)))
        self.id = f"{self.started:%Y%m%dT%H%M%SZ}-{name}"
        day = reports.absolute() / self.started.strftime(_DAY)
        self.folder = day / f"{DRAFT_PREFIX}{self.id}"
        self.final = day / self.id
        try:
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"no record can be written below {reports}: {error.strerror}",
                next_step="Name another folder with --reports.",
            ) from None

    def seal(
        self,
        *,
        status: str,
        domain: str = "",
        root_causes: Iterable[str] = (),
        runbook_sha256: str = "",
        replayed: str = "",
        reason: str = "",
    ) -> Record:
        """Writes header and manifest, puts everything on the disk, and gives the folder its name."""
        header = Header(
            record=self.id,
            environment=self.environment,
            domain=domain,
            runbook=self.runbook,
            runbook_sha256=runbook_sha256,
            version=version("cargo-runbook"),
            operator=_operator(),
            started=utc(self.started),
            ended=utc(datetime.now(UTC)),
            status=status,
            root_causes=tuple(root_causes),
            replayed=replayed,
            reason=reason,
        )
        write_json(self.folder / HEADER, asdict(header))
        manifest = make_manifest(self.folder)
        write_json(self.folder / MANIFEST, manifest)
        for path in sorted(self.folder.rglob("*")):
            _sync(path)
        _sync(self.folder)
        self.folder.rename(self.final)
        _sync(self.final.parent)
        return Record(self.final, header, manifest_head(manifest))


def write_findings(folder: Path, diagnosis: Diagnosis, evidence: Iterable[Observation]) -> None:
    """Writes `verdict.json` and `evidence.jsonl` into a draft, each whole or not at all."""
    write_json(folder / VERDICT, diagnosis_to_json(diagnosis))
    lines = [json.dumps(observation_to_json(o), ensure_ascii=False, sort_keys=True) for o in evidence]
    write_text(folder / EVIDENCE, "".join(f"{line}\n" for line in lines))


def make_manifest(folder: Path) -> dict[str, Any]:
    """Name, size in bytes and SHA-256 of every file of a record, but for the manifest itself."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    return {
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            for path in files
        }
    }


def manifest_head(manifest: dict[str, Any]) -> str:
    """SHA-256 (hex) of the manifest in canonical form: sorted keys, no spaces, UTF-8."""
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, body: object) -> None:
    """JSON for people and programs, whole or not at all."""
    write_text(path, json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all: under another name, onto the disk, then renamed."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def utc(moment: datetime) -> str:
    """ISO time with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _name_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("._")[:60] or "unnamed"


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # Containers often run under a user id without a name.
        return f"uid {os.getuid()}"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
