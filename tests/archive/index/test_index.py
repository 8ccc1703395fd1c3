"""What is found in an archive, and that the index never knows more or less than the folders."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cargo_runbook.archive.index import Filter, Index, moment
from cargo_runbook.archive.index.index import INDEX
from cargo_runbook.archive.index.text import joined, query, split
from cargo_runbook.archive.keeping.prune import prune
from cargo_runbook.archive.places import CHAIN, MANIFEST
from cargo_runbook.archive.record import HEADER, Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import write_findings
from cargo_runbook.cli.main import run
from cargo_runbook.errors import UsageError
from tests.archive.kept import STARTED, keep, keep_old
from tests.views.diagnoses import evidence, wrong_domain


def healthy(reports: Path, environment: str, day: int, incident: str = "") -> Record:
    draft = Draft(reports, environment, "20_wrong_domain", STARTED + timedelta(days=day), incident=incident)
    return draft.seal(status="healthy")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six records, one of each day: two environments by turns, faults on the first four days."""
    reports = tmp_path_factory.mktemp("archive")
    for day in range(4):
        keep(reports, ("cargo", "devops")[day % 2], STARTED + timedelta(days=day))
    healthy(reports, "cargo", 4, "INC-7")
    healthy(reports, "devops", 5)
    return reports


def days(reports: Path, limit: int = 0, **wanted: object) -> list[int]:
    with Index(reports) as index:
        return [int(row.record[6:8]) - STARTED.day for row in index.find(Filter(**wanted), limit)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"environments": ("cargo",)}, [0, 2, 4]),
        ({"environments": ("car*",)}, [0, 2, 4]),
        ({"environments": ("cargo", "dev*")}, [0, 1, 2, 3, 4, 5]),
        ({"environments": ("car",)}, []),
        ({"runbook": "20_wrong_domain"}, [4, 5]),
        ({"runbook": "00*"}, [0, 1, 2, 3]),
        ({"status": "healthy"}, [4, 5]),
        ({"code": "crg201", "environments": ("devops",)}, [1, 3]),
        ({"code": "CRG101"}, []),
        ({"since": "2026-03-07T00:00:00.000Z"}, [3, 4, 5]),
        ({"until": "2026-03-06T00:00:00.000Z", "code": "CRG201"}, [0, 1]),
        ({"incident": "INC-7"}, [4]),
        ({"text": "错误的域名"}, [0, 1, 2, 3]),
        ({"text": "域错"}, []),
        ({"text": "wrong domain challenge", "environments": ("cargo",), "code": "CRG201"}, [0, 2]),
        ({"text": '"wrong challenge"'}, []),
        ({"text": "old-car*"}, [0, 1, 2, 3]),
        ({"text": "old-car"}, []),
        ({"text": "challenge", "since": "2026-03-06T00:00:00.000Z"}, [2, 3]),
    ],
)
def test_a_filter_finds_what_fits_and_nothing_else(archive: Path, wanted: dict[str, object], found: list[int]) -> None:
    assert days(archive, **wanted) == found


def test_a_limit_keeps_the_newest_and_shows_them_oldest_first(archive: Path) -> None:
    assert days(archive, 2) == [4, 5]
    assert days(archive, 2, code="CRG201") == [2, 3]
    assert days(archive, 1, text="challenge") == [3]


