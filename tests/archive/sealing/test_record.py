"""Records on disk: whole or not at all, found again, and a sentence for what is none."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cargo_runbook.archive.places import MANIFEST, folder_of
from cargo_runbook.archive.reading.records import (
    UnreadableRecord,
    find_record,
    list_records,
    read_diagnosis,
    read_evidence_of,
    read_record,
)
from cargo_runbook.archive.record import HEADER, VERDICT
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import write_findings
from cargo_runbook.errors import UsageError
from tests.archive.kept import STARTED, keep, keep_old
from tests.views.diagnoses import evidence, wrong_domain


def test_a_record_gives_back_what_was_kept(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    found = find_record(tmp_path, kept.header.record)
    assert found == kept
    assert read_diagnosis(found) == wrong_domain()
    assert tuple(read_evidence_of(found)) == evidence()
    assert kept.path.parent == tmp_path / "2026/03/04"
    assert kept.header.record.startswith("20260304T100411Z-cargo-00_triage-")


def test_the_manifest_has_the_digest_of_every_file_and_the_head_that_of_the_manifest(tmp_path: Path) -> None:
    record = keep(tmp_path)
    manifest = json.loads((record.path / MANIFEST).read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"evidence.jsonl", "masked.json", "record.json", "verdict.json"}
    for name, entry in manifest["files"].items():
        body = (record.path / name).read_bytes()
        assert entry == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    # So that `sha256sum manifest.json` is all that one needs to compare it with a ticket.
    assert record.head == hashlib.sha256((record.path / MANIFEST).read_bytes()).hexdigest()


def test_records_of_the_same_second_do_not_collide(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        records = list(pool.map(lambda _: keep(tmp_path), range(24)))
    assert len({record.path for record in records}) == 24
    assert len(list_records(tmp_path).records) == 24


def test_a_draft_is_no_record(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage", STARTED)
    write_findings(draft.folder, wrong_domain(), evidence())
    listing = list_records(tmp_path)
    assert (listing.records, listing.unreadable) == ((), ())
    assert listing.drafts == (draft.folder,)
    with pytest.raises(UsageError, match="there is no record"):
        find_record(tmp_path, draft.id)


def test_a_name_with_slashes_stays_below_the_reports_folder(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "reports", "../../etc", "a/b", STARTED)
    assert draft.final.parent == tmp_path / "reports/2026/03/04"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (HEADER, None, "is not a record: it has no record.json"),
        (HEADER, "{", "is not JSON"),
        (HEADER, "[]", "does not hold an object"),
        (HEADER, "{}", "record.json lacks a field"),
        (MANIFEST, None, "is not a record: it has no manifest.json"),
    ],
)
def test_a_folder_that_is_no_record_gives_a_sentence(
    tmp_path: Path, name: str, text: str | None, sentence: str
) -> None:
    good = keep(tmp_path, "devops")
    bad = keep(tmp_path).path
    if text is None:
        (bad / name).unlink()
    else:
        (bad / name).write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableRecord, match=sentence):
        read_record(bad)
    listing = list_records(tmp_path)
    assert [r.header.record for r in listing.records] == [good.header.record]
    assert len(listing.unreadable) == 1


def test_a_damaged_verdict_gives_a_sentence(tmp_path: Path) -> None:
    record = keep(tmp_path)
    (record.path / VERDICT).write_text('{"status": "fault"}', encoding="utf-8")
    with pytest.raises(UnreadableRecord, match="is not a verdict"):
        read_diagnosis(record)


def test_the_start_of_an_id_is_enough_when_one_record_has_it(tmp_path: Path) -> None:
    first, second = keep(tmp_path, "cargo"), keep(tmp_path, "devops")
    assert find_record(tmp_path, "20260304T100411Z-dev") == second
    assert find_record(tmp_path, str(first.path)) == first
    with pytest.raises(UsageError, match="2 records start with"):
        find_record(tmp_path, "20260304")


def test_a_reports_folder_that_can_not_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="no record can be written below"):
        Draft(tmp_path / "file", "cargo", "00_triage")


def test_a_record_from_before_the_chain_is_read_and_called_unsealed(tmp_path: Path) -> None:
    old, new = keep_old(tmp_path, "devops"), keep(tmp_path)
    assert (old.sealed, new.sealed) == (False, True)
    assert find_record(tmp_path, old.header.record) == old
    assert {record.header.record for record in list_records(tmp_path).records} == {
        old.header.record,
        new.header.record,
    }


def test_a_header_of_an_older_version_is_read_without_the_fields_that_came_later(tmp_path: Path) -> None:
    record = keep_old(tmp_path)
    path = record.path / HEADER
    body = json.loads(path.read_bytes())
    for name in ("machine", "kind", "parameters"):
        del body[name]
    path.write_text(json.dumps(body), encoding="utf-8")
    assert read_record(record.path).header.operator == record.header.operator


def test_evidence_with_a_line_separator_of_unicode_is_read_back(tmp_path: Path) -> None:
    odd = tuple(replace(each, output="one\u2028two\x85three") for each in evidence())
    draft = Draft(tmp_path, "cargo", "00_triage", STARTED)
    write_findings(draft.folder, wrong_domain(), odd)
    assert tuple(read_evidence_of(draft.seal(status="fault"))) == odd


def test_the_incident_of_the_surroundings_is_that_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_INCIDENT", "INC-7")
    assert keep(tmp_path).header.incident == "INC-7"


def test_the_id_of_a_record_says_where_it_lies(tmp_path: Path) -> None:
    record = keep(tmp_path)
    assert folder_of(tmp_path, record.header.record) == record.path
    with pytest.raises(ValueError, match="is no id of a record"):
        folder_of(tmp_path, "../../etc/passwd")


@pytest.mark.parametrize("kind", ["link", "dead link", "pipe"])
def test_what_is_no_file_is_refused_and_the_draft_stays(tmp_path: Path, kind: str) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage")
    path = draft.folder / "more"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/etc/hostname" if kind == "link" else "nowhere")
    with pytest.raises(UsageError, match="more is no file"):
        draft.seal(status="failed")
    assert draft.folder.exists()
