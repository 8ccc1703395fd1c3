"""Records to test with: written as a run writes them, small."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat

from cargo_runbook.archive.files import write_json
from cargo_runbook.archive.places import MANIFEST, folder_of
from cargo_runbook.archive.record import NOTEBOOK, Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import file_look, write_findings
from cargo_runbook.investigation import open_investigation
from tests.views.diagnoses import evidence, wrong_domain

STARTED = datetime(2026, 3, 4, 10, 4, 11, tzinfo=UTC)
INCIDENT = "INC-42"
CELLS = ("import x", "triage.look('dns')", 'triage.look("challenge")', "triage.verdict()")


def keep(
    reports: Path, environment: str = "cargo", started: datetime = STARTED, incident: str = "", changes: int = 0
) -> Record:
    """A sealed record of a run that found the wrong domain, with so many changes in it."""
    diagnosis = wrong_domain(environment)
    draft = Draft(reports, environment, "00_triage", started, incident=incident)
    write_findings(draft.folder, diagnosis, evidence())
    for number in range(changes):
        folder = draft.folder / "changes" / f"change-{number}"
        folder.mkdir(parents=True)
        for name in ("plan.json", "journal.jsonl"):
            write_json(folder / name, {"event": f"{name} {number}"})
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


def of_recording(reports: Path, recording: str, minutes: int, environment: str = "cargo") -> Record:
    """A record of the incident whose evidence is a shipped recording, so many minutes after STARTED."""
    draft = Draft(reports, environment, "00_triage", STARTED + timedelta(minutes=minutes), incident=INCIDENT)
    with open_investigation(environment, replay=recording) as investigation:
        diagnosis = investigation.diagnose()
        file_look(draft.folder, investigation, diagnosis)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    write_json(draft.folder / NOTEBOOK, notebook)
    return draft.seal(status=str(diagnosis.status), root_causes=diagnosis.root_causes, replayed=diagnosis.replayed)
