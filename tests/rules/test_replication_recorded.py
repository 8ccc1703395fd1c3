"""Replications of real Harbor 1.4.1 installations, judged from what was recorded of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cargo_runbook.facts.harbor.replication import Health, ReplicationFacts, StartFacts, read_answer, read_repositories
from cargo_runbook.findings import Health as Outcome
from cargo_runbook.findings import Verdict
from cargo_runbook.rules.catalog import catalog
from tests.recorded_harbor import Exchange, cases, facts, jobs, logs, observation, recording
from tests.rules.replication_facts import diagnose, find, open_codes

CASES = cases()


def at(name: str, *places: int) -> list[Exchange]:
    return [recording(name)[place] for place in places]


# Root cause of each recorded case; none for a control, and for a cause that did no harm to the replication.
EXPECTED = {
    "good": (),
    "wrong-password": ("CRG424",),
    "unknown-user": ("CRG424",),
    "guest": ("CRG417",),
    "developer": (),
    "no-role-private": ("CRG416",),
    "no-role-public": ("CRG417",),
    "project-missing-adminonly": ("CRG429",),
    "project-missing-everyone": (),
    "token-not-trusted": ("CRG418",),
    "realm-unresolvable": ("CRG412",),
    "realm-refused": ("CRG412",),
    "realm-of-another-cluster": (),
    "registry-down": ("CRG425",),
    "ui-down": ("CRG426",),
    "token-service-503": ("CRG427",),
    "connection-closed": ("CRG411",),
    "redirect": ("CRG423",),
    "plain-registry": ("CRG430",),
    "x509-unknown-ca": ("CRG407",),
    "no-scheme": ("CRG423",),
    "dns-servfail": ("CRG404",),
    "dns-silent": ("CRG404",),
    "noroute": ("CRG406",),
    "token-own": (),
    "token-of-another-cluster": ("CRG421",),
    "token-of-another-cluster-admin": (),
    "token-alternating": ("CRG422",),
}


def test_every_recorded_case_is_expected_to_be_something() -> None:
    assert set(EXPECTED) == set(CASES)
    assert len(CASES) == 28


@pytest.mark.parametrize("case", EXPECTED)
def test_a_recorded_case_has_its_cause_and_no_other(case: str) -> None:
    diagnosis = diagnose(facts(CASES[case]))
    assert diagnosis.root_causes == EXPECTED[case]
    assert diagnosis.status is (Outcome.FAULT if EXPECTED[case] else Outcome.HEALTHY)
    assert open_codes(diagnosis) == []
    assert {f.code for f in diagnosis.findings} == {c for c, entry in catalog().items() if entry.check == "replication"}


@pytest.mark.parametrize("case", [case for case, roots in EXPECTED.items() if roots])
def test_a_recorded_cause_has_a_chain_and_says_whether_it_is_tried_again(case: str) -> None:
    known = facts(CASES[case])
    diagnosis = diagnose(known)
    for finding in diagnosis.findings:
        if finding.status is Verdict.FAULT:
            assert finding.chain
            assert all(
                link.observation.startswith("E") and link.rule.zh and link.consequence.zh for link in finding.chain
            )
    assert known.jobs is not None
    stuck = known.jobs.latest()[0].status == "retrying"
    assert (find(diagnosis, "CRG401").status is Verdict.FAULT) == stuck
    if case != "token-alternating":
        assert (find(diagnosis, "CRG402").status is Verdict.FAULT) == (not stuck)


# Without anything from the destination but one part: what stays open, and words of the question that decides.
TOKENS = ["CRG416", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422"]
WITHHELD = [
    ("no-role-private", "", TOKENS, "`sub` and `access`"),
    ("token-not-trusted", "", TOKENS, "`kid`"),
    ("token-of-another-cluster", "", TOKENS, "without a scope"),
    ("redirect", "", [*TOKENS, "CRG423"], "redirects"),
    ("no-scheme", "", [*TOKENS, "CRG423"], "redirects"),
    ("guest", "", ["CRG417", "CRG421", "CRG422"], "`sub` and `access`"),
    ("no-role-public", "", ["CRG417", "CRG421", "CRG422"], "`sub` and `access`"),
    ("wrong-password", "", ["CRG424", "CRG434"], "systeminfo"),
    ("unknown-user", "", ["CRG424", "CRG434"], "systeminfo"),
    ("wrong-password", "pings", ["CRG424", "CRG434"], "systeminfo"),
    ("token-not-trusted", "pings", ["CRG418", "CRG419", "CRG420", "CRG421", "CRG422"], "`kid`"),
    ("no-role-private", "registry_logs", ["CRG416", "CRG421", "CRG422"], "`sub` and `access`"),
    ("token-of-another-cluster", "registry_logs", ["CRG416", "CRG421", "CRG422"], "without a scope"),
    ("token-not-trusted", "front_logs", ["CRG418", "CRG419", "CRG420"], "`kid`"),
]


@pytest.mark.parametrize(("case", "kept", "left", "asked"), WITHHELD)
def test_what_the_log_alone_can_t_decide_is_left_open_with_the_question_that_decides(
    case: str, kept: str, left: list[str], asked: str
) -> None:
    known = facts(CASES[case])
    bare = replace(known, pings=(), tokens=(), redirect=None, registry_logs=(), front_logs=())
    diagnosis = diagnose(replace(bare, **{kept: getattr(known, kept)}) if kept else bare)
    assert open_codes(diagnosis) == left
    assert diagnosis.root_causes == ("CRG402",), "that it failed is known, why is not"
    for code in left:
        assert code in find(diagnosis, "CRG402").summary.en
        assert asked in find(diagnosis, code).summary.en


def test_a_token_service_that_varies_is_not_taken_for_a_missing_role_by_one_look() -> None:
    first, second = CASES["token-alternating"][:4], CASES["token-alternating"][4:8]
    assert open_codes(diagnose(facts(first))) == ["CRG416", "CRG422"]
    assert open_codes(diagnose(facts(second))) == ["CRG421", "CRG422"]
    assert diagnose(facts([*first, *second])).root_causes == ("CRG422",)


def test_a_job_that_got_through_by_chance_does_not_hide_a_token_service_that_varies() -> None:
    known = facts(CASES["token-alternating"])
    assert known.jobs is not None
    assert known.jobs.latest()[0].status == "finished"
    for part in ({"pings": (), "tokens": ()}, {"pings": (), "logs": {}}, {"tokens": (), "logs": {}}):
        assert "CRG422" in diagnose(replace(known, **part, front_logs=())).root_causes


SHIPPED = {
    "all right": (),
    "user without a role in the private project": ("CRG416",),
    "developer (role 2)": (),
    "destination registry stopped, its front answers 502": ("CRG425",),
    "all right again": (),
}


@pytest.mark.parametrize("topic", SHIPPED)
def test_the_registry_that_harbor_1_4_ships_is_judged_alike(topic: str) -> None:
    exchanges = [e for e in recording("replication-2.6.2") if e["note"].startswith(f"{topic}: ")]
    known = replace(facts([e for e in exchanges if e["request"]["path"] != "/v2/"]), redirect=None)
    assert diagnose(known).root_causes == SHIPPED[topic]


# Several jobs ran at once there, and the log of the registry was kept without its reasons.
THIN = {
    "wrong password": ["CRG424", "CRG434"],
    "destination registry does not trust the token": ["CRG418", "CRG419", "CRG420", "CRG422"],
}


@pytest.mark.parametrize("topic", THIN)
def test_evidence_that_is_too_thin_leaves_the_candidates(topic: str) -> None:
    exchanges = [e for e in recording("replication-2.6.2") if e["note"].startswith(f"{topic}: ")]
    known = replace(facts([e for e in exchanges if e["request"]["path"] != "/v2/"]), redirect=None)
    diagnosis = diagnose(known)
    assert open_codes(diagnosis) == THIN[topic]
    assert diagnosis.root_causes == ("CRG402",)


def test_a_finished_job_without_anything_new_proves_no_right_to_push() -> None:
    before = diagnose(facts(at("guest-images", 0, 1, 2, 3)))
    assert open_codes(before) == ["CRG401", "CRG402", "CRG417"], "one job of nine was asked for"
    assert "no right to push" in find(before, "CRG417").summary.en
    assert before.status is Outcome.UNKNOWN
    assert {"CRG428", "CRG439"} <= set(before.untested), "neither size nor disk were put to the test"
    assert diagnose(facts(at("guest-images", 4, 5, 6, 7))).root_causes == ("CRG417",)


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
    from cargo_runbook.facts.harbor.replication import OtherPolicy

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
    bare = replace(facts(CASES["wrong-password"]), pings=(), front_logs=(), registry_logs=())
    answer = read_answer(observation(at("services-down", place)[0]))
    assert diagnose(replace(bare, destination=Health("b", systeminfo=answer))).root_causes == codes
