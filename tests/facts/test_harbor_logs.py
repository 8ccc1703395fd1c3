"""The destination's registry log and its front's access log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.harbor.logs import Refusal, read_front_log, read_registry_log
from tests.recorded_harbor import recording

URI = 'http.request.method=HEAD http.request.uri="/v2/a/b/blobs/sha256:1"'
LINES = [
    (f'level=warning msg="error authorizing context: insufficient scope" {URI}', Refusal.SCOPE),
    (f'level=warning msg="error authorizing context: invalid token" {URI}', Refusal.UNTOLD),
    (f'level=warning msg="error authorizing context: authorization token required" {URI}', Refusal.NO_TOKEN),
    (r'level=info msg="token signed by untrusted key with ID: \"AAAA:BBBB\""', Refusal.KEY),
    ('level=info msg="unable to verify token signature: invalid RS256 signature"', Refusal.KEY),
    ('level=info msg="token not to be used before 2026-11-24 10:55:33 +0000 UTC - currently 2026-11-24"', Refusal.TIME),
    ('level=info msg="token not to be used after 2026-11-24 08:47:33 +0000 UTC - currently 2026-11-24"', Refusal.TIME),
    (r'level=info msg="token from untrusted issuer: \"registry-token-issuer\""', Refusal.CLAIMS),
    (r'level=info msg="token intended for another audience: \"token-service\""', Refusal.CLAIMS),
]


@pytest.mark.parametrize(("line", "reason"), LINES)
@pytest.mark.parametrize("prefix", ['time="2026-11-24T10:19:34Z" ', "Nov 24 10:19:34 172.18.0.1 registry[1]: time=x "])
def test_each_refusal_has_its_reason(line: str, reason: Refusal, prefix: str) -> None:
    (refusal,) = read_registry_log(prefix + line, "E1").refusals
    assert refusal.reason is reason


def test_the_key_that_is_not_trusted_is_named() -> None:
    (refusal,) = read_registry_log(LINES[3][0], "E1").refusals
    assert refusal.key_id == "AAAA:BBBB"


def test_the_challenge_that_every_client_meets_is_no_refusal() -> None:
    line = 'msg="error authorizing context: authorization token required" http.request.method=GET http.request.uri=/v2/'
    assert read_registry_log(line, "E1").refusals == ()


def test_a_full_disk_is_seen() -> None:
    line = (
        'msg="response completed with error" err.code=unknown err.detail="filesystem: write: no space left on device"'
    )
    assert "no space left" in read_registry_log(line, "E1").disk_full


def test_the_reason_belongs_to_the_request_on_the_line_after_it() -> None:
    lines = [line for e in recording("replication-cases") if e["case"] == "token-not-trusted"
             for line in e.get("destination_registry_log", ())]  # fmt: skip
    ping, blob = read_registry_log("\n".join(lines), "E1").refusals
    assert {ping.reason, blob.reason} == {Refusal.KEY}
    assert ping.path == "/v2/"
    assert blob.path.startswith("/v2/devops_test/node/blobs/")


def test_refusals_of_every_recorded_kind_are_read() -> None:
    lines = [
        line
        for name in ("replication-cases", "replication-2.6.2", "guest-images")
        for exchange in recording(name)
        for line in exchange.get("destination_registry_log", ())
    ]
    told = read_registry_log("\n".join(lines), "E1").refusals
    assert {r.reason for r in told} == {Refusal.KEY, Refusal.SCOPE, Refusal.NO_TOKEN, Refusal.UNTOLD}
    assert len([r for r in told if r.reason is Refusal.SCOPE]) == len([x for x in lines if "insufficient scope" in x])


def test_a_token_request_tells_who_asked_for_what() -> None:
    line = (
        '192.0.2.7 - \\xE7 li [24/Nov/2026:10:19:34 +0000] "GET /service/token?scope=repository%3Aa%2Fb%3Apull'
        '&service=harbor-registry HTTP/1.1" 200 964 "-" "Go-http-client/1.1"'
    )
    (request,) = read_front_log(f"docker/tengine: {line}", "E1").token_requests()
    assert (request.scope, request.status) == ("repository:a/b:pull", 200)


def test_every_line_of_the_recorded_fronts_is_read() -> None:
    lines = [line for exchange in recording("replication-cases") for line in exchange.get("destination_front_log", ())]
    assert len(lines) > 150
    assert len(read_front_log("\n".join(lines), "E1").lines) == len(lines)


@given(st.text() | st.lists(st.sampled_from([*(line for line, _ in LINES), '"', "\\", "\n", "=", "msg="])).map("".join))
def test_no_text_makes_them_fail(text: str) -> None:
    read_registry_log(text, "E1")
    read_front_log(text, "E1")
