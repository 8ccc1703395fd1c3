"""Stepping through by hand: what each call of a notebook gives, on replayed evidence."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

import cargo_runbook
from cargo_runbook import choose_environment, open_environment
from cargo_runbook.archive.reading.records import list_records
from cargo_runbook.archive.record import RECORD_VARIABLE
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.pasting import image_of, understood
from cargo_runbook.execution.triage import Triage
from cargo_runbook.findings import CHECKS, Health, Verdict
from cargo_runbook.investigation import open_investigation
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording
from cargo_runbook.remedies.outcome import Wish


@pytest.fixture
def triage(tmp_path: Path) -> Triage:
    return open_environment("cargo", replay="wrong-domain", reports=tmp_path)


def test_each_check_is_looked_at_by_itself(triage: Triage) -> None:
    verdicts = {check: triage.look(check).verdict for check in CHECKS}
    assert verdicts["dns"] is Verdict.OK
    assert verdicts["tls"] is Verdict.OK
    assert verdicts["challenge"] is Verdict.FAULT


def test_a_step_that_is_repeated_shows_the_same_evidence(triage: Triage) -> None:
    first = triage.look("challenge")
    assert first.evidence
    assert triage.look("challenge").evidence == first.evidence


def test_evidence_of_a_chain_can_always_be_opened(triage: Triage) -> None:
    for check in CHECKS:
        step = triage.look(check)
        ids = {observation.id for observation in step.evidence}
        assert {link.observation for finding in step.findings for link in finding.chain} <= ids, check


def test_concluding_by_hand_leaves_a_record_of_its_own(triage: Triage, tmp_path: Path) -> None:
    triage.look("dns")
    note = triage.conclude()
    (record,) = list_records(tmp_path).records
    assert (note.record, note.head) == (record.header.record, record.head)
    assert (record.header.status, record.header.root_causes) == (Health.FAULT, ("CRG201",))
    assert record.header.replayed.startswith("replayed evidence of ")
    assert note.sections == ("使用错误的域名访问",)


def test_concluding_in_a_run_writes_into_the_record_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".drafts" / "20260304T100411Z-cargo-00_triage-000000"
    folder.mkdir(parents=True)
    monkeypatch.setenv(RECORD_VARIABLE, str(folder))
    note = open_environment("devops", replay="wrong-domain").conclude()
    assert note.record == "20260304T100411Z-cargo-00_triage-000000"
    assert note.head == ""
    assert json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["status"] == "healthy"
    assert (folder / "evidence.jsonl").read_text(encoding="utf-8").count("\n") > 5


def test_an_unknown_check_is_told_with_those_that_there_are(triage: Triage) -> None:
    with pytest.raises(UsageError, match="there is no check named 'dsn'"):
        triage.look("dsn")


ELSEWHERE = (
    'Head "https://cargo.caicloudprivatetest.com/v2/base/tools/manifests/1": Get "https://old-cargo.caicloudprivatetest.com/'
    'service/token?scope=repository%3Abase%2Ftools%3Apull": dial tcp: lookup old-cargo.caicloudprivatetest.com: no such host'
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ELSEWHERE, "Proven, as the text suggests"),
        ("Get https://r.example/v2/: x509: certificate has expired", "it is another cause than the text suggests"),
        ("", "No error text was given."),
    ],
)
def test_a_pasted_text_stands_beside_what_was_proven(text: str, sentence: str) -> None:
    shown = str(open_environment("cargo", replay="wrong-domain", error_text=text).compare())
    assert sentence in shown
    assert ("CRG201" in shown) == bool(text)


def test_a_text_that_nothing_here_explains_says_so() -> None:
    compared = open_environment("devops", replay="wrong-domain", error_text=ELSEWHERE).compare()
    assert "Nothing was found here that would explain the text." in str(compared)


def test_the_image_that_a_text_names_is_looked_for_where_it_is_this_registrys() -> None:
    environment = open_environment("cargo", replay="healthy").investigation.environment
    assert image_of(understood(ELSEWHERE), environment) == "base/tools:1"
    assert image_of(understood(ELSEWHERE.replace("/cargo.caicloud", "/r.caicloud")), environment) == ""
    assert image_of(understood("denied: requested access to the resource is denied"), environment) == ""


def test_the_chooser_offers_the_environments_of_the_inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPLAY_VARIABLE, "healthy")
    assert choose_environment("devops").names == ("cargo", "devops", "ha")


def test_in_a_run_nobody_chooses_and_the_inventory_is_not_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(REPLAY_VARIABLE, "healthy")
    monkeypatch.setenv(RECORD_VARIABLE, str(tmp_path))
    panel = choose_environment("devops")
    assert (panel.names, panel.value, panel.interactive) == (("devops",), "devops", False)


def test_the_chooser_works_without_an_inventory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(REPLAY_VARIABLE, raising=False)
    monkeypatch.setenv("CARGO_RUNBOOK_INVENTORY", str(tmp_path / "nowhere"))
    assert choose_environment("cargo").value == "cargo"


def test_the_public_face_is_what_notebooks_need_and_nothing_else() -> None:
    assert cargo_runbook.__all__ == [
        "choose_environment",
        "choose_language",
        "open_batch",
        "open_environment",
        "open_incident",
        "open_index",
        "paste_error",
    ]
    with pytest.raises(AttributeError):
        _ = cargo_runbook.no_such_thing


@pytest.mark.parametrize("who", ["run", "JupyterLab", "plain Python"])
def test_only_the_plans_of_a_run_are_made_from_the_look_of_its_verdict(
    who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def made(*_: Any, look: Any, **__: Any) -> Any:
        looks.append(look)
        return MagicMock()

    monkeypatch.setattr("cargo_runbook.execution.triage.FixStep", made)
    reopen = partial(open_investigation, "cargo", replay="wrong-domain")
    triage = Triage(
        reopen(),
        record=tmp_path if who == "run" else None,
        reports=tmp_path,
        wish=Wish("", "cargo"),
        inventory=load_recording("wrong-domain").folder,
        reopen=reopen if who == "JupyterLab" else None,
    )
    triage.verdict()
    triage.fix()
    assert looks == [triage.investigation if who == "run" else None]
