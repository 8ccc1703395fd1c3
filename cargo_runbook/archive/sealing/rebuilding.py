"""The chain made anew from the manifests, where its file is missing: folders were copied without it, or it was lost.

Nothing is trusted more than before: what was taken out leaves a gap in the numbers, and a changed manifest has another
head than the record after it says. `verify` names both.
"""

from __future__ import annotations

from pathlib import Path

from cargo_runbook.archive.files import parse, write_bytes
from cargo_runbook.archive.places import CHAIN, MANIFEST, folders
from cargo_runbook.archive.sealing.chain import Entry, entry_of


def rebuild_chain(reports: Path) -> int:
    """Writes `chain.jsonl` from the manifests of all sealed records, in their order; gives their number.

    Does nothing where the file is there, and where nothing is sealed. The lock must be held.
    """
    if (reports / CHAIN).exists():
        return 0
    entries: list[Entry] = []
    for folder in folders(reports):
        try:
            content = (folder / MANIFEST).read_bytes()
            entry = entry_of(parse(content), content, folder)
        except (OSError, ValueError):
            # From before the chain, or damaged: verify tells.
            continue
        if entry.record == folder.name:
            entries.append(entry)
    if entries:
        ordered = sorted(entries, key=lambda entry: (entry.sequence, entry.record))
        write_bytes(reports / CHAIN, b"".join(entry.line() for entry in ordered))
    return len(entries)
