"""The matrix of a batch: unknown is a value, root causes are grouped, and what changed since the batch before is named."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cargo_runbook.errors import UsageError
from cargo_runbook.execution.batch.book import Book, Order, Outcome, read_book
from cargo_runbook.execution.batch.summary import Change, Summary, read_summary
from cargo_runbook.findings import CHECKS
from cargo_runbook.texts import Text
from cargo_runbook.views.matrix import change_words, group_lines, matrix_page, matrix_table
from cargo_runbook.views.terminal import as_text
from tests.beside import python_with

OK = dict.fromkeys(CHECKS, "ok")
BROKEN = {**OK, "challenge": "fault", **dict.fromkeys(CHECKS[3:], "skipped")}
NOTHING = dict.fromkeys(CHECKS, "unknown")


def write(reports: Path, batch: str, *outcomes: Outcome) -> None:
    book = Book(reports, Order(batch, "00_triage", "sha", tuple(sorted(o.environment for o in outcomes))))
    for outcome in outcomes:
        book.begin(outcome.environment, f"r-{outcome.environment}")
        book.end(outcome)
    book.close()
    book.release()


def outcome(name: str, status: str, *codes: str, cells: dict[str, str] = OK, reason: str = "") -> Outcome:
    return Outcome(name, "00_triage", status, f"r-{name}", root_causes=codes, cells=cells, reason=reason, ended="2026")


@pytest.fixture
def summary(tmp_path: Path) -> Summary:
    write(tmp_path, "20260101T000000Z-aa", outcome("a", "healthy"), outcome("b", "fault", "CRG201", cells=BROKEN))
    write(
        tmp_path,
        "20260102T000000Z-bb",
        outcome("b", "healthy"),
        outcome("a", "fault", "CRG201", cells=BROKEN),
        outcome("c", "fault", "CRG201", "CRG711", cells=BROKEN),
        outcome("d", "failed", cells=NOTHING, reason="=cmd|' /C calc'!A0"),
    )
    return read_summary(tmp_path)


def test_the_matrix_has_a_row_for_each_environment_and_unknown_where_nobody_could_tell(summary: Summary) -> None:
    frame = summary.frame()
    assert list(frame.index) == ["a", "b", "c", "d"]
    assert list(frame.loc["d", list(CHECKS)]) == ["unknown"] * len(CHECKS)
    assert list(frame.loc["a", ["tls", "challenge", "pull"]]) == ["ok", "fault", "skipped"]
    rows = list(csv.DictReader(io.StringIO(summary.csv())))
    assert [row["environment"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[3]["reason"] == "'=cmd|' /C calc'!A0", "a spreadsheet must not take it for a formula"


def test_environments_are_grouped_by_the_root_cause_that_they_share(summary: Summary) -> None:
    assert summary.groups == {"CRG201": ("a", "c"), "CRG711": ("c",)}
    told = as_text(group_lines(summary.groups, {"CRG201": Text("Wrong domain", "域名错误")}, "en"))
    assert "2 environments share CRG201 Wrong domain: a, c" in told
    assert "2 个环境的根本原因同为 CRG201 域名错误" in as_text(
        group_lines(summary.groups, {"CRG201": Text("Wrong domain", "域名错误")}, "zh")
    )


def test_what_changed_since_the_batch_before_is_named_and_nothing_else(summary: Summary) -> None:
    assert summary.before == "20260101T000000Z-aa"
    assert summary.changes == (
        Change("a", "healthy", "fault", (), ("CRG201",)),
        Change("b", "fault", "healthy", ("CRG201",), ()),
        Change("c", "", "fault", (), ("CRG201", "CRG711")),
        Change("d", "", "failed"),
    )


def test_the_table_and_the_page_show_signs_and_words_and_escape_what_comes_from_hosts(tmp_path: Path) -> None:
    write(
        tmp_path,
        "20260101T000000Z-aa",
        outcome("a", "fault", "CRG201", cells=BROKEN),
        outcome("b", "failed", cells=NOTHING, reason="<script>alert(1)</script>"),
    )
    summary = read_summary(tmp_path)
    table = as_text(matrix_table(summary.rows(), "en"))
    assert table.splitlines()[1].split()[:4] == ["a", "●", "●", "✗"]
    assert table.splitlines()[2].split()[:8] == ["b", *"???????"]
    page = matrix_page(summary, {}, "zh")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'class="cell unknown" title="无法判断">?' in page


def test_a_line_that_was_cut_off_by_a_power_loss_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "20260101T000000Z-aa", outcome("a", "healthy"))
    path = tmp_path / "batches" / "20260101T000000Z-aa" / "book.jsonl"
    path.write_bytes(path.read_bytes() + b'{"entry": "end", "environ')
    assert set(read_book(tmp_path, "2026").outcomes) == {"a"}
    path.write_bytes(b"nonsense\n")
    with pytest.raises(UsageError, match=r"book.jsonl:1 is no line of a batch's book"):
        read_book(tmp_path, "2026")


def test_an_environment_that_was_not_run_is_unknown_and_never_left_out(tmp_path: Path) -> None:
    book = Book(tmp_path, Order("20260101T000000Z-aa", "00_triage", "sha", ("a", "b")))
    book.end(outcome("a", "healthy"))
    book.release()
    summary = read_summary(tmp_path)
    (_, left) = summary.rows()
    assert (left["environment"], left["status"], left["reason"]) == ("b", "unknown", "it was not run")
    assert {left[check] for check in CHECKS} == {"unknown"}
    assert summary.to_json()["unknown"] == 1


def test_an_environment_that_is_no_longer_in_the_batch_is_named(tmp_path: Path) -> None:
    write(tmp_path, "20260101T000000Z-aa", outcome("a", "healthy"), outcome("gone", "fault", "CRG201", cells=BROKEN))
    write(tmp_path, "20260102T000000Z-bb", outcome("a", "healthy"))
    (change,) = read_summary(tmp_path).changes
    assert change == Change("gone", "fault", "", ("CRG201",), ())
    assert [word.en for word in change_words(change)] == ["fault CRG201", "not in this batch"]
    assert [word.zh for word in change_words(change)] == ["有故障 CRG201", "不在本批次中"]


def test_a_verdict_that_nobody_has_is_counted_in_the_frame_too(tmp_path: Path) -> None:
    write(tmp_path, "20260101T000000Z-aa", outcome("a", "healthy"))
    frame = read_summary(tmp_path).frame()
    assert dict(frame["pull"].value_counts()) == {"ok": 1, "fault": 0, "unknown": 0, "skipped": 0}
    assert dict(frame["status"].value_counts())["failed"] == 0


def test_parquet_holds_the_same_rows_with_unknown_as_a_value(summary: Summary) -> None:
    import polars

    content = summary.parquet()
    rows = polars.read_parquet(io.BytesIO(content)).to_dicts()
    assert polars.read_parquet_metadata(io.BytesIO(content))["before"] == "20260101T000000Z-aa"
    assert [row["environment"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[2]["root_causes"] == ["CRG201", "CRG711"]
    assert {rows[3][check] for check in CHECKS} == {"unknown"}
    assert rows[3]["reason"] == "=cmd|' /C calc'!A0", "no spreadsheet reads it: as it was"


READ = """
import json, sys
from pyarrow import parquet
table = parquet.read_table(sys.argv[1])
kinds = {field.name: str(field.type) for field in table.schema}
about = parquet.read_metadata(sys.argv[1]).metadata
print(json.dumps([kinds, about[b"batch"].decode(), table.to_pylist()]))
"""


@pytest.mark.slow
def test_the_library_that_pandas_reads_parquet_by_finds_the_same_in_it(summary: Summary, tmp_path: Path) -> None:
    path = tmp_path / "matrix.parquet"
    path.write_bytes(summary.parquet())
    done = subprocess.run([python_with("pyarrow"), "-c", READ, path], capture_output=True, text=True, check=True)
    kinds, batch, rows = json.loads(done.stdout)
    assert batch == summary.batch
    assert rows == [{**row, "root_causes": row["root_causes"].split()} for row in summary.rows()]
    assert all(kinds[name].startswith("dictionary") for name in ("status", *CHECKS))
    assert kinds["root_causes"] == "large_list<element: large_string>"


def test_without_polars_parquet_is_refused_with_the_way_to_get_it(
    summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match="needs polars") as refused:
        summary.parquet()
    assert "cargo-runbook[parquet]" in str(refused.value)
