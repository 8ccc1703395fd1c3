"""What people copy out of a terminal is whole, however narrow it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.archive.index import Index
from cargo_runbook.cli.console import print_field, print_table
from cargo_runbook.cli.main import run
from tests.archive.kept import keep

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")


def test_a_table_is_as_wide_as_what_stands_in_it_and_no_line_ends_with_spaces(capsys: Capture) -> None:
    print_table(["one", "two"], [["a" * 50, "b" * 50], ["[c]", ""]])
    assert capsys.readouterr().out.splitlines() == [
        "one" + " " * 49 + "two",
        "a" * 50 + "  " + "b" * 50,
        "[c]" + " " * 49 + "-",
    ]


def test_fields_stand_below_each_other_in_both_scripts(capsys: Capture) -> None:
    print_field("head", "x" * 64, width=6, indent="  ")
    print_field("校验", "[y]", width=6, indent="  ")
    assert capsys.readouterr().out.splitlines() == ["  head    " + "x" * 64, "  校验    [y]"]


def test_id_path_and_head_of_a_record_can_be_copied(tmp_path: Path, capsys: Capture) -> None:
    reports = tmp_path / "a-folder-with-a-long-name" / "reports"
    record = keep(reports, "an-environment-with-a-long-name")
    place = ["--reports", str(reports)]
    assert run(["records", "list", *place]) == 0
    assert run(["records", "show", record.header.record, *place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{record.header.record}  fault") for line in lines)
    for label, value in (("record", record.header.record), ("folder", str(record.path)), ("head", record.head)):
        assert f"{label}  {value}" in lines
    with Index(reports) as index:
        assert [row.record for row in index.find()] == [record.header.record]
