"""Whatever is changed in an archive is found and named."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cargo_runbook.archive.files import files_in
from cargo_runbook.archive.keeping.prune import prune
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import CHAIN, MANIFEST
from cargo_runbook.archive.record import Record
from cargo_runbook.cli.main import run
from tests.archive.kept import STARTED, keep, keep_old

RECORDS = 200


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Record]]:
    reports = tmp_path_factory.mktemp("archive")
    return reports, [keep(reports, f"env-{n % 7}", STARTED + timedelta(hours=n), changes=2) for n in range(RECORDS)]


def flip(path: Path, position: int) -> Callable[[], object]:
    """Flips one byte; the result puts it back."""
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[position] ^= 1 << (position % 8)
    path.write_bytes(bytes(damaged))
    return lambda: path.write_bytes(content)


def test_an_archive_that_nobody_touched_is_whole(archive: tuple[Path, list[Record]]) -> None:
    reports, records = archive
    result = verify(reports, head=records[100].head[:12])
    assert (result.records, result.unsealed, result.head, result.problems) == (RECORDS, 0, records[-1].head, ())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("below", ["", "changes/"])
def test_a_flipped_byte_is_found_in_any_file_of_any_record(
    archive: tuple[Path, list[Record]], seed: int, below: str
) -> None:
    reports, records = archive
    choose = random.Random(seed)
    record = choose.choice(records)
    name = choose.choice(sorted(name for name in files_in(record.path) if name.startswith(below)))
    path = record.path / name
    undo = flip(path, choose.randrange(path.stat().st_size))
    try:
        problems = verify(reports).problems
    finally:
        undo()
    assert (record.header.record, name) in {(p.record, p.file) for p in problems}
    assert {p.record for p in problems} == {record.header.record}


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_byte_is_found_in_the_chain_itself(archive: tuple[Path, list[Record]], seed: int) -> None:
    reports, _ = archive
    path = reports / CHAIN
    undo = flip(path, random.Random(seed).randrange(path.stat().st_size))
    try:
        problems = verify(reports).problems
    finally:
        undo()
    assert CHAIN in {p.file for p in problems}


@pytest.mark.parametrize("seed", range(4))
def test_a_record_that_was_taken_away_is_named(archive: tuple[Path, list[Record]], seed: int) -> None:
    reports, records = archive
    record = random.Random(seed).choice(records)
    aside = reports.parent / "aside"
    record.path.rename(aside)
    try:
        (problem,) = verify(reports).problems
    finally:
        aside.rename(record.path)
    assert (problem.record, problem.problem.en) == (record.header.record, "the record is missing")


@pytest.mark.parametrize("seed", range(4))
def test_a_record_that_was_taken_out_of_the_chain_too_leaves_a_gap(
    archive: tuple[Path, list[Record]], seed: int
) -> None:
    reports, records = archive
    place = random.Random(seed).randrange(len(records) - 1)
    aside, path = reports.parent / "aside", reports / CHAIN
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    records[place].path.rename(aside)
    path.write_bytes(b"".join(lines[:place] + lines[place + 1 :]))
    try:
        (problem,) = verify(reports).problems
    finally:
        path.write_bytes(before)
        aside.rename(records[place].path)
    assert problem.record == records[place + 1].header.record
    assert "taken out or moved" in problem.problem.en


@pytest.mark.parametrize("seed", range(4))
def test_two_records_in_each_other_s_place_are_both_named(archive: tuple[Path, list[Record]], seed: int) -> None:
    reports, records = archive
    one, other = random.Random(seed).sample(records, 2)
    aside = reports.parent / "aside"

    def swap() -> None:
        one.path.rename(aside)
        other.path.rename(one.path)
        aside.rename(other.path)

    swap()
    try:
        problems = verify(reports).problems
    finally:
        swap()
    assert {p.record for p in problems} == {one.header.record, other.header.record}


@pytest.mark.parametrize("seed", range(4))
def test_two_lines_of_the_chain_in_each_other_s_place_are_both_named(
    archive: tuple[Path, list[Record]], seed: int
) -> None:
    reports, records = archive
    one, other = random.Random(seed).sample(range(len(records)), 2)
    path = reports / CHAIN
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    lines[one], lines[other] = lines[other], lines[one]
    path.write_bytes(b"".join(lines))
    try:
        named = {p.record for p in verify(reports).problems}
    finally:
        path.write_bytes(before)
    assert {records[one].header.record, records[other].header.record} <= named


@pytest.mark.parametrize("cut", [1, 3, 50])
def test_a_tail_that_was_cut_off_is_found_by_a_known_head_alone(tmp_path: Path, cut: int) -> None:
    records = [keep(tmp_path) for _ in range(cut + 2)]
    known = records[-1].head
    for record in records[-cut:]:
        shutil.rmtree(record.path)
    path = tmp_path / CHAIN
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-cut]))
    assert verify(tmp_path).ok
    (problem,) = verify(tmp_path, head=known).problems
    assert problem.problem.en.startswith(f"no record has the head {known}: records after the last one were cut off")


def test_a_tail_cut_off_the_chain_alone_leaves_its_records_named(tmp_path: Path) -> None:
    records = [keep(tmp_path) for _ in range(4)]
    path = tmp_path / CHAIN
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    assert {(p.record, p.problem.en) for p in verify(tmp_path).problems} == {
        (record.header.record, "the chain does not have this record") for record in records[-2:]
    }


def test_a_file_that_was_added_and_a_link_in_the_place_of_a_file_are_named(tmp_path: Path) -> None:
    record = keep(tmp_path)
    (record.path / "note.txt").write_text("later", encoding="utf-8")
    evidence = record.path / "evidence.jsonl"
    evidence.unlink()
    os.mkfifo(evidence)
    verdict = record.path / "verdict.json"
    verdict.rename(tmp_path / "same.json")
    verdict.symlink_to(tmp_path / "same.json")
    assert {(p.file, p.problem.en) for p in verify(tmp_path).problems} == {
        ("note.txt", "the file was added after sealing"),
        ("verdict.json", "it was changed: its digest is not the one that was sealed"),
        ("evidence.jsonl", "it was changed: its digest is not the one that was sealed"),
    }


def test_white_space_in_a_manifest_is_a_change(tmp_path: Path) -> None:
    record = keep(tmp_path)
    manifest = record.path / MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes())), encoding="utf-8")
    assert [(p.record, p.file) for p in verify(tmp_path).problems] == [(record.header.record, MANIFEST)]


def test_records_from_before_the_chain_are_counted_and_their_files_checked(tmp_path: Path) -> None:
    old = keep_old(tmp_path)
    keep(tmp_path)
    result = verify(tmp_path)
    assert (result.records, result.unsealed, result.problems) == (1, 1, ())
    flip(old.path / "verdict.json", 5)
    assert [(p.record, p.file) for p in verify(tmp_path).problems] == [(old.header.record, "verdict.json")]


def test_pruned_records_keep_the_chain_whole_and_what_is_left_of_them_is_checked(tmp_path: Path) -> None:
    records = [keep(tmp_path, started=STARTED + timedelta(days=n)) for n in range(5)]
    done = prune(tmp_path, keep=2, reason="a year is enough")
    assert done.records == tuple(record.header.record for record in records[:3])
    assert [sorted(files_in(record.path)) for record in records[:3]] == [[MANIFEST]] * 3
    keep(tmp_path)
    result = verify(tmp_path, head=records[0].head)
    assert (result.records, result.pruned, result.problems) == (7, 3, ())
    flip(records[1].path / MANIFEST, 20)
    assert [(p.record, p.file) for p in verify(tmp_path).problems] == [(records[1].header.record, MANIFEST)]


def test_the_command_names_record_and_file_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    record = keep(tmp_path)
    assert run(["records", "verify", "--reports", str(tmp_path), "--head", record.head[:16]]) == 0
    assert capsys.readouterr().out == f"1 records: all as sealed\nhead  {record.head}\n"
    flip(record.path / "evidence.jsonl", 7)
    assert run(["records", "verify", "--reports", str(tmp_path), "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert (body["ok"], body["records"], body["head"]) == (False, 1, record.head)
    assert body["problems"] == [
        {
            "record": record.header.record,
            "file": "evidence.jsonl",
            "problem": "it was changed: its digest is not the one that was sealed",
        }
    ]
    assert run(["records", "verify", "--reports", str(tmp_path)]) == 1
    assert "NOT as sealed" in capsys.readouterr().out


def test_a_head_that_is_none_is_a_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["records", "verify", "--reports", str(tmp_path), "--head", "abc"]) == 2
    assert "'abc' is no head" in capsys.readouterr().err


def test_a_chain_that_was_lost_is_told_with_what_makes_it_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [keep(tmp_path, started=STARTED + timedelta(hours=n)) for n in range(3)]
    (tmp_path / CHAIN).unlink()
    change = records[1].path / "evidence.jsonl"
    change.write_bytes(change.read_bytes() + b" ")
    said = [(p.record, p.file) for p in verify(tmp_path).problems]
    assert said == [("", CHAIN), (records[1].header.record, "evidence.jsonl")]
    assert run(["records", "verify", "--reports", str(tmp_path)]) == 1
    assert "records reindex" in capsys.readouterr().out
    assert run(["records", "list", "--reports", str(tmp_path)]) == 0
    assert "chain.jsonl is missing" in capsys.readouterr().err
    change.write_bytes(change.read_bytes()[:-1])
    assert run(["records", "reindex", "--reports", str(tmp_path)]) == 0
    assert verify(tmp_path).ok
    capsys.readouterr()
    assert run(["records", "list", "--reports", str(tmp_path)]) == 0
    assert "missing" not in capsys.readouterr().err


def test_an_empty_folder_lacks_nothing(tmp_path: Path) -> None:
    assert verify(tmp_path).ok
