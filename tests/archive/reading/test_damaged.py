"""A record that was damaged, or made to do harm, is told in a sentence, and the others are still found."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.archive.incident import draft_html, tell_story
from cargo_runbook.archive.index import Index
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import CHAIN
from cargo_runbook.archive.reading.compare import compare
from cargo_runbook.archive.reading.records import read_record
from cargo_runbook.archive.reading.rejudge import judge_again
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.cli.main import run
from cargo_runbook.errors import RunbookError
from tests.archive.kept import INCIDENT, keep

Change = Callable[[Any], object]
DEEP = "[" * 100_000


def put(*way: str | int, value: object) -> Change:
    def change(body: Any) -> None:
        for step in way[:-1]:
            body = body[step]
        body[way[-1]] = value

    return change


CHANGES: dict[str, tuple[str, Change]] = {
    "a digest that is none": ("manifest.json", put("files", "verdict.json", value="x")),
    "files without digests": ("manifest.json", put("files", "verdict.json", value={})),
    "files as a list": ("manifest.json", put("files", value=["verdict.json"])),
    "a record before it that is none": ("manifest.json", put("previous", value=[5])),
    "root causes that are no codes": ("record.json", put("root_causes", value=[["CRG201"]])),
    "parameters that are none": ("record.json", put("parameters", value=5)),
    "a finding that is none": ("verdict.json", put("findings", value=[True, {"status": "fault", "chain": 5}])),
    "findings that are none": ("verdict.json", put("findings", value=5)),
    "a code that is none": ("verdict.json", put("findings", 0, "code", value={"a": 1})),
    "a vantage that is none": ("verdict.json", put("findings", 0, "vantage", value=1.5)),
    "a time that is none": ("evidence.jsonl", put("started", value=[])),
    "output that is none": ("evidence.jsonl", put("output", value=5)),
    "a question that is none": ("evidence.jsonl", put("question", "vantage", value=None)),
    "data that are none": ("evidence.jsonl", put("data", value=[])),
    "headers that are none": (
        "evidence.jsonl",
        put("data", value={"headers": {"www-authenticate": True}, "status": []}),
    ),
}


def damaged(reports: Path, file: str, change: Change) -> tuple[Record, Record]:
    """A record of which one field is another one, and a whole one."""
    record, whole = keep(reports, "cargo", incident=INCIDENT), keep(reports, "other", incident=INCIDENT)
    path = record.path / file
    if file.endswith(".jsonl"):
        first, *rest = path.read_text(encoding="utf-8").split("\n")
        body = json.loads(first)
        change(body)
        path.write_text("\n".join([json.dumps(body), *rest]), encoding="utf-8")
    else:
        body = json.loads(path.read_bytes())
        change(body)
        path.write_text(json.dumps(body), encoding="utf-8")
    return record, whole


def looked_at(reports: Path, record: Record, whole: Record) -> None:
    """Everything that reads records, each of which may only end with a sentence."""
    for look in (
        lambda: page(read_record(record.path), "en"),
        lambda: compare(read_record(record.path), whole).to_json(),
        lambda: judge_again(read_record(record.path)),
        lambda: draft_html(tell_story(reports, INCIDENT), reports, "en"),
    ):
        with suppress(RunbookError):
            look()


@pytest.mark.parametrize("name", CHANGES)
def test_a_field_of_another_type_is_named_by_verify_and_stops_nothing_else(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, change = CHANGES[name]
    record, whole = damaged(tmp_path, file, change)
    assert (record.header.record, file) in {(p.record, p.file) for p in verify(tmp_path).problems}
    looked_at(tmp_path, record, whole)
    with Index(tmp_path) as index:
        assert whole.header.record in {row.record for row in index.find()}
    for command in ("list", "show"):
        words = [] if command == "list" else [record.header.record]
        assert run(["records", command, *words, "--reports", str(tmp_path)]) in (0, 2)
        assert "this should not have happened" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "file", ["record.json", "verdict.json", "evidence.jsonl", "look.json", "notebook.ipynb", "manifest.json"]
)
def test_json_without_end_is_told_like_any_other_damage(tmp_path: Path, file: str) -> None:
    record, whole = damaged(tmp_path, "verdict.json", lambda _: None)
    (record.path / file).write_text(DEEP, encoding="utf-8")
    assert (record.header.record, file) in {(p.record, p.file) for p in verify(tmp_path).problems}
    looked_at(tmp_path, record, whole)


@pytest.mark.parametrize(
    "line",
    [
        '{"head":"a","previous":"","record":5,"sequence":1,"signature":""}',
        '{"head":[],"previous":"","record":"20260304T100411Z-a-b-c","sequence":1,"signature":""}',
        '{"head":"a","previous":"","record":"20260304T100411Z-a-b-c","sequence":true,"signature":""}',
        DEEP,
    ],
)
def test_a_line_of_the_chain_that_is_none_is_named_and_those_after_it_are_found(tmp_path: Path, line: str) -> None:
    keep(tmp_path)
    with (tmp_path / CHAIN).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    last = keep(tmp_path, "other")
    assert CHAIN in {problem.file for problem in verify(tmp_path).problems}
    with Index(tmp_path) as index:
        assert last.header.record in {row.record for row in index.find()}
