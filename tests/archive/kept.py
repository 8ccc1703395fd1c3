"""Records to test with: written as a run writes them, small."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.archive.places import MANIFEST, folder_of
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import write_findings
from tests.views.diagnoses import evidence, wrong_domain

STARTED = datetime(2026, 3, 4, 10, 4, 11, tzinfo=UTC)


def keep(reports: Path, environment: str = "cargo", started: datetime = STARTED, incident: str = "") -> Record:
    """A sealed record of a run that found the wrong domain."""
    diagnosis = wrong_domain(environment)
    draft = Draft(reports, environment, "00_triage", started, incident=incident)
    write_findings(draft.folder, diagnosis, evidence())
    return draft.seal(status="fault", domain=diagnosis.domain, root_causes=diagnosis.root_causes)


def keep_old(reports: Path, environment: str = "cargo") -> Record:
    """A record as it was written before there was a chain."""
    record = keep(reports / "elsewhere", environment)
    manifest = record.path / MANIFEST
    files = json.loads(manifest.read_bytes())["files"]
    manifest.write_text(json.dumps({"files": files}, indent=2) + "\n", encoding="utf-8")
    final = folder_of(reports, record.header.record)
    final.parent.mkdir(parents=True, exist_ok=True)
    record.path.rename(final)
    shutil.rmtree(reports / "elsewhere")
    return replace(record, path=final, head="", sequence=0)
