"""All replications of an environment together: what is said of idle ones, and of those that can't be looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cargo_runbook.facts.harbor.job_log import read_log_text
from cargo_runbook.facts.harbor.jobs import JobList
from cargo_runbook.facts.harbor.replication import OtherPolicy, ReplicationFacts, Silence
from cargo_runbook.facts.replication import (
    EnvironmentReplication,
    Generation,
    PolicyFacts,
    Reason,
    SavedPolicy,
    troubled,
)
from cargo_runbook.findings import Finding, Verdict
from cargo_runbook.rules.replication.environment import judge_environment
from tests.rules.path_facts import HEALTHY
from tests.rules.replication_facts import HTTPS, NOW, checking, failing, job, listed, log, opening

ABLE = Generation(200, "v1.4.1", "", "E1")
SAVED = SavedPolicy(1, "库-to-b", "库", 7, HTTPS, "同步 bot", False, "Manual", "E2")


def environment(*policies: PolicyFacts, **more: object) -> EnvironmentReplication:
    return replace(EnvironmentReplication(generation=ABLE, policies=policies), **more)  # type: ignore[arg-type]


def idle(jobs: JobList, *, name: str = "库-to-b") -> PolicyFacts:
    return PolicyFacts(policy=replace(SAVED, name=name), facts=ReplicationFacts(policy=name, jobs=jobs, closely=False))


def broken(facts: ReplicationFacts, *, name: str = "库-to-b") -> PolicyFacts:
    return PolicyFacts(policy=replace(SAVED, name=name), facts=replace(facts, policy=name), destination="乙")


def judged(facts: EnvironmentReplication) -> list[Finding]:
    return list(judge_environment(HEALTHY, facts))


def told(facts: EnvironmentReplication, status: Verdict) -> list[str]:
    return [f.code for f in judged(facts) if f.status is status]


@pytest.mark.parametrize("jobs", [listed(), listed(job(1, "finished")), listed(job(2, "running", seconds=3))])
def test_a_replication_that_is_idle_or_at_work_has_no_finding_but_ok(jobs: JobList) -> None:
    assert {f.status for f in judged(environment(idle(jobs)))} == {Verdict.OK}


def test_an_environment_without_a_policy_has_no_finding_but_ok() -> None:
    assert [(f.code, f.status) for f in judged(environment())] == [("CRG401", Verdict.OK), ("CRG402", Verdict.OK)]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.NOT_REACHED, Verdict.SKIPPED),
        (Reason.NO_ADMIN, Verdict.SKIPPED),
        (Reason.LATER_GENERATION, Verdict.SKIPPED),
        (Reason.REFUSED, Verdict.UNKNOWN),
        (Reason.NO_SUCH_POLICY, Verdict.UNKNOWN),
    ],
)
def test_what_can_not_be_looked_at_is_never_ok_and_never_a_fault(reason: Reason, status: Verdict) -> None:
    assert {f.status for f in judged(environment(reason=reason))} == {status}


def test_a_harbor_that_is_not_able_is_left_to_its_own_code() -> None:
    found = judged(environment(generation=Generation(500, "", "Unexpected error", "E1")))
    assert [(f.code, f.status) for f in found] == [("CRG401", Verdict.SKIPPED), ("CRG402", Verdict.SKIPPED)]


def test_a_healthy_policy_beside_a_broken_one_adds_no_riddle() -> None:
    facts = environment(idle(listed(job(1, "finished")), name="好"), broken(failing(checking("502 "))))
    assert told(facts, Verdict.FAULT) == ["CRG402", "CRG425"]
    assert told(facts, Verdict.UNKNOWN) == []


def test_a_cause_at_the_destination_names_it_and_the_symptom_names_the_policy() -> None:
    found = {
        f.code: f.vantage for f in judged(environment(broken(failing(checking("502 "))))) if f.status is Verdict.FAULT
    }
    assert found == {"CRG425": "destination 乙", "CRG402": "jobservice of the source, policy 库-to-b"}


def test_two_policies_that_fail_alike_at_one_destination_are_one_finding() -> None:
    one, two = (broken(failing(checking("502 ")), name=name) for name in ("一", "二"))
    (cause,) = (f for f in judged(environment(one, two)) if f.code == "CRG425")
    assert cause.status is Verdict.FAULT


def test_jobs_that_wait_while_others_send_layers_are_a_queue_and_no_fault() -> None:
    sending = read_log_text(
        opening() + "2026-01-01T11:59:01Z [INFO] transferring blob sha256:ab of 库/b:1 to x ...\n", "E3"
    )
    other = OtherPolicy("另", HTTPS, listed(job(9, "running", seconds=300)), {9: sending})
    facts = ReplicationFacts(jobs=listed(job(10, "pending", seconds=120)), others=(other,))
    assert told(environment(broken(facts)), Verdict.FAULT) == []


def test_an_endpoint_that_was_asked_and_said_nothing_is_silent_after_ten_seconds_already() -> None:
    running = ReplicationFacts(
        endpoint=HTTPS, jobs=listed(job(9, "running", seconds=12)), logs={9: read_log_text(opening(), "E3")}
    )
    assert "CRG414" in told(environment(broken(running)), Verdict.UNKNOWN)
    heard = replace(running, silence=Silence(True, "timed out", "E4"))
    assert "CRG414" in told(environment(broken(heard)), Verdict.FAULT)


def test_every_running_job_of_a_silent_destination_holds_a_worker_older_ones_too() -> None:
    jobs = listed(*(job(number, "running", seconds=60) for number in (7, 8, 9)))
    logs = {number: read_log_text(opening(), "E3") for number in (7, 8, 9)}
    other = OtherPolicy("哑", "https://silent.example", jobs, logs)
    facts = ReplicationFacts(jobs=listed(job(10, "pending", seconds=60)), others=(other,))
    (waits,) = (f for f in judged(environment(broken(facts))) if f.code == "CRG415")
    assert "9, 8, 7 (https://silent.example)" in waits.summary.en


def test_only_the_newest_jobs_and_those_older_than_ten_seconds_are_in_trouble() -> None:
    assert troubled(None) == ()
    fresh = listed(job(1, "error"), job(2, "finished"), job(3, "running", "另/一", seconds=5))
    assert troubled(fresh) == ()
    assert [each.id for each in troubled(replace(fresh, seen=NOW + timedelta(seconds=30)))] == [3]
    assert log(checking("401 ")).last is not None
