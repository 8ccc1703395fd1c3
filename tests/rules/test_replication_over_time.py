"""Retries, stops, waiting and silence: jobs that do not end, and starts that lead to none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cargo_runbook.facts.harbor.job_log import read_log_text
from cargo_runbook.facts.harbor.replication import (
    Health,
    OtherPolicy,
    ReplicationFacts,
    StartFacts,
    read_answer,
    read_repositories,
)
from tests.recorded_harbor import at, cases, facts, jobs, logs, observation
from tests.rules.replication_facts import diagnose, find, job, listed, open_codes, opening

STILL = [(7, 8, "CRG405"), (9, 10, "CRG408")]


@pytest.mark.parametrize(("listed", "log", "code"), STILL)
def test_a_retry_that_failed_again_has_the_same_cause(listed: int, log: int, code: str) -> None:
    assert diagnose(facts(at("retry", listed, log))).root_causes == (code,)


@pytest.mark.parametrize(("listed", "log"), [(5, 6), (11, 12), (13, 14), (15, 16), (17, 18)])
def test_a_job_that_healed_by_itself_has_no_cause(listed: int, log: int) -> None:
    assert diagnose(facts(at("retry", listed, log))).root_causes == ()


def test_a_token_that_is_a_page_is_told_from_the_first_attempt_of_a_healed_job() -> None:
    exchanges = at("retry", 15, 16)
    (job_id, log) = next(iter(logs(exchanges).items()))
    listed = jobs(exchanges)
    assert listed is not None
    failing = replace(
        listed, jobs=tuple(replace(job, status="retrying") for job in listed.jobs or () if job.id == job_id)
    )
    known = ReplicationFacts(jobs=failing, logs={job_id: replace(log, attempts=log.attempts[:1])})
    assert diagnose(known).root_causes == ("CRG413",)


def test_a_stopped_policy_is_named_and_what_stopped_it_is_left_open() -> None:
    diagnosis = diagnose(facts(at("retry-long", 10, 18)))
    assert diagnosis.root_causes == ("CRG438",)
    assert open_codes(diagnosis) == ["CRG403"]
    assert "a new start tells" in find(diagnosis, "CRG403").summary.en


def test_retries_without_end_are_stuck_by_the_same_name() -> None:
    diagnosis = diagnose(facts(at("retry-long", 15, 17)))
    assert diagnosis.root_causes == ("CRG403",)
    assert find(diagnosis, "CRG401").consequence_of == ("CRG403",)


def blocked(listed: int, seconds: float, policy: str = "") -> ReplicationFacts:
    exchanges = at("workers-blocked", listed, 5)
    seen = jobs(exchanges, seconds)
    assert seen is not None
    # The log of one job was recorded; the others do the same.
    (log,) = logs(exchanges).values()
    return ReplicationFacts(
        policy=policy, jobs=seen, logs={job.id: log for job in seen.latest() if job.status == "running"}
    )


def test_a_silent_destination_is_named_with_the_jobs_that_wait_behind_it() -> None:
    diagnosis = diagnose(blocked(9, 42))
    assert diagnosis.root_causes == ("CRG414",)
    assert "https://silent.example" in find(diagnosis, "CRG414").summary.en
    assert "A stop does not end these jobs" in find(diagnosis, "CRG414").summary.en
    assert find(diagnosis, "CRG415").consequence_of == ("CRG414",)


def test_three_seconds_after_a_start_nobody_is_called_silent() -> None:
    assert diagnose(blocked(1, 3)).root_causes == ()


def test_a_healthy_destination_that_waits_is_told_whom_it_waits_for() -> None:
    other = blocked(9, 42)
    assert other.jobs is not None
    waiting = ReplicationFacts(policy="to-b", jobs=jobs(at("workers-blocked", 13), 61))
    alone = diagnose(waiting)
    assert alone.root_causes == ("CRG401",)
    assert open_codes(alone) == ["CRG415", "CRG432"]
    assert "all policies" in find(alone, "CRG415").summary.en
    beside = replace(waiting, others=(OtherPolicy("to-silent", "https://silent.example", other.jobs, other.logs),))
    diagnosis = diagnose(beside)
    assert diagnosis.root_causes == ("CRG414",)
    assert "to-silent" in find(diagnosis, "CRG414").vantage


def test_a_layer_on_its_way_is_not_taken_for_silence() -> None:
    known = blocked(9, 900)
    busy = {i: replace(log, attempts=(replace(log.attempts[0], last_message="transferring blob sha256:1 of a/b:1 to x ..."),))
            for i, log in known.logs.items()}  # fmt: skip
    assert "CRG414" not in diagnose(replace(known, logs=busy)).root_causes


def test_after_the_silence_the_jobs_that_were_stopped_and_the_healed_ones_are_told() -> None:
    assert diagnose(facts(at("workers-blocked", 15, 16))).root_causes == ("CRG438",)
    assert diagnose(facts(at("workers-blocked", 17))).root_causes == ()


def test_a_jobservice_that_is_down_is_found_by_the_log_that_it_does_not_hand_out() -> None:
    diagnosis = diagnose(facts(at("services-down", 3, 4)))
    assert diagnosis.root_causes == ("CRG432",)
    assert find(diagnosis, "CRG401").consequence_of == ("CRG432",)


def no_job(**known: object) -> ReplicationFacts:
    listed = jobs(at("push-agents", 5))
    return replace(ReplicationFacts(jobs=listed, start=StartFacts(200, (), 4.0, "E1")), **known)  # type: ignore[arg-type]


def test_a_start_without_a_job_names_its_candidates() -> None:
    diagnosis = diagnose(no_job())
    assert diagnosis.root_causes == ("CRG437",)
    for code in ("CRG432", "CRG433", "CRG434", "CRG436"):
        assert code in find(diagnosis, "CRG437").summary.en


def test_a_repository_that_harbor_does_not_know_is_told_by_its_tags() -> None:
    listing, tags = (observation(e) for e in at("push-agents", 0, 2))
    diagnosis = diagnose(no_job(repositories=read_repositories(listing, {"devops_test/node": tags})))
    assert diagnosis.root_causes == ("CRG436",)
    assert find(diagnosis, "CRG437").consequence_of == ("CRG436",)
    known = {"devops_test/ua-docker": tags}
    assert diagnose(
        no_job(repositories=read_repositories(observation(at("push-agents", 13)[0]), known))
    ).root_causes == ("CRG437",)


def test_a_source_whose_registry_is_down_makes_no_job() -> None:
    registry = Health("cargo-a", registry=read_answer(observation(at("services-down", 12)[0])))
    assert diagnose(no_job(source=registry)).root_causes == ("CRG433",)


@pytest.mark.parametrize(("place", "codes"), [(20, ("CRG434",)), (26, ("CRG434",)), (25, ("CRG424",))])
def test_systeminfo_tells_a_wrong_password_from_a_harbor_that_is_not_able(place: int, codes: tuple[str, ...]) -> None:
    bare = replace(facts(cases()["wrong-password"]), pings=(), front_logs=(), registry_logs=())
    answer = read_answer(observation(at("services-down", place)[0]))
    assert diagnose(replace(bare, destination=Health("b", systeminfo=answer))).root_causes == codes


def test_a_destination_that_has_not_answered_yet_is_silent_only_after_a_while() -> None:
    first, later = (
        opening(),
        opening() + "2026-01-01T11:59:00Z [INFO] all blobs of a/b:1 from http://registry:5000: []\n",
    )
    for text, seconds, silent in (
        (first, 20, False),
        (first, 40, True),
        (first, 200, True),
        (later, 5, False),
        (later, 12, True),
    ):
        known = ReplicationFacts(jobs=listed(job(1, "running", seconds=seconds)), logs={1: read_log_text(text, "E2")})
        diagnosis = diagnose(known)
        assert ("CRG414" in diagnosis.root_causes) is silent, (text, seconds)
        if silent:
            said = "by themselves" in find(diagnosis, "CRG414").summary.en
            assert said is (text == first and seconds < 150)
