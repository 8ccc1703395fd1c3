"""A draft that was finished on another machine is sealed here, or refused as a whole."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import pytest

from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import DRAFTS
from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.clean import SecretInRecord
from cargo_runbook.archive.sealing.look import write_findings
from cargo_runbook.archive.sharing.parcel import BadParcel, TravellingDraft, pack, take_in
from tests.archive.kept import keep
from tests.views.diagnoses import evidence, wrong_domain


def finished(folder: Path, archive: Path) -> Record:
    draft = TravellingDraft(folder, "cargo", "00_triage", archive=archive)
    write_findings(draft.folder, wrong_domain("cargo"), evidence())
    record = draft.seal(status="fault", domain="d", root_causes=["CRG201"])
    assert record.path.parent.name == DRAFTS, "it is not sealed where it ran"
    assert draft.final.is_relative_to(archive)
    return record


def parcel_of(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def test_a_finished_draft_gets_its_place_in_the_chain_of_the_archive_that_takes_it_in(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    first = keep(here)
    done = finished(there, here)
    record = take_in(here, done.header.record, pack(done.path), incident="INC-3")
    assert (record.sequence, record.header.incident, record.header.status) == (2, "INC-3", "fault")
    assert record.header.root_causes == ("CRG201",)
    assert verify(here).ok
    assert [r.head for r in list_records(here).records] in ([first.head, record.head], [record.head, first.head])
    assert not (there / "chain.jsonl").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../../../outside.json", "{}"),
        ("/outside.json", "x"),
        ("a/../../outside.json", "x"),
        ("manifest.json", "{}"),
        ("manifest.json.sig", "x"),
        ("record.json", "{}"),
        ("verdict.json", "{}"),
    ],
)
def test_what_no_draft_holds_is_refused_with_all_that_came_beside_it(tmp_path: Path, name: str, text: str) -> None:
    done = finished(tmp_path / "there", tmp_path)
    content = io.BytesIO(pack(done.path))
    with zipfile.ZipFile(content, "a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.writestr(name, text)
    with pytest.raises(BadParcel, match=f"is no record: it holds '{name}'"):
        take_in(tmp_path / "here", done.header.record, content.getvalue())
    assert list((tmp_path / "here" / DRAFTS).iterdir()) == []
    assert list(tmp_path.rglob("outside*")) == []
    assert not Path("/outside.json").exists()


@pytest.mark.parametrize("files", [{}, {"record.json": "{}"}, {"record.json": "no JSON"}, {"notebook.ipynb": "{}"}])
def test_a_parcel_without_a_header_is_refused_and_leaves_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    name = finished(tmp_path / "there", tmp_path).header.record
    with pytest.raises(BadParcel, match="is no record"):
        take_in(tmp_path / "here", name, parcel_of(**files))
    assert list((tmp_path / "here" / DRAFTS).iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_bytes_that_are_no_parcel_are_refused(tmp_path: Path, content: bytes) -> None:
    name = finished(tmp_path / "there", tmp_path).header.record
    with pytest.raises(BadParcel, match="is no record"):
        take_in(tmp_path / "here", name, content)
    with pytest.raises(BadParcel, match="no id of a record"):
        take_in(tmp_path / "here", "../x", content)


def test_a_record_under_the_name_of_another_one_is_refused(tmp_path: Path) -> None:
    one, other = finished(tmp_path / "a", tmp_path), finished(tmp_path / "b", tmp_path)
    with pytest.raises(BadParcel, match=f"holds {other.header.record}"):
        take_in(tmp_path / "here", one.header.record, pack(other.path))


def test_a_draft_with_a_secret_in_it_does_not_leave(tmp_path: Path) -> None:
    draft = TravellingDraft(tmp_path, "cargo", "00_triage", archive=tmp_path)
    (draft.folder / "extra.txt").write_text("Authorization: Basic YWRtaW46SGFyYm9yMTIzNDUtbG9uZw==\n")
    with pytest.raises(SecretInRecord, match=r"extra\.txt"):
        draft.seal(status="healthy")
