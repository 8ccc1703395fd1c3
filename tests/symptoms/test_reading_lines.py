"""How the lines of a paste belong together: what was asked before, what is said twice, what was left out."""

from __future__ import annotations

import json

import pytest

from cargo_runbook.symptoms import explain
from tests.symptoms.corpus import ELSEWHERE, UNRESOLVED


def test_what_curl_says_counts_where_it_was_asked_for_a_registry() -> None:
    said = "curl: (60) SSL certificate problem: unable to get local issuer certificate"
    assert explain(f"$ curl -i https://reg.corp.example/v2/\n{said}").cause == "tls-trust"
    assert explain(f"$ curl -O https://files.corp.example/docker.tgz\n{said}").cause == "unknown"


def test_a_last_line_that_says_the_end_of_an_earlier_one_again_adds_nothing() -> None:
    first = 'failed to fetch oauth token: Get "https://auth.docker.io/token?scope=x": dial tcp: i/o timeout'
    assert explain(first).cause == explain(f"{first}\nError: i/o timeout").cause == "token-service"


def test_blanks_in_a_name_that_was_left_out_part_nothing() -> None:
    text = "docker pull: dial tcp: lookup <my registry host> on <cluster DNS>:53: read udp <Pod IP>:6064: i/o timeout"
    assert explain(text).cause == "dns-unresolvable"


def test_a_line_that_asks_a_registry_is_about_the_registry_whoever_else_it_names() -> None:
    asked = 'ssh: could not update the builder of git@git.corp.example: Get "https://reg.corp.example/v2/": EOF'
    assert explain(asked).cause == "connection-refused-or-unreachable"
    assert explain(asked.replace("/v2/", "/repos/")).cause == "unknown"


def test_beside_an_error_a_warning_weighs_less() -> None:
    warned = 'time="2016-01-18T19:07:20" level=warning msg="Error getting v2 registry: dial tcp 192.0.2.9:443: connection refused"'
    failed = (
        'time="2016-01-18T19:07:20" level=error msg="filesystem layer verification failed for digest sha256:022adea7"'
    )
    assert explain(warned).cause == "connection-refused-or-unreachable"
    assert explain(f"{warned}\n{failed}").cause == "storage-or-upload"


def test_what_a_registry_answered_after_a_step_that_failed_is_what_ended_the_command() -> None:
    for step in ("Must provide --username with --password-stdin", "error during connect: creating docker context:"):
        assert explain(step).cause == "client-config"
        assert (
            explain(f"{step}\nThe push refers to repository [reg.corp.example/p/r]\ndenied: no").cause
            == "permission-denied"
        )


def test_what_is_not_here_yet_and_is_pulled_now_is_no_error() -> None:
    assert (
        explain("Image 'reg.corp.example/p/r:1' not found, pulling\nunauthorized: authentication required").cause
        == "not-logged-in"
    )
    assert explain("Image 'reg.corp.example/p/r:1' not found").cause == "repository-or-project-missing"


def test_the_status_that_was_waited_for_is_not_the_one_that_came() -> None:
    pulled = "pulling image: reg.corp.example/p/r:1\nerror: GET failed; expected status {401, 404} but got "
    assert explain(f"{pulled}200: OK").cause == "unknown"
    assert explain(f"{pulled}403: Forbidden").cause == "permission-denied"
    assert explain(f"{pulled}401: Unauthorized").cause == "not-logged-in"


def test_a_request_that_succeeds_when_it_is_asked_again_is_no_refusal() -> None:
    asked = 'level=warning msg="error authorizing context: authorization token required" http.request.uri="/v2/p/r/manifests/1"'
    lines = [f'10.0.0.6 - - [04/Apr/2018:20:19:50 +0000] "GET /v2/p/r/manifests/{tag} HTTP/1.1"' for tag in "12"]
    refused, other = f"{asked}\n{lines[0]} 401 158", f"{lines[1]} 401 158"
    assert explain(refused).cause == "not-logged-in"
    assert explain(f"{refused}\n{lines[0]} 200 1780").cause == "unknown"
    assert explain(f"{lines[0]} 200 1780\n{refused}").cause == "not-logged-in"
    assert explain(f"{refused}\n{other}\n{lines[0]} 200 1780").cause == "not-logged-in"


def test_a_log_in_one_string_is_read_line_by_line() -> None:
    log = "ContainerLaunchException: Container startup failed for image db:1\nCaused by: Could not build image: toomanyrequests: rate limit"
    assert explain(json.dumps({"log": log})).cause == explain(log).cause == "rate-limited"
    assert explain(
        'docker login r.example\nError: Get "\nhttps://r.example/v2/": unauthorized: authentication required'
    ).cause == ("bad-credentials")


@pytest.mark.parametrize(
    "text",
    [
        UNRESOLVED,
        f"\x1b[31m{UNRESOLVED}\x1b[0m",
        UNRESOLVED.replace("no such host", "#033[1mno such host#033[0m"),
        '{"message":"' + UNRESOLVED.replace('"', '\\"') + '"}',
        '{"log":"{\\"message\\":\\"' + UNRESOLVED.replace('"', '\\\\\\"') + '\\"}\\n"}',
        f"老师好，拉镜像时报错：{UNRESOLVED}，请问怎么办？",
        UNRESOLVED.replace('"', "“"),
        UNRESOLVED.replace('"', "&quot;"),
        UNRESOLVED[:95] + "\n" + UNRESOLVED[95:],
        UNRESOLVED.replace(" no such host", "\nno such host"),
        "#12 0.345 pulling\r" + UNRESOLVED + "\r\n",
    ],
)
def test_colours_escapes_quotes_and_wrapped_lines_change_nothing(text: str) -> None:
    assert explain(text).cause == "dns-unresolvable"


def test_several_errors_are_told_each_with_its_line() -> None:
    text = f"$ docker pull a\n{UNRESOLVED}\n\n$ docker push reg.corp.example/p/r\ndenied: requested access to the resource is denied"
    assert [(s.line, s.cause) for s in explain(text).statements] == [(2, "dns-unresolvable"), (5, "permission-denied")]


def test_a_line_of_a_long_log_keeps_its_number() -> None:
    log = "".join(f"2024-01-01T00:00:00Z INFO pulled image {n} from reg.corp.example\n" for n in range(5000))
    found = explain(log + UNRESOLVED + "\n" + log)
    assert [(s.line, s.cause) for s in found.statements] == [(5001, "dns-unresolvable")]


def test_what_a_terminal_cut_at_its_width_is_read_as_one_line() -> None:
    text = f"Failed to pull image: {ELSEWHERE}dial tcp 10.0.0.5:443: connect: connection refused"
    cut = "\n".join(text[start : start + 80] for start in range(0, len(text), 80))
    found = explain(f"$ docker pull\n{cut}\nmore")
    assert found.cause == "wrong-domain"
    assert found.candidates[0].line == 2


def test_chinese_in_escapes_is_read() -> None:
    assert explain('{"log":"\\u540c\\u6b65\\u4e2d retrying waiting for retrying..."}').cause == "replication-stuck"
