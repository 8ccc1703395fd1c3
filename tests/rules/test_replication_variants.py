"""Replications that were not recorded: other hosts, ports, users and names, older wording, several causes at once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.harbor.job_log import JobLog, read_log_text
from cargo_runbook.facts.harbor.jobs import JobList
from cargo_runbook.facts.harbor.logs import read_front_log, read_registry_log
from cargo_runbook.facts.harbor.replication import (
    Redirect,
    ReplicationFacts,
    RepositoryFacts,
    StartFacts,
    TrustedKeys,
)
from cargo_runbook.rules.replication import codes
from tests.rules.replication_facts import (
    HTTP,
    HTTPS,
    NOW,
    REPOSITORY,
    D,
    checking,
    creating,
    diagnose,
    failing,
    find,
    front,
    job,
    listed,
    log,
    open_codes,
    opening,
    pings,
    pushing,
    refused,
    registry,
    retrying,
    token,
)

TO = f"Post {HTTPS}/api/projects/: "
DIAL = "dial tcp 192.0.2.9:8443: "
LOOKUP = f"Head {HTTPS}/v2/a/blobs/{D}: Get https://old-name.example/service/token?service=harbor-registry: "


def test_tags_that_went_through_before_the_failing_one_do_not_hide_it() -> None:
    text = opening() + "2026-01-01T11:59:00Z [INFO] manifest of x:v1 has been pushed to https://b.example\n"
    text += f"2026-01-01T11:59:01Z [ERROR] [transfer.go:9]: an error occurred while {pushing('413 <html>')}\n"
    known = ReplicationFacts(jobs=listed(job(7, "error")), logs={7: read_log_text(text, "E2")})
    assert diagnose(known).root_causes == ("CRG428",)


def test_two_repositories_with_two_causes_have_two_root_causes() -> None:
    known = ReplicationFacts(
        jobs=listed(job(1, "error", "a/b"), job(2, "retrying", "c/d"), job(3, "finished", "e/f")),
        logs={
            1: log(refused("403 Only system admin can create project"), repository="a/b"),
            2: log(
                checking(LOOKUP + "dial tcp: lookup old-name.example: no such host", repository="c/d"), repository="c/d"
            ),
        },
    )
    diagnosis = diagnose(known)
    assert set(diagnosis.root_causes) == {"CRG412", "CRG429"}
    assert find(diagnosis, "CRG401").consequence_of == ("CRG412",)
    assert find(diagnosis, "CRG402").consequence_of == ("CRG429",)


def project_of_two(other_status: str, other: JobLog, minutes: int = 0) -> ReplicationFacts:
    jobs = listed(job(7, "error"), job(8, other_status, "研发-组/其他", 60.0 + 60 * minutes))
    return ReplicationFacts(jobs=jobs, logs={7: log(checking("401 ")), 8: other})


def test_a_repository_of_the_same_project_that_went_through_refutes_a_missing_role() -> None:
    sent = read_log_text(opening() + f"2026-01-01T11:59:00Z [INFO] manifest of a:1 has been pushed to {HTTPS}\n", "E2")
    assert "CRG416" not in open_codes(diagnose(project_of_two("finished", sent)))
    assert "CRG416" in open_codes(diagnose(project_of_two("finished", sent, minutes=60))), "the role may be gone since"


def test_a_token_service_with_another_key_that_does_not_know_the_user_is_both() -> None:
    stranger = (token(status=401, scoped=False), token(subject="", key="AAAA"))
    known = failing(checking("401 "), tokens=stranger, keys=(TrustedKeys("b", ("BBBB",), "E8"),))
    assert set(diagnose(known).root_causes) == {"CRG418", "CRG421"}


def test_what_is_proven_does_not_refute_what_nobody_asked() -> None:
    diagnosis = diagnose(failing(checking("401 "), registry_logs=registry("token signed by untrusted key with ID: x")))
    assert diagnosis.root_causes == ("CRG418",)
    assert {"CRG416", "CRG419", "CRG421", "CRG422"} <= set(diagnosis.untested)
    assert "CRG423" in diagnosis.refuted


def test_several_jobs_at_once_make_a_prompt_refusal_tell_less() -> None:
    alone = diagnose(failing(checking("401 "), pings=pings(200)))
    assert alone.root_causes == ("CRG416",)
    two = replace(project_of_two("error", log(checking("401 "))), pings=pings(200))
    assert open_codes(diagnose(two)) == ["CRG416", "CRG422"]


def test_many_repositories_that_fail_alike_are_one_finding() -> None:
    jobs = [job(number, "error", f"p/r{number}") for number in range(300)]
    logs = {each.id: log(checking("502 ", repository=each.repository), repository=each.repository) for each in jobs}
    diagnosis = diagnose(ReplicationFacts(jobs=listed(*jobs), logs=logs))
    assert diagnosis.root_causes == ("CRG425",)
    (finding,) = [f for f in diagnosis.findings if f.code == "CRG425"]
    assert "and 299 more like it" in finding.summary.en
    assert len(finding.chain) < 10


def test_a_wrong_key_on_one_of_two_nodes_is_the_cause_of_answers_that_vary() -> None:
    keys = (TrustedKeys("b-1", ("AAAA",), "E8"), TrustedKeys("b-2", ("BBBB",), "E9"))
    known = failing(checking("401 "), pings=pings(200, 400, 200, 400), tokens=(token("pull", "push"),), keys=keys)
    diagnosis = diagnose(known)
    assert diagnosis.root_causes == ("CRG418",)
    assert find(diagnosis, "CRG422").consequence_of == ("CRG418",)
    assert any("b-2" in link.rule.en for link in find(diagnosis, "CRG418").chain)


def test_a_right_key_refutes_the_key_and_the_rest_stays_open() -> None:
    known = failing(checking("401 "), tokens=(token("pull", "push"),), keys=(TrustedKeys("b", ("AAAA",), "E8"),))
    diagnosis = diagnose(known)
    assert open_codes(diagnosis) == ["CRG419", "CRG420", "CRG422"]
    assert {"CRG416", "CRG418", "CRG421", "CRG423"} <= set(diagnosis.refuted)


def test_an_endpoint_with_http_is_refuted_by_what_it_answers_and_by_a_409() -> None:
    plain = failing(checking("401 ", HTTP), HTTP)
    assert "CRG423" in open_codes(diagnose(plain))
    assert "CRG423" in diagnose(replace(plain, redirect=Redirect(401, "", "E4"))).refuted
    existed = opening(HTTP) + (
        f"2026-01-01T11:59:00Z [WARNING] the status code is 409 when creating project p on {HTTP} with user u, try to do next step\n"
        f"2026-01-01T11:59:00Z [ERROR] [transfer.go:395]: an error occurred while {checking('401 ', HTTP)}\n"
    )
    assert "CRG423" in diagnose(replace(plain, logs={7: read_log_text(existed, "E2")})).refuted


def test_other_people_s_requests_in_the_front_s_log_prove_nothing() -> None:
    others = front(
        'GET /v2/ HTTP/1.1" 301',
        'HEAD /v2/other/x/blobs/1 HTTP/1.1" 301',
        'POST /api/projects/ HTTP/1.1" 401',
        user="x",
    )
    assert open_codes(diagnose(failing(checking("401 "), front_logs=others))) == open_codes(
        diagnose(failing(checking("401 ")))
    )
    late = replace(failing(refused("401 "), front_logs=others), logs={7: log(refused("401 "), seconds=2)})
    assert open_codes(diagnose(late)) == ["CRG424", "CRG434"]


def test_another_repository_s_refusal_says_nothing_of_this_one() -> None:
    line = 'msg="error authorizing context: insufficient scope" http.request.uri=/v2/other/x/blobs/1'
    known = failing(checking("401 "), registry_logs=(read_registry_log(line, "E6"),))
    assert open_codes(diagnose(known)) == open_codes(diagnose(failing(checking("401 "))))


def test_what_only_a_change_explains_is_not_called_proven() -> None:
    # The pings say that it is no matter of trust, the claims that the right is there.
    diagnosis = diagnose(failing(checking("401 "), pings=pings(200, 200), tokens=(token("pull", "push"),)))
    assert (open_codes(diagnosis), diagnosis.root_causes) == (["CRG422"], ("CRG402",))
    assert "several times" in find(diagnosis, "CRG422").summary.en


def test_another_client_s_old_token_says_nothing_of_this_one() -> None:
    lines = (
        'msg="token not to be used after 2026-01-01 08:00"\n'
        'msg="error authorizing context: invalid token" http.request.uri=/v2/x/y/tags'
    )
    known = failing(checking("401 "), registry_logs=(read_registry_log(lines, "E6"),))
    assert open_codes(diagnose(known)) == open_codes(diagnose(failing(checking("401 "))))


def test_clues_that_contradict_each_other_leave_everything_open() -> None:
    # Good pings speak against the key, the registry's line against everything else.
    written = registry("error authorizing context: invalid token")
    diagnosis = diagnose(failing(checking("401 "), pings=pings(200, 200), registry_logs=written))
    assert open_codes(diagnosis) == ["CRG416", "CRG418", "CRG419", "CRG420", "CRG421", "CRG422", "CRG423"]
    assert diagnosis.root_causes == ("CRG402",)


def test_who_created_the_project_has_a_role_in_it() -> None:
    text = opening() + f"2026-01-01T11:59:00Z [INFO] project p is created on {HTTPS} with user u\n"
    text += f"2026-01-01T11:59:00Z [ERROR] [transfer.go:395]: an error occurred while {checking('401 ')}\n"
    known = ReplicationFacts(jobs=listed(job(7, "error")), logs={7: read_log_text(text, "E2")})
    assert "CRG416" in diagnose(known).refuted


def test_a_ping_by_the_ui_does_not_refute_that_jobservice_can_t_resolve() -> None:
    known = retrying(creating(TO + "dial tcp: lookup 镜像.example: no such host"), pings=pings(200))
    assert diagnose(known).root_causes == ("CRG403",)


def test_an_older_job_that_retries_does_not_count_beside_a_newer_one_that_got_through() -> None:
    known = ReplicationFacts(
        jobs=listed(job(1, "retrying"), job(2, "finished")), logs={1: log(creating(TO + DIAL + "x"))}
    )
    assert diagnose(known).root_causes == ()


def test_one_change_from_bad_to_good_is_a_repair_and_nothing_that_varies() -> None:
    good = read_log_text(opening() + f"2026-01-01T11:59:00Z [INFO] manifest of a:1 has been pushed to {HTTPS}\n", "E2")
    bad = log(checking("401 "))
    repaired = ReplicationFacts(jobs=listed(job(1, "error"), job(2, "finished")), logs={1: bad, 2: good})
    assert diagnose(repaired).root_causes == ()
    turns = ReplicationFacts(
        jobs=listed(job(1, "error"), job(2, "finished"), job(3, "error"), job(4, "finished")),
        logs={1: bad, 2: good, 3: bad, 4: good},
    )
    assert diagnose(turns).root_causes == ("CRG422",)


def test_a_repository_that_is_nowhere_is_not_called_unknown_to_harbor() -> None:
    missing = RepositoryFacts("a/b", False, None, 404, "E5")
    known = ReplicationFacts(jobs=listed(), start=StartFacts(200, (), 5, "E4"), repositories=(missing,))
    assert diagnose(known).root_causes == ("CRG437",)


def test_jobs_that_can_t_be_listed_are_no_healthy_ones() -> None:
    for jobs in (None, JobList(403, None, 0, "", NOW, "E1"), JobList(0, None, 0, "timeout", NOW, "E1")):
        diagnosis = diagnose(ReplicationFacts(jobs=jobs))
        assert diagnosis.status.exit_code == 3
        assert {"CRG401", "CRG402"} <= set(diagnosis.untested)


def test_a_page_of_jobs_is_not_taken_for_all_of_them() -> None:
    page = replace(listed(job(1, "finished")), total=620)
    assert {"CRG401", "CRG402"} <= set(diagnose(ReplicationFacts(jobs=page)).untested)


def test_a_pasted_line_takes_endpoint_and_user_from_the_target() -> None:
    where = f"checking existence of blob {D} of {REPOSITORY}:v1 on destination registry"
    line = f"[ERROR] [job_logger.go:81]: an error occurred while {where}: 401 "
    known = ReplicationFacts(
        jobs=listed(job(7, "error")), logs={7: read_log_text(line, "E2")}, endpoint=HTTPS, username="同步 bot"
    )
    assert "CRG423" in diagnose(known).refuted
    refusals = front('GET /service/token?service=x HTTP/1.1" 401', 'GET /service/token?service=x HTTP/1.1" 401')
    assert diagnose(replace(known, front_logs=refusals)).root_causes == ("CRG421",)
    others = front('GET /service/token?service=x HTTP/1.1" 401', 'GET /service/token?service=x HTTP/1.1" 401', user="x")
    assert diagnose(replace(known, front_logs=others)).root_causes == ("CRG402",)


def test_a_state_that_is_not_known_is_not_guessed_at() -> None:
    diagnosis = diagnose(ReplicationFacts(jobs=listed(job(1, "levitating"))))
    assert diagnosis.status.exit_code == 3
    assert "levitating" in find(diagnosis, "CRG401").summary.en


def test_an_error_without_a_log_is_failed_and_nothing_more_is_said() -> None:
    diagnosis = diagnose(ReplicationFacts(jobs=listed(job(1, "error"))))
    assert diagnosis.root_causes == ("CRG402",)
    assert "no usable log of 1" in find(diagnosis, "CRG402").summary.en
    assert "CRG416" not in diagnosis.refuted


def test_a_right_to_push_that_is_missing_is_found_before_the_next_tag_fails() -> None:
    nothing_new = read_log_text(
        opening() + f"2026-01-01T11:59:00Z [INFO] blob {D} of a:1 already exists in {HTTPS}\n", "E2"
    )
    known = ReplicationFacts(jobs=listed(job(1, "finished")), logs={1: nothing_new})
    assert diagnose(known).root_causes == ()
    assert diagnose(replace(known, tokens=(token("pull"),))).root_causes == ("CRG417",)
    assert "CRG417" in diagnose(replace(known, tokens=(token("pull", "push"),))).refuted


def test_what_the_job_got_past_is_ruled_out_and_what_it_did_not_reach_is_untested() -> None:
    diagnosis = diagnose(retrying(creating(TO + DIAL + "getsockopt: connection refused")))
    assert {"CRG403", "CRG404"} <= set(diagnosis.refuted)
    assert {"CRG407", "CRG416", "CRG425"} <= set(diagnosis.untested)


@given(st.text(), st.sampled_from(["error", "retrying", "running", "pending", "stopped", "finished"]), st.text())
def test_no_log_and_no_text_of_a_registry_or_front_makes_it_fail(text: str, status: str, written: str) -> None:
    known = ReplicationFacts(
        jobs=listed(job(1, status)),
        logs={1: read_log_text(opening() + f"[ERROR] an error occurred while {text}", "E2")},
        registry_logs=(read_registry_log(written, "E6"),),
        front_logs=(read_front_log(written, "E7"),),
    )
    assert {f.code for f in diagnose(known).findings} == set(codes())
