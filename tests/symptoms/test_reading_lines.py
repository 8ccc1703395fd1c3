"""How the lines of a paste belong together: what was asked before, what is said twice, what was left out."""

from __future__ import annotations

from cargo_runbook.symptoms import explain


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
