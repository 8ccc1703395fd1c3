"""Logs of replication jobs: what is read out of them, whatever they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.harbor.go_error import Kind
from cargo_runbook.facts.harbor.job_log import Operation, Side, read_log_text
from tests.recorded_harbor import logs, recording

# The line of the troubleshooting guide, section 镜像同步同步失败: no time, and a space at its end.
GUIDE = (
    "[ERROR] [transfer.go:395]: an error occurred while checking existence of blob "
    "sha256:22c2dd5ee85dc01136051800684b0bf30016a3082f97093c806152bf43d4e089 of auto2/busybox:latest on "
    "https://single-tenant.example: 401 "
)
_HEAD = "2026-01-01T00:00:00Z [INFO] initializing: repository: a/b, tags: [1 2], source URL: http://registry:5000, "
OPENING = _HEAD + "destination URL: https://b.example, insecure: true, destination user: 王 五\n"


def line(message: str, place: str = "[transfer.go:205]: ") -> str:
    return f"{OPENING}2026-01-01T00:00:02Z [ERROR] {place}an error occurred while {message}\n"


@pytest.mark.parametrize("text", [GUIDE, GUIDE.rstrip(), GUIDE + "\n", GUIDE + "\r\n"])
def test_the_line_of_the_guide_is_read(text: str) -> None:
    failure = read_log_text(text, "E1").attempts[0].failure
    assert failure is not None
    assert (failure.operation, failure.image, failure.url) == (
        Operation.CHECK_BLOB,
        "auto2/busybox:latest",
        "https://single-tenant.example",
    )
    assert (failure.error.status, failure.source_line) == (401, "transfer.go:395")


LINES = [
    (
        "creating project 研发 组 on https://b.example:8443 with user 王 五 : 400 x",
        Operation.CREATE_PROJECT,
        Side.DESTINATION,
    ),
    ("creating project p on destination registry: 401 ", Operation.CREATE_PROJECT, Side.DESTINATION),
    ("pulling manifest of a/b:1 from http://registry:5000: 401 ", Operation.PULL_MANIFEST, Side.SOURCE),
    ("pulling blob sha256:1 of a/b:1 from http://registry:5000: 500 ", Operation.PULL_BLOB, Side.SOURCE),
    ("pushing blob sha256:1 of a/b/c:1 to https://b.example : 413 <html>", Operation.PUSH_BLOB, Side.DESTINATION),
    ("pushing manifest of a/b:1 to https://b.example : 500 ", Operation.PUSH_MANIFEST, Side.DESTINATION),
    (
        "checking existence of blob sha256:1 of a/b:1 on distination registry: 401 ",
        Operation.CHECK_BLOB,
        Side.DESTINATION,
    ),
    ("listing tags for source repository: 401 ", Operation.LIST_TAGS, Side.SOURCE),
    ("creating source repository client: 502 ", Operation.SOURCE_CLIENT, Side.SOURCE),
    ("doing a new thing on http://registry:5000: 401 ", Operation.OTHER, Side.SOURCE),
    ("doing a new thing on https://b.example: 401 ", Operation.OTHER, Side.DESTINATION),
]


@pytest.mark.parametrize(("message", "operation", "side"), LINES)
@pytest.mark.parametrize("place", ["[transfer.go:205]: ", "[job_logger.go:81]: ", ""])
def test_each_operation_and_its_side_are_told(message: str, operation: Operation, side: Side, place: str) -> None:
    failure = read_log_text(line(message, place), "E1").attempts[0].failure
    assert failure is not None
    assert (failure.operation, failure.side, failure.error.kind) == (operation, side, Kind.HTTP)


def test_the_heading_tells_whence_whither_and_who() -> None:
    (attempt,) = read_log_text(OPENING, "E1").attempts
    (failed,) = read_log_text(
        line("creating project 研发 组 on https://b.example with user 王 五 : 400 x"), "E1"
    ).attempts
    assert failed.failure is not None
    assert (failed.failure.project, failed.failure.user) == ("研发 组", "王 五")
    assert (attempt.repository, attempt.source, attempt.destination, attempt.user, attempt.insecure) == (
        "a/b",
        "http://registry:5000",
        "https://b.example",
        "王 五",
        True,
    )


def test_a_page_over_several_lines_belongs_to_the_error() -> None:
    page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>"
    text = line(f"creating project p on https://b.example with user u : 502 {page}")
    failure = read_log_text(text, "E1").attempts[0].failure
    assert failure is not None
    assert failure.error.status == 502
    assert failure.error.body.endswith("</html>")


def test_each_retry_is_an_attempt_and_the_last_one_counts() -> None:
    (log,) = logs([e for e in recording("retry-long") if e["request"]["path"].endswith("/8/log")]).values()
    assert len(log.attempts) == 4
    assert log.last is not None
    assert log.last.failure is not None
    assert log.last.failure.error.kind is Kind.NO_SUCH_NAME
    assert log.last.waits_for_retry


def test_attempts_of_a_job_that_deletes_have_no_heading_and_are_parted_all_the_same() -> None:
    failed = "[ERROR] an error occurred while deleting a/b:1 on https://b.example: dial tcp: lookup b.example: no such host\n"
    log = read_log_text((failed + "[INFO] waiting for retrying...\n") * 2 + failed, "E1")
    assert len(log.attempts) == 3


def test_a_healed_job_has_no_failure_in_its_last_attempt() -> None:
    (log,) = logs([e for e in recording("retry") if e["request"]["path"].endswith("/19/log")]).values()
    assert [attempt.failure is None for attempt in log.attempts] == [False, True]
    assert log.last is not None
    assert log.last.completed


def test_a_log_that_is_cut_off_after_a_network_error_tells_nothing_of_now() -> None:
    failing = line(
        "creating project p on https://b.example with user u : dial tcp 192.0.2.1:443: getsockopt: no route to host"
    )
    assert read_log_text(failing, "E1").last is not None
    assert read_log_text(failing + "...TRUNCATED (9000 bytes in all)", "E1").last is None


def test_an_http_status_ends_a_job_so_it_is_the_end_of_a_log_that_is_cut_off_too() -> None:
    cut = (
        line('pushing blob sha256:1 of a/b:1 to https://b.example : 401 {"errors":[{"co')
        + "...TRUNCATED (9 bytes in all)"
    )
    log = read_log_text(cut, "E1")
    assert log.truncated
    assert log.last is not None


@pytest.mark.parametrize(
    "answer",
    [
        "message from jobservice: 404 page not found\n",
        "<!DOCTYPE html>\n<html></html>",
        "",
        "replication job 9 not found",
    ],
)
def test_what_is_no_log_has_no_attempt(answer: str) -> None:
    assert read_log_text(answer, "E1").attempts == ()


def test_every_recorded_log_with_an_error_is_understood() -> None:
    names = ("replication-cases", "replication-2.6.2", "logs", "retry", "retry-long", "stop-more", "workers-blocked")
    found = [log for name in names for log in logs(recording(name)).values()]
    failures = [attempt.failure for log in found for attempt in log.attempts if attempt.failure is not None]
    assert len(failures) > 50
    assert {f.operation for f in failures} <= {Operation.CREATE_PROJECT, Operation.CHECK_BLOB, Operation.PUSH_BLOB}
    assert Kind.OTHER not in {f.error.kind for f in failures}


@given(
    st.text()
    | st.lists(st.sampled_from([*OPENING.split(), "\n", "[ERROR]", "[x:1]", GUIDE, "\r", ": ", "401"])).map("".join)
)
def test_no_text_makes_it_fail(text: str) -> None:
    for attempt in read_log_text(text, "E1").attempts:
        assert attempt.sent >= 0
