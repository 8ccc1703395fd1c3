"""Records that go to another machine: verified there, with their chain, and refused when anything was changed."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cargo_runbook.archive.files import files_in
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.prune import prune
from cargo_runbook.archive.keeping.verify import verify, verify_all
from cargo_runbook.archive.places import CHAIN, MANIFEST
from cargo_runbook.archive.reading.records import find_record
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sharing.bundle import BadBundle, export_bundle, import_bundle, opened
from cargo_runbook.cli.main import run
from cargo_runbook.errors import UsageError
from tests.archive.kept import keep, keep_old

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def source(tmp_path: Path) -> tuple[Path, list[Record]]:
    reports = tmp_path / "source"
    return reports, [keep(reports, f"env-{number}") for number in range(5)]


@pytest.fixture
def bundle(source: tuple[Path, list[Record]], tmp_path: Path) -> Path:
    """The second and the fourth of five records."""
    reports, records = source
    return export_bundle(reports, [records[1], records[3]], tmp_path / "some.zip").path


def edited(bundle: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with zipfile.ZipFile(bundle) as file:
        content = {name: file.read(name) for name in file.namelist()}
    change(content)
    target = bundle.with_name("edited.zip")
    with zipfile.ZipFile(target, "w") as file:
        for name, body in content.items():
            file.writestr(name, body)
    return target


def test_a_bundle_holds_its_records_whole_and_the_manifest_of_what_lies_between(
    source: tuple[Path, list[Record]], bundle: Path
) -> None:
    _, records = source
    with zipfile.ZipFile(bundle) as file:
        names = file.namelist()
    for record, whole in zip(records, (False, True, None, True, False), strict=True):
        there = {Path(name).name for name in names if record.header.record in name}
        if whole:
            assert there == set(files_in(record.path))
        else:
            assert there == ({MANIFEST} if whole is None else set())


def test_what_is_imported_is_found_shown_and_verified_with_the_head_of_its_own_chain(
    source: tuple[Path, list[Record]], bundle: Path, tmp_path: Path
) -> None:
    _, records = source
    here = tmp_path / "here"
    own = keep(here, "mine")
    done = import_bundle(here, bundle)
    assert set(done.records) == {records[1].header.record, records[3].header.record}
    result = verify_all(here, head=records[1].head)
    assert (result.records, result.problems) == (2, ())
    with Index(here) as index:
        rows = index.find()
        assert {(row.environment, bool(row.origin)) for row in rows} == {
            ("mine", False),
            ("env-1", True),
            ("env-3", True),
        }
        assert len(index.find(Filter(text="challenge", environments=("env-3",)))) == 1
        assert index.unreadable() == []
    found = find_record(here, records[3].header.record)
    assert (found.head, found.path.is_relative_to(here / "imported")) == (records[3].head, True)
    assert find_record(here, own.header.record) == own


def test_a_head_that_no_chain_has_is_told_though_bundles_were_imported(bundle: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    import_bundle(here, bundle)
    assert [p.problem.en[:22] for p in verify_all(here, head="0" * 64).problems] == ["no record has the head"]


def test_a_bundle_is_taken_in_once(bundle: Path, tmp_path: Path) -> None:
    import_bundle(tmp_path / "here", bundle)
    with pytest.raises(UsageError, match="was taken in before"):
        import_bundle(tmp_path / "here", bundle)
    assert list((tmp_path / "here/.drafts").iterdir()) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_bundle_with_one_changed_byte_is_refused_and_leaves_nothing_behind(
    bundle: Path, tmp_path: Path, seed: int
) -> None:
    choose = random.Random(seed)

    def change(content: dict[str, bytes]) -> None:
        name = choose.choice(sorted(set(content) - {"README.txt", "bundle.json"}))
        body = bytearray(content[name])
        body[choose.randrange(len(body))] ^= 4
        content[name] = bytes(body)

    with pytest.raises(BadBundle):
        import_bundle(tmp_path / "here", edited(bundle, change))
    assert not (tmp_path / "here").exists()


def test_a_bundle_from_which_a_record_was_taken_is_refused(bundle: Path, tmp_path: Path) -> None:
    def change(content: dict[str, bytes]) -> None:
        for name in [name for name in content if "env_3" in name]:
            del content[name]

    with pytest.raises(BadBundle, match="is not as it was sealed, and was not taken in") as caught:
        import_bundle(tmp_path / "here", edited(bundle, change))
    assert "the record is missing" in caught.value.seen


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "2026/03/04/x/../../../../evil",
        "2026/03/04/x/..",
        "C:\\evil",
        "2026/03/04/x/a\\b",
        "notes.txt",
        "2026/03/04/",
    ],
)
def test_a_name_that_leads_out_of_the_bundle_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadBundle, match="which no bundle has"):
        import_bundle(tmp_path / "here", edited(bundle, lambda content: content.update({name: b"x"})))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("body", [b"", b"PK no zip", b"{}"])
def test_what_is_no_zip_is_told(tmp_path: Path, body: bytes, capsys: Capture) -> None:
    (tmp_path / "file.zip").write_bytes(body)
    assert run(["records", "verify", str(tmp_path / "file.zip")]) == 2
    assert "is damaged or no bundle" in capsys.readouterr().err
    assert run(["records", "import", str(tmp_path / "nowhere.zip"), "--reports", str(tmp_path / "here")]) == 2
    assert "can't be read" in capsys.readouterr().err


def test_an_imported_archive_that_was_changed_or_taken_away_is_named(bundle: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    done = import_bundle(here, bundle)
    chain = done.folder / CHAIN
    before = chain.read_bytes()
    chain.write_bytes(b"".join(before.splitlines(keepends=True)[:-1]))
    named = {(p.record, Path(p.file).name) for p in verify_all(here).problems}
    assert (done.record.header.record, CHAIN) in named
    chain.write_bytes(before)
    assert verify_all(here).ok
    evidence = next(done.folder.rglob("evidence.jsonl"))
    evidence.write_bytes(evidence.read_bytes() + b" ")
    assert {p.file for p in verify_all(here).problems} == {f"imported/{done.folder.name}/evidence.jsonl"}
    shutil.rmtree(done.folder)
    assert {p.record for p in verify_all(here).problems} == {done.record.header.record}


def test_a_part_of_an_archive_is_no_archive_by_itself(bundle: Path) -> None:
    with opened(bundle) as (folder, part):
        assert verify(folder, part=part).ok
        # So nobody can make an archive a part by leaving out its beginning.
        assert not verify(folder).ok


def test_records_that_are_not_sealed_or_not_of_this_archive_do_not_leave(
    source: tuple[Path, list[Record]], bundle: Path, tmp_path: Path
) -> None:
    reports, _ = source
    with pytest.raises(UsageError, match="is not sealed"):
        export_bundle(reports, [keep_old(reports)], tmp_path / "x.zip")
    with pytest.raises(UsageError, match="no records of this archive"):
        export_bundle(reports, [keep(tmp_path / "other")], tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_export_and_import_as_they_are_typed(
    source: tuple[Path, list[Record]], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    reports, records = source
    target, place = str(tmp_path / "out.zip"), ["--reports", str(reports)]
    assert run(["records", "export", "--env", "env-2", "--to", target, *place]) == 0
    told = capsys.readouterr()
    assert f"1 records; head to verify it with: {records[-1].head}" in told.err
    assert run(["records", "verify", target, "--json", "--head", records[2].head]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 1
    assert run(["records", "import", target, "--reports", str(tmp_path / "here"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == [records[2].header.record]
    assert run(["records", "list", "--reports", str(tmp_path / "here")]) == 0
    assert "imported in" in capsys.readouterr().out
    for wrong in (["--to", target], [records[0].header.record, "--env", "env-0", "--to", target], ["--env", "x"]):
        assert run(["records", "export", *wrong, *place]) == 2
    assert run(["records", "export", records[0].header.record, "--to", str(tmp_path / "x.pdf"), *place]) == 2
    assert "is neither a .zip nor a .html file" in capsys.readouterr().err


@pytest.mark.parametrize("exported", ["../../../e", "/var/tmp/x", "", "2026", "20260304..", "２０２６-03-04T"])
def test_the_time_of_an_export_leads_nowhere_else(bundle: Path, tmp_path: Path, exported: str) -> None:
    """It is part of the name of the folder that a bundle gets, and no seal stands for it."""

    def change(content: dict[str, bytes]) -> None:
        content["bundle.json"] = json.dumps({**json.loads(content["bundle.json"]), "exported": exported}).encode()

    before = set(tmp_path.iterdir())
    with pytest.raises(BadBundle, match="no time of its export"):
        import_bundle(tmp_path / "here", edited(bundle, change))
    assert set(tmp_path.iterdir()) - before == {tmp_path / "edited.zip"}


@pytest.mark.parametrize("records", [[], ["20260304T100411Z-of-others-abcdef"]])
def test_a_bundle_that_does_not_hold_what_it_says_is_refused(bundle: Path, tmp_path: Path, records: list[str]) -> None:
    def change(content: dict[str, bytes]) -> None:
        content["bundle.json"] = json.dumps({**json.loads(content["bundle.json"]), "records": records}).encode()

    with pytest.raises(BadBundle, match="does not have the records that it says it holds"):
        import_bundle(tmp_path / "here", edited(bundle, change))


def test_an_archive_that_was_put_among_the_imported_ones_is_no_imported_one(
    source: tuple[Path, list[Record]], bundle: Path, tmp_path: Path
) -> None:
    """Else the head of a tail that was cut off could be shown there, with nothing but its manifest."""
    here = tmp_path / "here"
    keep(here)
    forged = here / "imported" / "20260304-abc"
    with opened(bundle) as (folder, _):
        shutil.copytree(folder, forged)
    (problem,) = verify_all(here, head=source[1][1].head).problems
    assert problem.file == "imported/20260304-abc/chain.jsonl"
    assert "no record says that this was imported" in problem.problem.en


def test_an_import_that_was_cut_off_is_named_and_done_again(bundle: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    done = import_bundle(here, bundle)
    shutil.rmtree(done.record.path)
    (here / CHAIN).unlink()
    assert not verify_all(here).ok
    again = import_bundle(here, bundle)
    assert again.folder == done.folder
    assert verify_all(here).ok


def test_the_record_of_an_import_stays_when_all_others_are_pruned(bundle: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    keep(here)
    done = import_bundle(here, bundle)
    assert done.record.header.record not in prune(here, keep=0).records
    assert verify_all(here).ok


def test_names_of_files_that_are_folders_too_are_told(bundle: Path, tmp_path: Path) -> None:
    def change(content: dict[str, bytes]) -> None:
        name = next(name for name in content if name.endswith("verdict.json"))
        content[f"{name}/more"] = b"x"

    with pytest.raises(BadBundle):
        import_bundle(tmp_path / "here", edited(bundle, change))
