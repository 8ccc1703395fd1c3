"""Retention by age and count, and what stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cargo_runbook.archive.files import files_in
from cargo_runbook.archive.keeping import prune as pruning
from cargo_runbook.archive.keeping.prune import prune
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.cli.main import run
from cargo_runbook.errors import UsageError
from tests.archive.kept import keep

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def days_old(reports: Path, *ages: int) -> list[Record]:
    return [keep(reports, started=NOW - timedelta(days=age)) for age in ages]


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        ({"older_than": timedelta(days=30)}, [90, 60]),
        ({"keep": 1}, [90, 60, 20]),
        ({"older_than": timedelta(days=30), "keep": 3}, [90]),
        ({"older_than": timedelta(days=30), "keep": 0}, [90, 60]),
        ({"keep": 9}, []),
    ],
)
def test_old_records_lose_their_files_and_with_both_limits_only_what_both_name(
    tmp_path: Path, limits: dict[str, object], gone: list[int]
) -> None:
    ages = (90, 60, 20, 5)
    records = dict(zip(ages, days_old(tmp_path, *ages), strict=True))
    done = prune(tmp_path, now=NOW, **limits)  # type: ignore[arg-type]
    assert done.records == tuple(records[age].header.record for age in gone)
    for age, record in records.items():
        assert (set(files_in(record.path)) == {"manifest.json"}) == (age in gone)
    assert verify(tmp_path).ok
    assert (done.tombstone is None) == (not gone)


def test_without_a_limit_nothing_is_pruned(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing says which records are old"):
        prune(tmp_path)


def test_one_that_was_cut_off_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = days_old(tmp_path, 90, 60, 5)

    def cut(_folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pruning, "_empty", cut)
        with pytest.raises(KeyboardInterrupt):
            prune(tmp_path, keep=1)
    # The tombstone is there, the files still are: both are as sealed.
    assert verify(tmp_path).ok
    assert prune(tmp_path, keep=1).records == ()
    assert [sorted(files_in(record.path)) for record in records[:2]] == [["manifest.json"]] * 2
    assert verify(tmp_path).ok


def test_a_tombstone_that_was_changed_or_taken_away_is_named_with_what_it_buried(tmp_path: Path) -> None:
    records = days_old(tmp_path, 90, 5)
    done = prune(tmp_path, keep=1)
    assert done.tombstone is not None
    stone = done.tombstone.path / "tombstone.json"
    stone.write_text(json.dumps({"records": []}), encoding="utf-8")
    named = {p.record for p in verify(tmp_path).problems}
    assert named == {done.tombstone.header.record, records[0].header.record}


def test_the_command_tells_first_does_it_with_yes_and_spares_incidents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    old = keep(tmp_path)
    spared = Draft(tmp_path, "cargo", "00_triage", datetime(2026, 1, 1, tzinfo=UTC), incident="INC-7").seal(
        status="fault"
    )
    command = ["records", "prune", "--older-than", "1d", "--reports", str(tmp_path)]
    assert run(command) == 0
    told = capsys.readouterr()
    assert told.out.split() == [old.header.record]
    assert "1 records would be pruned" in told.err
    assert len(set(files_in(old.path))) > 1
    assert run([*command, "--yes", "--reason", "policy"]) == 0
    assert "1 records pruned" in capsys.readouterr().err
    assert set(files_in(old.path)) == {"manifest.json"}
    assert (spared.path / "record.json").exists()
    assert run([*command, "--yes", "--incidents", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == [spared.header.record]
    assert run(["records", "prune", "--older-than", "soon", "--reports", str(tmp_path)]) == 2
    assert "'soon' is no age" in capsys.readouterr().err
