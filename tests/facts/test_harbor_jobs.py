"""Lists of replication jobs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.harbor.jobs import join_pages, read_jobs
from cargo_runbook.facts.harbor.replication import new_jobs
from cargo_runbook.observations import Observation
from tests.recorded_harbor import is_jobs, observation, recording

LISTED = next(e for e in recording("jobs") if is_jobs(e) and e["response"]["status"] == 200)


def answer(body: str, status: int = 200, total: str = "") -> Observation:
    headers = {"x-total-count": total} if total else {}
    return replace(observation(LISTED), output=body, data={"status": status, "headers": headers})


@pytest.mark.parametrize("body", ["[]", "null"])
def test_no_jobs_are_an_empty_list_whatever_harbor_calls_it(body: str) -> None:
    assert read_jobs(answer(body)).jobs == ()


@pytest.mark.parametrize("body", ["", "<html>", "{}", '"x"', "not found"])
def test_what_is_no_list_is_not_an_empty_one(body: str) -> None:
    assert read_jobs(answer(body)).jobs is None


def test_an_error_has_no_jobs_and_says_why() -> None:
    refused = read_jobs(answer("policy 51 not found\n", 404))
    assert (refused.jobs, refused.status, refused.said) == (None, 404, "policy 51 not found")


def test_the_newest_job_of_a_repository_counts_not_the_one_updated_last() -> None:
    jobs = [
        {
            "id": 5,
            "status": "retrying",
            "repository": "a/b",
            "operation": "transfer",
            "update_time": "2026-01-01T09:00:00Z",
        },
        {
            "id": 9,
            "status": "finished",
            "repository": "a/b",
            "operation": "transfer",
            "update_time": "2026-01-01T08:00:00Z",
        },
        {"id": 7, "status": "error", "repository": "研发/网 关", "operation": "transfer"},
    ]
    assert [(job.id, job.status) for job in read_jobs(answer(json.dumps(jobs))).latest()] == [
        (9, "finished"),
        (7, "error"),
    ]


def test_a_page_of_many_is_not_taken_for_all() -> None:
    page = read_jobs(answer(json.dumps([{"id": 1, "status": "error", "repository": "a/b"}]), total="620"))
    assert not page.complete
    more = read_jobs(
        answer(json.dumps([{"id": i, "status": "error", "repository": "a/b"} for i in range(2, 621)]), total="620")
    )
    whole = join_pages([page, more])
    assert whole is not None
    assert whole.complete
    missing = join_pages([page, read_jobs(answer("", 500))])
    assert missing is not None
    assert not missing.complete


def test_a_job_s_age_is_counted_by_the_server_s_clock() -> None:
    told = replace(answer("[]"), data={"status": 200, "headers": {"date": "Tue, 24 Nov 2026 10:00:00 GMT"}})
    assert read_jobs(told).seen.isoformat() == "2026-11-24T10:00:00+00:00"


def test_a_start_is_proven_by_ids_that_were_not_there() -> None:
    before, after = read_jobs(answer('[{"id": 3}]')), read_jobs(answer('[{"id": 4}, {"id": 3}]'))
    old = [job.id for job in before.jobs or ()]
    assert (new_jobs(old, after), new_jobs(old, before)) == ((4,), ())


def test_every_recorded_list_is_read_whole() -> None:
    lists = [e for name in ("jobs", "jobs-more", "jobs-old") for e in recording(name) if is_jobs(e)]
    for exchange in lists:
        body = exchange["response"]["body"]
        if exchange["response"]["status"] == 200 and isinstance(body, list):
            read = read_jobs(observation(exchange)).jobs
            assert read is not None
            assert [job.id for job in read] == [entry["id"] for entry in body]
            assert all(job.updated and job.created for job in read)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
jobs_like = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("id", "status", "tags", "update_time", "repository"), json_values)
    )
)


@given(json_values | jobs_like)
def test_no_body_makes_it_fail(body: Any) -> None:
    read_jobs(answer(json.dumps(body))).latest()