def test_what_hosts_and_clients_complained_of_is_found_with_its_place(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage")
    seen = [replace(each, error="x509: certificate signed by unknown authority") for each in evidence()]
    write_findings(draft.folder, wrong_domain(), seen)
    draft.seal(status="fault")
    with Index(tmp_path) as index:
        (row,) = index.find(Filter(text='"signed by unknown authority"'))
    assert "certificate signed by unknown authority" in row.excerpt


@pytest.mark.parametrize(
    "text",
    ["old-cargo.caicloudprivatetest.com", "203.0.113.14", "UNAUTHORIZED alert", "NXDOMAIN", '"service token"', "v2"],
)
def test_everything_that_was_asked_and_answered_is_found(tmp_path: Path, text: str) -> None:
    draft = Draft(tmp_path, "cargo", "00_triage")
    write_findings(draft.folder, replace(wrong_domain(), findings=()), evidence())
    draft.seal(status="fault")
    with Index(tmp_path) as index:
        (row,) = index.find(Filter(text=text))
    assert row.excerpt


def test_the_end_of_a_long_answer_is_found_and_an_endless_one_fills_no_index(tmp_path: Path) -> None:
    lines = "".join(f"line{number} of a log\n" for number in range(20_000))
    draft = Draft(tmp_path, "cargo", "00_triage")
    write_findings(draft.folder, wrong_domain(), [replace(evidence()[0], output=lines)])
    draft.seal(status="fault")
    with Index(tmp_path) as index:
        assert len(index.find(Filter(text="line9000"))) == 1
        assert index.find(Filter(text="line19999")) == []


def test_plan_and_journal_of_a_change_are_found(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "fix_CRG201")
    change = draft.folder / "changes" / "C-1"
    change.mkdir(parents=True)
    (change / "plan.json").write_text('{"actions": [{"diff": "+ realm: https://fresh.example"}]}', encoding="utf-8")
    (change / "journal.jsonl").write_text('{"event": "confirmed", "reason": "asked by the platform team"}\n', "utf-8")
    draft.seal(status="healthy")
    with Index(tmp_path) as index:
        assert len(index.find(Filter(text="fresh.example"))) == 1
        assert len(index.find(Filter(text='"platform team"'))) == 1


def test_a_search_without_a_word_is_a_wrong_usage(archive: Path) -> None:
    with Index(archive) as index, pytest.raises(UsageError, match="has no word to search for"):
        index.find(Filter(text='"" --'))


def test_hostile_search_texts_are_words_and_nothing_else(archive: Path) -> None:
    with Index(archive) as index:
        for text in ('a" OR "b', "NEAR(a b)", "body:x", "x'; DROP TABLE records", '"', "(", "a AND NOT b", "^x", "-y"):
            try:
                index.find(Filter(text=text))
            except UsageError as error:
                assert "has no word" in str(error)  # noqa: PT017 - either is right
        assert len(index) == 6


def test_a_new_record_is_in_the_index_when_it_is_opened_the_next_time(tmp_path: Path) -> None:
    keep(tmp_path)
    assert days(tmp_path) == [0]
    keep(tmp_path, started=STARTED + timedelta(days=1))
    assert days(tmp_path) == [0, 1]


@pytest.mark.parametrize("damage", [b"", b"this is no database", None])
def test_an_index_that_is_damaged_or_gone_is_made_anew_from_the_folders(tmp_path: Path, damage: bytes | None) -> None:
    keep(tmp_path)
    assert days(tmp_path) == [0]
    if damage is None:
        (tmp_path / INDEX).unlink()
    else:
        (tmp_path / INDEX).write_bytes(damage)
    assert days(tmp_path, code="CRG201") == [0]


def test_an_index_that_is_damaged_in_the_middle_is_made_anew(tmp_path: Path) -> None:
    for day in range(8):
        keep(tmp_path, started=STARTED + timedelta(days=day))
    assert len(days(tmp_path)) == 8
    content = bytearray((tmp_path / INDEX).read_bytes())
    content[4096:-4096] = bytes(len(content) - 8192)
    (tmp_path / INDEX).write_bytes(content)
    keep(tmp_path, started=STARTED + timedelta(days=8))
    assert len(days(tmp_path)) == 9


def test_an_index_of_an_archive_that_was_set_back_is_made_anew(tmp_path: Path) -> None:
    first = keep(tmp_path)
    copy = (tmp_path / CHAIN).read_bytes()
    second = keep(tmp_path, started=STARTED + timedelta(days=1))
    assert days(tmp_path) == [0, 1]
    (tmp_path / CHAIN).write_bytes(copy)
    shutil.rmtree(second.path)
    with Index(tmp_path) as index:
        assert [row.record for row in index.find()] == [first.header.record]


def test_one_that_can_not_be_written_is_made_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)
    real = sqlite3.connect

    def refuse(path: object, **options: object) -> sqlite3.Connection:
        if path != ":memory:":
            raise sqlite3.OperationalError("unable to open database file")
        return real(path, **options)  # type: ignore[no-any-return, call-overload]

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert days(tmp_path) == [0]


