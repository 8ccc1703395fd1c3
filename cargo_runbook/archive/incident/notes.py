"""Notes of people: what was seen, decided or done beside the runs. Each is a record of its own, sealed like all others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.archive.files import utc, write_json
from cargo_runbook.archive.record import NOTE, NOTE_FILE, Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.errors import UsageError
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import tell


def write_note(reports: Path, incident: str, text: str, at: str = "", *, key: Path | None = None) -> Record:
    """Seals a note; secrets that are known by their shape are masked.

    Args:
        at: ISO UTC time that it is about (default: now).
        key: as in `Draft`.

    Raises:
        UsageError: the incident has no id, the text is empty, or the archive can't be written.
    """
    if not incident.strip() or not text.strip():
        raise UsageError(tell("a note needs the id of an incident and a text", "说明需要事件编号和文字"))
    draft = Draft(reports, "incident", NOTE, incident=incident, key=key)
    write_json(draft.folder / NOTE_FILE, {"at": at or utc(datetime.now(UTC)), "text": Redactor().redact(text.strip())})
    return draft.seal(status=NOTE, kind=NOTE)
