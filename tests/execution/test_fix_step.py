"""What a notebook's fix step makes plans from, and what it does with the digests that were approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.errors import StaleState, UsageError
from cargo_runbook.execution.fix_step import FixStep
from cargo_runbook.findings import Diagnosis
from cargo_runbook.observations import OPERATOR
from cargo_runbook.remedies.actions import Effect, RunCommand
from cargo_runbook.remedies.fixing import Fixing
from cargo_runbook.remedies.outcome import Wish
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.texts import Text
from cargo_runbook.views.fix import FixView

ENVIRONMENT = "domain: registry.example\nhosts: [{name: h, address: 192.0.2.1}]\n"
START = RunCommand(
    vantage=OPERATOR, argv=("docker", "start", "x"), effect=Effect.START, target="x", downtime=Text("none", "无")
)
PLAN = Plan(environment="e", stage="test", code="CRG710", remedy="start-containers", actions=(START,))
OTHER = "f" * 64


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the plans that were done."""
    digests: list[str] = []

    def apply(self: FixStep, fixing: Fixing, plan: Plan, reason: str) -> FixView:
        digests.append(plan.digest)
        return self._view(fixing, (plan,), {})

    monkeypatch.setattr(FixStep, "_done", apply)
    return digests


class Look:
    """Stands for an investigation, which is only handed on."""

    def __init__(self) -> None:
        self.closed = False

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


class Looks(list[Look]):
    """The looks that were taken for plans, and what each plan was made from: code, look, diagnosis."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[tuple[str, Look, Any]] = []


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Nothing is asked of any machine."""
    looks = Looks()

    def diagnose(self: Fixing, wish: Wish) -> tuple[Look, str]:
        looks.append(Look())
        return looks[-1], "another"

    def plan(self: Fixing, code: str, look: Look, diagnosis: Any) -> Plan:
        assert not look.closed
        looks.plans.append((code, look, diagnosis))
        return PLAN

    monkeypatch.setattr(Fixing, "diagnose", diagnose)
    monkeypatch.setattr(Fixing, "plan", plan)
    return looks


def step(tmp_path: Path, *codes: str, look: Any = None) -> FixStep:
    (tmp_path / "e.yml").write_text(ENVIRONMENT)
    diagnosis = Diagnosis.__new__(Diagnosis)
    for name, value in (("environment", "e"), ("root_causes", codes)):
        object.__setattr__(diagnosis, name, value)
    return FixStep(diagnosis, Wish("", "e"), inventory=tmp_path, reports=tmp_path, look=look)


@pytest.mark.parametrize("form", ["{own}", "{own} ", "{other} {own}", "{other},{own}", "{short}", "{upper}"])
def test_a_run_does_the_plan_that_is_among_the_approved(tmp_path: Path, done: list[str], form: str) -> None:
    digest = PLAN.digest
    said = form.format(own=digest, other=OTHER, short=digest[:12], upper=digest.upper())
    step(tmp_path, "CRG710").run(said, "", interactive=False)
    assert done == [digest]


@pytest.mark.parametrize("said", [OTHER, f"{OTHER} {'0' * 64}", PLAN.digest[:11], f"{OTHER} {PLAN.digest[:5]}"])
def test_a_plan_that_is_not_among_them_is_not_done(tmp_path: Path, done: list[str], said: str) -> None:
    with pytest.raises(StaleState, match="no plan for e has the digest that was approved"):
        step(tmp_path, "CRG710").run(said, "", interactive=False)
    assert done == []


def test_a_healthy_environment_of_a_batch_is_left_alone_by_the_digests_of_others(
    tmp_path: Path, done: list[str]
) -> None:
    shown: Any = step(tmp_path).run(f"{OTHER} {PLAN.digest}", "", interactive=False)
    assert (done, shown.plans) == ([], ())
    with pytest.raises(StaleState, match="there is nothing to fix"):
        step(tmp_path).run(OTHER, "", interactive=False)


def test_without_a_digest_nothing_is_done(tmp_path: Path, done: list[str]) -> None:
    shown: Any = step(tmp_path, "CRG710").run("", "", interactive=False)
    assert (done, shown.plans) == ([], (PLAN,))


def test_the_plans_of_a_run_are_made_from_the_look_of_its_verdict(tmp_path: Path, taken: Looks) -> None:
    look = Look()
    shown: Any = (fix := step(tmp_path, "CRG710", "CRG201", look=look)).run("", "", interactive=False)
    assert taken.plans == [(code, look, fix._diagnosis) for code in ("CRG710", "CRG201")]
    assert (shown.plans, list(taken), look.closed) == ((PLAN, PLAN), [], False)


def test_the_plans_for_a_person_are_made_from_one_look_of_their_own(tmp_path: Path, taken: Looks) -> None:
    step(tmp_path, "CRG710", "CRG201").run("", "", interactive=True)
    (look,) = taken
    assert taken.plans == [(code, look, "another") for code in ("CRG710", "CRG201")]
    assert look.closed


def test_no_look_is_taken_where_nothing_is_to_be_fixed(tmp_path: Path, taken: Looks) -> None:
    step(tmp_path).run("", "", interactive=True)
    assert list(taken) == []


def test_a_look_that_can_not_be_taken_says_so_for_each_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Fixing, wish: Wish) -> None:
        raise UsageError("there is no such account")

    monkeypatch.setattr(Fixing, "diagnose", refused)
    shown: Any = step(tmp_path, "CRG710", "CRG201").run("", "", interactive=False)
    assert shown.plans == ()
    assert list(shown.without) == ["CRG710", "CRG201"]
    assert all(why.startswith("no plan could be made: there is no such account") for why in shown.without.values())