def test_many_who_look_at_the_same_time_make_one_index(tmp_path: Path) -> None:
    for day in range(5):
        keep(tmp_path, started=STARTED + timedelta(days=day))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: len(days(tmp_path)), range(16))) == [5] * 16


def test_records_from_before_the_chain_are_found_and_ones_that_are_gone_are_told(tmp_path: Path) -> None:
    old, new = keep_old(tmp_path, "old"), keep(tmp_path)
    with Index(tmp_path) as index:
        assert {(row.record, row.sequence) for row in index.find()} == {(old.header.record, 0), (new.header.record, 1)}
        assert index.unreadable() == []
    shutil.rmtree(new.path)
    with Index(tmp_path) as index:
        assert index.unreadable() == [(new.header.record, "is gone: its folder is not there")]


def test_a_record_that_can_not_be_read_is_told_and_the_others_are_found(tmp_path: Path) -> None:
    bad, good = keep(tmp_path, "devops"), keep(tmp_path)
    (bad.path / HEADER).write_text("{", encoding="utf-8")
    with Index(tmp_path) as index:
        assert [row.record for row in index.find()] == [good.header.record]
        assert index.unreadable() == [(str(bad.path), f"is not a record: {HEADER} or {MANIFEST} is damaged")]


@pytest.mark.parametrize("anew", [False, True])
def test_of_a_pruned_record_its_verdict_stays_known_and_its_text_does_not(tmp_path: Path, anew: bool) -> None:
    for day in range(3):
        keep(tmp_path, started=STARTED + timedelta(days=day))
    assert days(tmp_path) == [0, 1, 2]
    prune(tmp_path, keep=1)
    with Index(tmp_path, anew=anew) as index:
        assert len(index.find(Filter(code="CRG201"))) == 1
        assert [row.pruned for row in index.find(Filter(code="CRG201", pruned=True))] == [True, True, False]
        assert len(index.find(Filter(text="challenge", pruned=True))) == 1
        assert index.unreadable() == []


def test_chinese_is_split_by_character_and_shown_whole() -> None:
    assert split("使用错误的域名 CRG201") == "使 用 错 误 的 域 名 CRG201"
    assert joined(split("使用错误的域名 CRG201 使用")) == "使用错误的域名 CRG201 使用"
    assert query('域名 "no such host" old*') == '"域 名" AND "no such host" AND "old"*'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-04", "2026-03-04T00:00:00.000Z"),
        ("2026-03-04T10:00", "2026-03-04T10:00:00.000Z"),
        ("2026-03-04T10:00:00+08:00", "2026-03-04T02:00:00.000Z"),
        ("36h", "2026-03-02T22:04:11.000Z"),
        ("1w", "2026-02-25T10:04:11.000Z"),
    ],
)
def test_a_time_is_given_as_a_date_or_as_an_age(text: str, told: str) -> None:
    assert moment(text, datetime(2026, 3, 4, 10, 4, 11, tzinfo=UTC)) == told


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(UsageError, match="'yesterday' is no time"):
        moment("yesterday")


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    monkeypatch.setenv("COLUMNS", "120")
    return


@pytest.mark.usefixtures("english")
def test_list_and_search_as_they_are_typed(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--reports", str(archive)]
    assert run(["records", "list", "--env", "cargo", "--status", "fault", *place]) == 0
    shown = capsys.readouterr().out
    assert shown.count("CRG201") == 2
    assert "devops" not in shown
    assert run(["records", "list", "--limit", "2", *place]) == 0
    told = capsys.readouterr()
    assert told.out.count("healthy") == 2
    assert "these are the newest 2; --limit 0 shows all" in told.err
    assert run(["records", "search", "域名", "--limit", "1", *place]) == 0
    assert "使用错误的域名" in capsys.readouterr().out
    assert run(["records", "search", "nothing", *place]) == 0
    assert capsys.readouterr().err == "no record fits\n"
    assert run(["records", "list", "--status", "broken", *place]) == 2
    assert "There are: healthy, fault, unknown, failed." in capsys.readouterr().err
