"""What a notebook's fix step does with the digests that were approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.errors import StaleState
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
    """The digests of the plans that were done; nothing is asked of any machine."""
    digests: list[str] = []

    def apply(self: FixStep, fixing: Fixing, plan: Plan, reason: str) -> FixView:
        digests.append(plan.digest)
        return self._view(fixing, (plan,), {})

    monkeypatch.setattr(Fixing, "preview", lambda self, wish, remedy="": PLAN)
    monkeypatch.setattr(FixStep, "_done", apply)
    return digests


def step(tmp_path: Path, *codes: str) -> FixStep:
    (tmp_path / "e.yml").write_text(ENVIRONMENT)
    diagnosis = Diagnosis.__new__(Diagnosis)
    for name, value in (("environment", "e"), ("root_causes", codes)):
        object.__setattr__(diagnosis, name, value)
    return FixStep(diagnosis, Wish("", "e"), inventory=tmp_path, reports=tmp_path)


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
