"""The way of a push and of a login, on recorded evidence: its requests, and the broken one by what was found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cargo_runbook.archive.reading.records import read_diagnosis
from cargo_runbook.archive.reading.rejudge import judge_again
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import file_look
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.execution.opening import open_environment
from cargo_runbook.findings import Diagnosis, Verdict, diagnosis_from_json, diagnosis_to_json
from cargo_runbook.investigation import open_investigation
from cargo_runbook.views.notebook import VerdictCard
from cargo_runbook.views.way import operation_of, stations
from cargo_runbook.views.words import SIGNS
from tests.archive.kept import STARTED
from tests.views.diagnoses import healthy, wrong_domain

DENIED = (
    "The push refers to repository [cargo.caicloudprivatetest.com/devops_test-cargo/node]\n"
    "denied: requested access to the resource is denied"
)


# Each looks at recorded evidence, which takes a part of a second.
pytestmark = pytest.mark.slow


@cache
def looked(recording: str, operation: str = "", environment: str = "cargo") -> Diagnosis:
    with open_investigation(environment, replay=recording, operation=operation) as investigation:
        return investigation.diagnose()


def drawn(diagnosis: Diagnosis) -> str:
    return "".join(SIGNS[station.verdict] for station in stations(diagnosis))


def broken(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [(f"{s.label.en} {s.request}".strip(), s.code) for s in stations(diagnosis) if s.verdict is Verdict.FAULT]


# client, DNS, TLS, challenge, login, token with scope push, POST, PATCH and PUT, storage, PUT manifest
PUSHES = {
    "wrong-domain": ("●●●✗○○○○○○", [("challenge GET /v2/", "CRG201")]),
    "token-service-builtin": ("●●●●✗○○○○○", [("login GET token", "CRG301")]),
    "wrong-password": ("●●●●✗○○○○○", [("login GET token", "CRG506")]),
    "token-key-mismatch": ("●●●●●✗○○○○", [("token scope push", "CRG304")]),
    "guest-pushes": ("●●●●●✗○○○○", [("token scope push", "CRG511")]),
    "user-pushes-public-project": ("●●●●●✗○○○○", [("token scope push", "CRG512")]),
    "no-role": ("●●●●●✗○○○○", [("token scope push", "CRG510")]),
    "disk-full-on-upload": ("●●●●●●○○✗○", [("storage", "CRG720")]),
    "domain-unresolved": ("●✗○○○○○○○○", [("DNS", "CRG101")]),
    "healthy": ("●●●●●●○○●○", []),
}


@pytest.mark.parametrize("recording", PUSHES)
def test_a_push_breaks_at_the_request_that_is_at_fault(recording: str) -> None:
    diagnosis = looked(recording, "push")
    assert (drawn(diagnosis), broken(diagnosis)) == PUSHES[recording]
    assert [s.request for s in stations(diagnosis) if s.request] == [
        "GET /v2/", "GET token", "scope push", "POST", "PATCH, PUT", "PUT"
    ]  # fmt: skip


@pytest.mark.parametrize("recording", ["guest-pushes", "user-pushes-public-project", "disk-full-on-upload"])
def test_what_breaks_pushes_alone_is_drawn_as_a_push_though_nobody_said_so(recording: str) -> None:
    assert operation_of(looked(recording)) == "push"
    assert broken(looked(recording)) == PUSHES[recording][1]
    assert broken(replace(looked(recording), operation="pull")) == [], "a pull goes through"


def test_what_a_diagnosis_does_not_try_is_told_as_such_and_what_lies_behind_a_fault_is_not_testable() -> None:
    untried = {s.request: s.meaning.en for s in stations(looked("healthy", "push")) if s.verdict is Verdict.SKIPPED}
    assert untried == dict.fromkeys(("POST", "PATCH, PUT", "PUT"), "not tried, for a diagnosis writes nothing")
    behind = {s.meaning.en for s in stations(looked("wrong-domain", "push")) if s.verdict is Verdict.SKIPPED}
    assert behind == {"not testable"}


def test_the_token_of_a_push_is_green_only_when_the_right_to_push_was_proven() -> None:
    diagnosis = looked("healthy", "push")
    unasked = replace(diagnosis, findings=tuple(f for f in diagnosis.findings if f.check != "access"))
    assert drawn(unasked) == "●●●●●○○○●○"


def test_a_login_ends_at_the_token_that_the_registry_trusts() -> None:
    assert (drawn(looked("healthy", "login")), broken(looked("wrong-domain", "login"))) == (
        "●●●●●●",
        [("challenge GET /v2/", "CRG201")],
    )
    assert broken(looked("token-key-mismatch", "login")) == [("token GET /v2/", "CRG304")]


def test_what_breaks_behind_the_login_is_drawn_as_a_pull_though_the_text_was_of_a_login() -> None:
    missing = tuple(replace(f, status=Verdict.FAULT) if f.check == "pull" else f for f in healthy().findings)
    assert operation_of(replace(healthy(), findings=missing, operation="login")) == "pull"
    assert operation_of(replace(healthy(), operation="login")) == "login"


def test_a_pasted_text_of_a_push_and_the_action_say_what_is_drawn() -> None:
    card = open_environment("cargo", replay="wrong-domain", error_text=DENIED).verdict()
    assert isinstance(card, VerdictCard)
    assert card.diagnosis.operation == "push"
    assert "Path of a push, cargo · 推送路径" in card.to_html()
    with open_investigation("cargo", replay="healthy", action="push", operation="pull") as investigation:
        assert investigation.operation == "push", "what was asked for comes first"


def test_an_operation_that_nobody_knows_is_drawn_as_a_pull() -> None:
    assert operation_of(replace(wrong_domain(), operation="<script>")) == "pull"
    assert diagnosis_from_json(diagnosis_to_json(replace(wrong_domain(), operation="push"))).operation == "push"


def test_the_page_of_a_record_shows_the_push_and_judged_again_it_is_still_one(tmp_path: Path) -> None:
    draft = Draft(tmp_path, "cargo", "60_permission", STARTED)
    with open_investigation("cargo", replay="guest-pushes", operation="push") as investigation:
        diagnosis = investigation.diagnose()
        file_look(draft.folder, investigation, diagnosis)
    record = draft.seal(status=str(diagnosis.status), root_causes=diagnosis.root_causes)
    english, chinese = page(record, "en"), page(record, "zh")
    for shown in (english, chinese):
        assert shown.count('role="img" class="crb-way') == 1
        assert "<title" in shown
        assert "Path of a push, cargo · 推送路径" in shown
        assert "token scope push (令牌): fault CRG511" in shown
        assert "令牌 scope push：故障 CRG511" in shown
    assert '<th scope="col">layers <code>PATCH, PUT</code></th>' in english
    assert '<th scope="col">镜像层 <code>PATCH, PUT</code></th>' in chinese
    kept = read_diagnosis(record)
    assert kept is not None
    assert stations(kept) == stations(diagnosis)
    assert judge_again(record).now.operation == "push"
