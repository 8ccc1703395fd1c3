"""The chain under writers that come at the same time, and under ones that are cut off."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import CHAIN, DRAFTS, MANIFEST
from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.sealing import chain
from cargo_runbook.archive.sealing.chain import Entry, last_entry, lines, settle
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.cli.main import run
from cargo_runbook.errors import UsageError
from tests.archive.kept import keep, keep_old


def entries(reports: Path) -> list[Entry]:
    return [Entry.of(line) for _, line in lines(reports)]


def write_many(reports: Path, writer: int, count: int) -> list[str]:
    return [keep(reports, f"env-{writer}").head for _ in range(count)]


def test_each_record_names_the_one_before_it(tmp_path: Path) -> None:
    records = [keep(tmp_path) for _ in range(3)]
    assert [record.sequence for record in records] == [1, 2, 3]
    assert [entry.head for entry in entries(tmp_path)] == [record.head for record in records]
    for before, record in zip([None, *records], records, strict=False):
        previous = json.loads((record.path / MANIFEST).read_bytes())["previous"]
        assert (previous and (previous["record"], previous["head"])) == (before and (before.header.record, before.head))


@pytest.mark.slow
def test_sixteen_processes_that_write_fifty_records_each_lose_none(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(max_workers=16, mp_context=context) as pool:
        waiting = [pool.submit(write_many, reports, writer, 50) for writer in range(16)]
        heads = [head for each in waiting for head in each.result()]
    assert len(set(heads)) == 800
    assert {entry.head for entry in entries(reports)} == set(heads)
    result = verify(reports, head=heads[0])
    assert (result.records, result.problems) == (800, ())
    assert not list_records(reports).drafts


def test_four_processes_at_the_same_time_lose_none(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(max_workers=4, mp_context=context) as pool:
        heads = [h for each in [pool.submit(write_many, tmp_path, n, 3) for n in range(4)] for h in each.result()]
    result = verify(tmp_path)
    assert (result.records, result.problems, len(set(heads))) == (12, (), 12)


class PowerCut(BaseException):
    """Nothing after it runs."""


@pytest.mark.parametrize("moment", ["_add_line", "_place"])
def test_a_writer_cut_off_between_manifest_line_and_folder_leaves_an_archive_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    keep(tmp_path)

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(chain, moment, cut)
        with pytest.raises(PowerCut):
            keep(tmp_path, "devops")
    assert verify(tmp_path).problems == ()
    keep(tmp_path)
    result = verify(tmp_path)
    assert result.problems == ()
    # Before its line was on the disk it is a draft; after that it is a record.
    assert result.records == (2 if moment == "_add_line" else 3)
    assert len(list_records(tmp_path).drafts) == (1 if moment == "_add_line" else 0)


@pytest.mark.parametrize("written", [1, 40, 200])
def test_a_line_that_was_cut_off_by_a_power_loss_is_finished_by_the_next_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    keep(tmp_path)
    whole = chain._add_line

    def torn(reports: Path, line: bytes) -> None:
        whole(reports, line[:written])
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(chain, "_add_line", torn)
        with pytest.raises(PowerCut):
            keep(tmp_path, "devops")
    assert verify(tmp_path).problems == ()
    last = keep(tmp_path)
    result = verify(tmp_path)
    assert (result.records, result.head, result.problems) == (3, last.head, ())


def test_half_a_line_that_belongs_to_nothing_is_kept_and_named(tmp_path: Path) -> None:
    keep(tmp_path)
    with (tmp_path / CHAIN).open("ab") as file:
        file.write(b'{"head":"0000')
    assert [p.problem.en for p in verify(tmp_path).problems] == ["the last line is cut off"]
    keep(tmp_path)
    assert [p.problem.en for p in verify(tmp_path).problems] == ["line 2 is damaged: it is no entry"]


def test_the_last_entry_is_found_without_reading_the_rest(tmp_path: Path) -> None:
    assert last_entry(tmp_path) is None
    made = [Entry(n, f"20260304T100411Z-env-{n}", f"{n:064x}", f"{n - 1:064x}") for n in range(1, 60)]
    for count in (1, 2, 20, 59):
        (tmp_path / CHAIN).write_bytes(b"".join(entry.line() for entry in made[:count]))
        assert last_entry(tmp_path) == made[count - 1]


def test_a_full_disk_leaves_the_chain_as_it_was_and_the_draft_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path)
    before = (tmp_path / CHAIN).read_bytes()

    def half(handle: int, line: bytes) -> int:
        return real(handle, line[: len(line) // 2])

    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(UsageError, match="can't be sealed") as caught:
            keep(tmp_path, "devops")
    assert (tmp_path / CHAIN).read_bytes() == before
    (draft,) = (tmp_path / DRAFTS).iterdir()
    assert str(draft) in str(caught.value)
    assert verify(tmp_path).problems == ()


def test_a_draft_is_not_taken_for_one_that_the_chain_names(tmp_path: Path) -> None:
    keep(tmp_path)
    draft = Draft(tmp_path, "cargo", "00_triage")
    with chain.locked(tmp_path):
        settle(tmp_path)
    assert draft.folder.is_dir()
    assert not draft.final.exists()


def test_folders_that_were_copied_without_the_chain_get_it_back_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    heads = [keep(tmp_path / "here", f"env-{n}").head for n in range(4)]
    content = (tmp_path / "here" / CHAIN).read_bytes()
    shutil.copytree(tmp_path / "here" / "2026", tmp_path / "there" / "2026")
    keep_old(tmp_path / "there")
    assert run(["records", "reindex", "--reports", str(tmp_path / "there")]) == 0
    assert capsys.readouterr().out == "5 records\n"
    assert (tmp_path / "there" / CHAIN).read_bytes() == content
    result = verify(tmp_path / "there", head=heads[-1])
    assert (result.records, result.unsealed, result.problems) == (4, 1, ())


def test_a_writer_that_finds_no_chain_goes_on_where_the_folders_end(tmp_path: Path) -> None:
    records = [keep(tmp_path) for _ in range(3)]
    (tmp_path / CHAIN).unlink()
    added = keep(tmp_path)
    assert added.sequence == 4
    assert verify(tmp_path, head=records[0].head).problems == ()


def test_a_chain_that_was_made_anew_hides_nothing_that_was_taken_out(tmp_path: Path) -> None:
    records = [keep(tmp_path) for _ in range(4)]
    (tmp_path / CHAIN).unlink()
    shutil.rmtree(records[1].path)
    keep(tmp_path)
    (problem,) = verify(tmp_path).problems
    assert (problem.record, "taken out or moved" in problem.problem.en) == (records[2].header.record, True)
