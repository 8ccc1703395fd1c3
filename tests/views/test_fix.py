"""The fix step of a notebook: what it shows, and what it takes until something is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cargo_runbook.connections.changing import FileState
from cargo_runbook.connections.client import ClientCall
from cargo_runbook.errors import StaleState
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.remedies.actions import Effect, FileEdit, RunCommand
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.proof import Proof, Tried
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text
from cargo_runbook.views.fix import FixView
from cargo_runbook.views.panels import FixPanel
from cargo_runbook.views.panels.fix import Tell
from tests.views.test_notebook import Page

HOST = Vantage(Place.CARGO_HOST, "cargo")
EDIT = FileEdit(before=FileState(HOST, "/c/config.yml", b"realm: <old>\nsecret: 9623244cb81ca36fc97181816eb7878c\n"),
                after=b"realm: <new>\nsecret: 9623244cb81ca36fc97181816eb7878c\n")  # fmt: skip
RESTART = RunCommand(
    vantage=HOST,
    argv=("docker", "restart", "-t", "10", "tengine"),
    effect=Effect.RESTART,
    target="tengine",
    downtime=Text("a few seconds", "数秒"),
)
PLAN = Plan(
    environment="cargo", stage="test", code="CRG201", remedy="change-domain", actions=(EDIT, RESTART), made="now"
)


def view(stage: str = "test", outcome: Outcome | None = None) -> FixView:
    return FixView(
        "cargo", stage, (replace(PLAN, stage=stage),), {"CRG503": "nothing <can> be done"}, Redactor(), outcome
    )


def ended(proof: Proof, *, rolled_back: bool = False) -> Outcome:
    red, green = ClientCall("docker login x", 1, "<b>denied</b>"), ClientCall("docker login x", 0, "ok")
    before, after = Tried((red,), (green,)), Tried((green if proof is Proof.PROVEN else red,), (green,))
    return Outcome(
        change=Change(Path("/r/changes/ID-1")),
        plan=PLAN,
        applied=not rolled_back,
        proof=proof,
        rolled_back=rolled_back,
        before=before,
        after=after,
    )


def test_a_plan_shows_its_diff_masked_and_escaped_in_both_forms() -> None:
    page, text = view().to_html(), str(view())
    for shown in (page, text):
        assert "9623244cb81ca36fc97181816eb7878c" not in shown
        assert "docker restart -t 10 tengine" in shown
        assert PLAN.digest[:16] in shown
        assert "CRG503" in shown
    assert "+realm: &lt;new&gt;" in page
    assert "<old>" not in page
    assert "CHANGES · 会修改 cargo" in Page(page).text
    assert "-realm: <old>" in text


def test_a_plan_says_in_a_word_of_its_own_colour_that_it_is_for_production() -> None:
    page = view("production").to_html()
    assert 'class="crb-stage crb-stage-production"' in page
    assert "CHANGES · 会修改 cargo PRODUCTION · 生产环境 CRG201" in " ".join(Page(page).text.split())


def test_an_outcome_says_what_was_proven_and_shows_red_and_green() -> None:
    page = view(outcome=ended(Proof.PROVEN)).to_html()
    assert "proven · 已证实" in Page(page).text
    assert "ID-1" in page
    assert "&lt;b&gt;denied" in page
    assert "taken back" in view(outcome=ended(Proof.NOT_PROVEN, rolled_back=True)).to_html()


def test_the_button_is_dead_until_the_name_is_typed_right() -> None:
    done = []

    def apply(plan: Plan, reason: str, _tell: Tell) -> FixView:
        done.append((plan.code, reason))
        return view(outcome=ended(Proof.PROVEN))

    panel = FixPanel(view(), apply)
    panel.name.value = "cragо"
    assert panel.button.disabled
    panel.button.click()
    assert done == []
    panel.name.value = "cargo"
    assert not panel.button.disabled
    panel.button.click()
    assert done == [("CRG201", "")]
    assert "proven · 已证实" in Page(panel.shown.value).text
    assert panel.button.disabled, "a second press does nothing"


def test_production_asks_for_a_reason_as_well() -> None:
    panel = FixPanel(view("production"), lambda _plan, _reason, _tell: view("production"))
    panel.name.value = "cargo"
    assert panel.button.disabled
    panel.reason.value = "INC-7"
    assert not panel.button.disabled


def test_a_refusal_is_shown_as_a_sentence() -> None:
    def refuse(_plan: Plan, _reason: str, _tell: Tell) -> FixView:
        raise StaleState("the plan is <another> one now")

    panel = FixPanel(view(), refuse)
    panel.name.value = "cargo"
    panel.button.click()
    assert "the plan is &lt;another&gt; one now" in panel.said.value
    assert "digest" in panel.shown.value, "the plan stays in sight"
