"""The last look before sealing: what is masked is listed, and a secret that is left is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.sealing.clean import MASKED, SecretInRecord
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.recordings import recordings_folder
from cargo_runbook.secret import Redactor, Secret

VALUE = "c4nary-77-value"
NOTEBOOK = {
    "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": ["x = 1"], "outputs": []}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def _draft(folder: Path) -> Draft:
    return Draft(folder, "cargo", "00_triage")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", f"first\nit is {VALUE}\n"),
        ("notes.txt", "first\nharbor_admin_password: other-one\n"),
        ("picture.png", f"\x89PNG\n{VALUE}"),
        ("changes/1/dump.yaml", "kind: Secret\ndata:\n  key: YWJjZGVm\n"),
        (
            "notebook.ipynb",
            json.dumps(NOTEBOOK | {"metadata": {"x": ["a", VALUE]}}),
        ),
        ("notebook.ipynb", json.dumps({"worksheets": [{"x": "harbor_admin_password: other-one"}]})),
    ],
)
def test_a_secret_that_somebody_wrote_into_a_draft_refuses_the_record(tmp_path: Path, name: str, content: str) -> None:
    Secret(VALUE)
    draft = _draft(tmp_path)
    (draft.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (draft.folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(SecretInRecord) as caught:
        draft.seal(status="healthy")
    assert caught.value.file == name
    assert VALUE not in str(caught.value)
    assert not list_records(tmp_path).records
    assert not (tmp_path / "chain.jsonl").exists()


def test_what_the_kernel_could_not_know_is_masked_and_the_record_is_made(tmp_path: Path) -> None:
    draft = _draft(tmp_path)
    lines = [{"id": "E1", "output": f"it is {VALUE} harmless-marker"}, {"id": "E2", "output": "nothing"}]
    (draft.folder / "evidence.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    (draft.folder / "masked-in-kernel.json").write_text('{"‹secret 9 key›": ["key", ["JSON field"]]}', encoding="utf-8")
    (draft.folder / "verdict.json").write_text('{"note": "‹secret 9 key›"}', encoding="utf-8")
    Secret(VALUE)
    record = draft.seal(status="healthy", redactor=Redactor())
    kept = (record.path / "evidence.jsonl").read_text(encoding="utf-8")
    assert VALUE not in kept
    assert "it is ‹secret 1 password› harmless-marker" in kept
    assert json.loads((record.path / MASKED).read_text(encoding="utf-8"))["masked"] == [
        {
            "token": "‹secret 1 password›",
            "label": "password",
            "reasons": ["known by value"],
            "places": {"evidence.jsonl": 1},
        },
        {"token": "‹secret 9 key›", "label": "key", "reasons": ["JSON field"], "places": {"verdict.json": 1}},
    ]
    assert not (record.path / "masked-in-kernel.json").exists()


@pytest.mark.parametrize("word", ["environment", "admin", "password", "cargo"])
def test_a_password_that_is_a_word_of_every_record_refuses_none(tmp_path: Path, word: str) -> None:
    Secret(word)
    assert _draft(tmp_path).seal(status="healthy", domain="cargo.test").path.is_dir()


@pytest.mark.parametrize("state", sorted(path.name for path in recordings_folder().iterdir() if path.is_dir()))
def test_no_evidence_of_a_real_look_is_taken_for_a_secret(tmp_path: Path, state: str) -> None:
    for evidence in (recordings_folder() / state).rglob("*.jsonl"):
        draft = _draft(tmp_path)
        (draft.folder / "evidence.jsonl").write_bytes(evidence.read_bytes())
        assert (draft.seal(status="fault").path / "evidence.jsonl").read_bytes() == evidence.read_bytes()
