"""What a run left that was cut off is sealed as what it was, and not while it goes on."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.ledger import LEDGER, Ledger, RunState, StepStatus, read_account
from cargo_runbook.archive.places import DRAFTS
from cargo_runbook.archive.reading.records import list_drafts
from cargo_runbook.archive.record import VERDICT
from cargo_runbook.archive.sealing.clean import SecretInRecord
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.interrupted import NotOver, seal_interrupted
from cargo_runbook.archive.sealing.look import write_findings
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.cli.main import run
from cargo_runbook.secret import Redactor, Secret
from tests.archive.kept import STARTED, keep
from tests.views.diagnoses import evidence, wrong_domain

ABOUT = {"domain": "cargo.example", "incident": "INC-9", "runbook_sha256": "ab" * 32, "replayed": ""}


def left(reports: Path, *, alive: bool = False) -> tuple[Path, Ledger]:
    """The draft of a run that was cut off in the second of its three steps."""
    draft = Draft(reports, "prod-1", "00_triage", STARTED)
    ledger = Ledger(draft.folder, "prod-1", "00_triage", about=ABOUT)
    ledger.run(((1, "look"), (2, "judge"), (4, "conclude")))
    ledger.begin(1)
    ledger.end(1, StepStatus.OK)
    ledger.begin(2)
    if not alive:
        ledger.release()
    return draft.folder, ledger


def test_it_is_sealed_as_the_failed_run_that_it_was(tmp_path: Path) -> None:
    before = keep(tmp_path)
    draft, _ = left(tmp_path)
    ledger = (draft / LEDGER).read_bytes()
    record = seal_interrupted(tmp_path, draft)
    header = record.header
    assert (record.header.record, record.sequence) == (draft.name, before.sequence + 1)
    assert (header.status, header.environment, header.runbook) == ("failed", "prod-1", "00_triage")
    assert (header.domain, header.incident, header.runbook_sha256) == ("cargo.example", "INC-9", "ab" * 32)
    assert "cut off" in header.reason
    assert "sealed afterwards by" in header.reason
    account = read_account(record.path)
    assert header.ended == account.steps[1].started
    assert account.state is RunState.INTERRUPTED
    assert [str(step.status) for step in account.steps] == ["ok", "interrupted", "not_run"]
    assert (record.path / LEDGER).read_bytes() == ledger
    assert list_drafts(tmp_path) == ()
    assert verify(tmp_path).ok
    with Index(tmp_path) as index:
        assert [row.record for row in index.find(Filter(status="failed"))] == [draft.name]


def test_what_it_had_found_is_kept_and_its_verdict_is_not_called_one(tmp_path: Path) -> None:
    draft, _ = left(tmp_path)
    write_findings(draft, wrong_domain("prod-1"), evidence())
    record = seal_interrupted(tmp_path, draft)
    body = json.loads((record.path / VERDICT).read_bytes())
    assert (body["status"], body["root_causes"]) == ("failed", ["CRG201"])
    assert body["findings"]
    shown = page(record, "en")
    assert "interrupted" in shown
    assert "sealed afterwards" in shown


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft, ledger = left(tmp_path, alive=True)
    with pytest.raises(NotOver, match="goes on"):
        seal_interrupted(tmp_path, draft)
    assert run(["records", "seal", "--all", "--reports", str(tmp_path)]) == 0
    assert run(["records", "seal", draft.name, "--reports", str(tmp_path)]) == 2
    assert draft.is_dir()
    assert "goes on" in capsys.readouterr().err
    ledger.release()


def test_a_draft_without_a_ledger_is_named_by_its_folder_once_nothing_writes_it(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "prod-1", "fix_CRG201", STARTED).folder
    (draft / "note.txt").write_text("half", encoding="utf-8")
    with pytest.raises(NotOver, match="less than 10 minutes ago"):
        seal_interrupted(tmp_path, draft)
    for path in (draft / "note.txt", draft):
        os.utime(path, (time.time() - 3600,) * 2)
    header = seal_interrupted(tmp_path, draft).header
    assert (header.environment, header.runbook, header.status) == ("prod_1", "fix_CRG201", "failed")
    assert header.started == "2026-03-04T10:04:11.000Z"


def test_the_half_of_a_file_that_was_being_written_goes_and_nothing_else(tmp_path: Path) -> None:
    draft, _ = left(tmp_path)
    for name in (".notebook.ipynb.0a1b2c3d", ".hidden", "notes.0a1b2c3d"):
        (draft / name).write_text("{", encoding="utf-8")
    record = seal_interrupted(tmp_path, draft)
    names = {path.name for path in record.path.iterdir()}
    assert {".hidden", "notes.0a1b2c3d"} <= names
    assert ".notebook.ipynb.0a1b2c3d" not in names


@pytest.mark.parametrize("text", ["the value is c4nary-of-prod", "Authorization: Basic YWRtaW46SGFyYm9yMTIzNDU="])
def test_a_secret_in_it_refuses_it_by_value_and_by_shape(tmp_path: Path, text: str) -> None:
    draft, _ = left(tmp_path)
    (draft / "output.txt").write_text(text, encoding="utf-8")
    redactor = Redactor()
    redactor.register(Secret("c4nary-of-prod"))
    with pytest.raises(SecretInRecord, match=r"output\.txt"):
        seal_interrupted(tmp_path, draft, redactor)
    assert draft.is_dir()


def test_as_it_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draft, _ = left(tmp_path)
    assert run(["records", "list", "--reports", str(tmp_path)]) == 0
    assert f"cargo-runbook records seal {draft.name}" in capsys.readouterr().err
    assert run(["records", "seal", "--reports", str(tmp_path)]) == 2
    assert "name what is to be sealed, or --all" in capsys.readouterr().err
    assert run(["records", "seal", "20200101", "--reports", str(tmp_path)]) == 2
    assert "there is no draft" in capsys.readouterr().err
    command = ["records", "seal", draft.name, "--json", "--reports", str(tmp_path), "--inventory", str(tmp_path)]
    assert run(command) == 0
    told = capsys.readouterr()
    (body,) = json.loads(told.out)
    assert (body["record"], body["status"]) == (draft.name, "failed")
    assert "by shape alone" in told.err
    assert run(["records", "show", draft.name, "--reports", str(tmp_path)]) == 0
    assert "interrupted" in capsys.readouterr().out
    assert run(["records", "seal", "--all", "--reports", str(tmp_path)]) == 0


def test_the_passwords_that_the_environment_s_file_names_are_known_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = tmp_path / "environments"
    inventory.mkdir()
    (inventory / "prod-1.yaml").write_text(
        "domain: cargo.example\nhosts: [{name: a, address: 192.0.2.1}]\n"
        "accounts: [{username: admin, password: 'env:C4NARY'}]\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("C4NARY", "c4nary-by-name")
    reports = tmp_path / "reports"
    draft, _ = left(reports)
    (draft / "output.txt").write_text("it is c4nary-by-name", encoding="utf-8")
    assert run(["records", "seal", draft.name, "--reports", str(reports), "--inventory", str(inventory)]) != 0
    told = capsys.readouterr().err
    assert "output.txt, line 1, holds a secret (its value is known)" in told
    assert "c4nary-by-name" not in told


def test_a_ledger_can_be_read_by_whoever_may_read_the_record(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        draft, _ = left(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((draft / LEDGER).stat().st_mode) == 0o640
    assert draft.parent.name == DRAFTS
