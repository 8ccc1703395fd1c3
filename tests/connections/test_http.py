"""HTTP against servers on loopback whose certificates come from a CA of the test."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest

from cargo_runbook.connections import LiveConnections
from cargo_runbook.errors import NotLoggedIn, SecretUnavailable
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment, Host
from cargo_runbook.observations import HttpRequest, Observation, Status, observation_to_json
from cargo_runbook.secret import Redactor, Secret
from tests.connections.servers import NO_SUCH_NAME
from tests.connections.web import Answer, Authority, Web, raw_server, reply
from tests.waiting import free_port

DOMAIN = "cargo.test"
PASSWORD = "Correct.Horse/9"
StartWeb = Callable[..., Web]


def open_live(folder: Path, ca: str = "Test-CA.crt") -> LiveConnections:
    environment = Environment(
        name="test",
        domain=DOMAIN,
        ca=ca,
        hosts=(Host(name="cargo1", address="127.0.0.1"),),
        accounts=(
            Account(username="alice", password="env:ALICE"),
            Account(username="bob", password="env:BOB"),
            Account(password="docker-config"),
        ),
    )
    environment._folder = folder

    def credentials(account: Account) -> Login:
        if account.username == "bob":
            raise SecretUnavailable("BOB is not set", next_step="Set it.")
        if not account.username:
            raise NotLoggedIn("docker has no login")
        return Login(account.username, Secret(PASSWORD))

    return LiveConnections(environment, credentials, Redactor())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def live(tmp_path: Path, authority: Authority) -> LiveConnections:
    return open_live(tmp_path)


@pytest.fixture
def start(authority: Authority) -> Iterator[StartWeb]:
    with ExitStack() as stack:

        def start(answer: Answer, *names: str, tls: bool = True, **options: Any) -> Web:
            context = authority.certificate(*(names or (DOMAIN,)), **options) if tls else None
            return stack.enter_context(Web(answer, context).running())

        yield start


def get(live: LiveConnections, web: Web, path: str = "/v2/", **fields: Any) -> Observation:
    url = f"https://{fields.pop('host', DOMAIN)}:{web.port}{path}"
    return live.ask(HttpRequest(**{"url": url, "connect_to": "127.0.0.1", "deadline": 5.0, **fields}))


def test_a_challenge_keeps_all_its_values_and_is_no_failure(live: LiveConnections, start: StartWeb) -> None:
    challenges = ['Bearer realm="https://foo.test/service/token",service="harbor-registry"', 'Basic realm="x"']
    web = start(reply(401, b"{}", *(("WWW-Authenticate", value) for value in challenges), ("Set-Cookie", "sid=abc123")))
    seen = get(live, web)
    assert (seen.status, seen.data["status"], seen.output) == (Status.ANSWERED, 401, "{}")
    assert seen.data["headers"]["www-authenticate"] == challenges
    assert seen.data["headers"]["set-cookie"] == ["sid=‹cookie›"]
    assert seen.data["peer"] == "127.0.0.1"
    assert "reason" not in seen.data


def test_connect_to_changes_neither_the_host_header_nor_the_name_in_tls(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200))
    assert get(live, web).data["status"] == 200
    assert web.requests[0][:2] == (f"{DOMAIN}:{web.port}", "/v2/")
    moved = live.ask(HttpRequest(url=f"https://{DOMAIN}/v2/", connect_to=f"127.0.0.1:{web.port}"))
    assert moved.data["status"] == 200
    assert web.requests[1][0] == DOMAIN


def test_a_body_is_sent_as_json(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200))
    assert get(live, web, "/api/targets/ping", method="POST", body='{"id": 1}').data["status"] == 200
    assert web.bodies == [b'{"id": 1}']
    assert web.requests[0][2]["Content-Type"] == "application/json"


def test_a_redirect_is_shown_and_not_followed(live: LiveConnections, start: StartWeb) -> None:
    elsewhere = start(reply(200))
    web = start(reply(302, b"", ("Location", f"https://{DOMAIN}:{elsewhere.port}/?X-Amz-Signature=abcd&n=1")))
    seen = get(live, web)
    assert seen.data["status"] == 302
    assert seen.data["headers"]["location"] == [
        f"https://{DOMAIN}:{elsewhere.port}/?X-Amz-Signature=‹secret 2 parameter›&n=1"
    ]
    assert elsewhere.requests == []


def test_a_proxy_of_the_operators_environment_is_not_used(
    live: LiveConnections, start: StartWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert get(live, start(reply(200))).data["status"] == 200


@pytest.mark.parametrize(
    ("names", "options", "problem"),
    [
        (("other.test",), {}, "wrong_name"),
        ((DOMAIN,), {"days": (-20, -10)}, "expired"),
        ((DOMAIN,), {"days": (10, 20)}, "not_yet_valid"),
    ],
)
def test_a_certificate_that_is_not_right_stops_the_request(
    live: LiveConnections, start: StartWeb, names: tuple[str, ...], options: dict[str, Any], problem: str
) -> None:
    web = start(reply(200), *names, **options)
    seen = get(live, web)
    assert (seen.status, seen.data["reason"], seen.data["tls_problem"]) == (Status.UNREACHABLE, "tls", problem)
    assert web.requests == []


def test_a_ca_that_the_environment_does_not_name_is_unknown(tmp_path: Path, start: StartWeb) -> None:
    seen = get(open_live(tmp_path, ca=""), start(reply(200)))
    assert (seen.data["reason"], seen.data["tls_problem"]) == ("tls", "unknown_ca")


def test_a_ca_file_that_can_not_be_read_is_named(tmp_path: Path, start: StartWeb) -> None:
    seen = get(open_live(tmp_path, ca="missing.crt"), start(reply(200)))
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "ca_unreadable")
    assert str(tmp_path / "missing.crt") in seen.error


def test_names_that_do_not_resolve_are_told_from_ports_that_refuse(live: LiveConnections) -> None:
    unknown = live.ask(HttpRequest(url=f"https://{NO_SUCH_NAME}/v2/"))
    refused = live.ask(HttpRequest(url=f"https://{DOMAIN}/v2/", connect_to=f"127.0.0.1:{free_port()}"))
    assert (unknown.status, unknown.data["reason"]) == (Status.UNREACHABLE, "name_not_resolved")
    assert (refused.status, refused.data["reason"]) == (Status.UNREACHABLE, "refused")


def test_an_address_without_a_route_is_told(live: LiveConnections) -> None:
    # A broadcast address needs a socket option: the kernel refuses it without sending anything.
    seen = live.ask(HttpRequest(url="http://255.255.255.255/"))
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "no_route")


def test_a_server_that_ends_the_connection_is_told(live: LiveConnections) -> None:
    with raw_server(lambda connection: connection.recv(10)) as port:
        seen = live.ask(HttpRequest(url=f"http://127.0.0.1:{port}/"))
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "reset")


def test_a_server_that_speaks_something_else_is_told(live: LiveConnections) -> None:
    with raw_server(lambda connection: connection.sendall(connection.recv(4096)[:0] + b"SSH-2.0-x\r\n\r\n")) as port:
        plain = live.ask(HttpRequest(url=f"http://127.0.0.1:{port}/"))
    assert (plain.status, plain.data["reason"]) == (Status.UNREACHABLE, "not_http")


def _trickle(chunk: bytes, head: bytes = b"") -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(head)
        while True:
            connection.sendall(chunk)
            time.sleep(0.1)

    return talk


@pytest.mark.parametrize(
    ("head", "chunk", "status", "output"),
    [
        (b"", b"", None, ""),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", None, ""),
        (b"HTTP/1.1 200 OK\r\n\r\nstart-", b"b", 200, "start-bbb"),
    ],
    ids=["at once", "in the headers", "in the body"],
)
def test_a_server_that_falls_silent_or_trickles_costs_the_deadline_and_no_more(
    live: LiveConnections, head: bytes, chunk: bytes, status: int | None, output: str
) -> None:
    with raw_server(_trickle(chunk, head)) as port:
        seen = live.ask(HttpRequest(url=f"http://127.0.0.1:{port}/", deadline=1.0))
    assert (seen.status, seen.data["reason"]) == (Status.TIMEOUT, "timeout")
    assert seen.data.get("status") == status
    assert seen.output.startswith(output)
    assert 0.9 <= seen.duration < 1.6


def test_a_long_body_is_cut_and_hashed_as_a_whole(live: LiveConnections, start: StartWeb) -> None:
    one, other = (get(live, start(reply(200, b"x" * 100_000 + end))) for end in (b"1", b"2"))
    assert one.truncated
    assert len(one.output) == 64 * 1024
    assert one.output == other.output
    assert one.sha256 != other.sha256


def test_an_endless_body_is_left_after_a_bound(live: LiveConnections, start: StartWeb) -> None:
    def endless(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"y" * 1_000_000)

    seen = get(live, start(endless))
    assert (seen.status, seen.truncated, len(seen.output)) == (Status.ANSWERED, True, 64 * 1024)


def test_credentials_go_to_the_domain_of_the_environment(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200, b"welcome"))
    seen = get(live, web, account="alice")
    sent = web.requests[0][2]["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"alice:{PASSWORD}"
    assert seen.output == "welcome"
    assert PASSWORD not in json.dumps(observation_to_json(seen))


@pytest.mark.parametrize("host", ["foo.test", "127.0.0.1", "localhost", f"{DOMAIN}.foo.test", f"x.{DOMAIN}"])
def test_credentials_go_to_no_other_host(live: LiveConnections, start: StartWeb, host: str) -> None:
    web = start(reply(200), host, DOMAIN)
    seen = get(live, web, host=host, account="alice")
    assert (seen.status, seen.data["reason"]) == (Status.WITHHELD, "foreign_host")
    assert host in seen.error
    assert web.requests == []


@pytest.mark.parametrize("spelling", [f"{DOMAIN}@127.0.0.1", f"127.0.0.1\\@{DOMAIN}", f"127.0.0.1#@{DOMAIN}"])
def test_an_url_that_only_looks_like_the_domain_gets_nothing(
    live: LiveConnections, start: StartWeb, spelling: str
) -> None:
    web = start(reply(200), "127.0.0.1", DOMAIN)
    seen = live.ask(HttpRequest(url=f"https://{spelling}:{web.port}/", account="alice", connect_to="127.0.0.1"))
    assert seen.status is not Status.ANSWERED
    assert all("Authorization" not in headers for _, _, headers in web.requests)


def test_credentials_never_go_over_plain_http(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200), tls=False)
    seen = live.ask(HttpRequest(url=f"http://{DOMAIN}:{web.port}/", connect_to="127.0.0.1", account="alice"))
    assert (seen.status, seen.data["reason"]) == (Status.WITHHELD, "not_https")
    assert web.requests == []


def test_who_logs_in_is_told_and_a_docker_without_a_login_is_a_reason_of_its_own(
    live: LiveConnections, start: StartWeb
) -> None:
    web = start(reply(200))
    assert get(live, web, account="alice").data["user"] == "alice"
    nobody = get(live, web, account="docker-config")
    assert (nobody.status, nobody.data["reason"]) == (Status.ERROR, "not_logged_in")
    assert len(web.requests) == 1


def test_an_account_without_a_password_says_what_is_missing(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200))
    missing, unknown = get(live, web, account="bob"), get(live, web, account="eve")
    assert (missing.status, missing.data["reason"]) == (Status.ERROR, "secret_unavailable")
    assert "BOB is not set" in missing.error
    assert unknown.data["reason"] == "unknown_account"
    assert web.requests == []


def test_a_question_that_holds_credentials_is_refused_and_not_written(live: LiveConnections, start: StartWeb) -> None:
    web = start(reply(200))
    seen = get(live, web, headers=(("Authorization", "Basic Zm9vOmJhcg=="),))
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "secret_in_question")
    assert "Zm9vOmJhcg" not in json.dumps(observation_to_json(seen))
    assert web.requests == []


def _token(**claims: Any) -> str:
    return jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": "ABCD:EFGH"})


@pytest.mark.parametrize("name", ["token", "access_token"])
def test_a_token_is_described_and_never_shown(live: LiveConnections, start: StartWeb, name: str) -> None:
    token = _token(iss="harbor-token-issuer", access=[{"type": "repository", "name": "a/b", "actions": ["pull"]}])
    seen = get(live, start(reply(200, json.dumps({name: token, "expires_in": 1800}).encode())))
    assert seen.data["token"]["claims"]["iss"] == "harbor-token-issuer"
    assert seen.data["token"]["claims"]["access"][0]["actions"] == ["pull"]
    assert seen.data["token"]["header"]["kid"] == "ABCD:EFGH"
    assert seen.data["token"]["ref"].startswith("token:")
    written = json.dumps(observation_to_json(seen), ensure_ascii=False)
    assert not [part for part in token.split(".") if part in written]
    assert "left out: whoever reads it can use it" in seen.output
    assert json.loads(seen.output)["expires_in"] == 1800


def test_a_token_that_is_no_jwt_is_kept_and_hidden_as_well(live: LiveConnections, start: StartWeb) -> None:
    seen = get(live, start(reply(200, b'{"token": "opaque-0123456789"}')))
    assert (seen.data["token"]["claims"], seen.data["token"]["header"]) == ({}, {})
    assert "opaque-0123456789" not in seen.output


def test_a_token_that_was_cut_off_is_hidden_too(live: LiveConnections, start: StartWeb) -> None:
    seen = get(live, start(reply(200, b'{"token": "opaque-012345', length=500)), deadline=1.0)
    assert seen.status is not Status.ANSWERED
    assert "opaque" not in seen.output
    assert seen.output.startswith('{"token": "')


def test_a_token_is_sent_by_reference_to_the_domain_only(live: LiveConnections, start: StartWeb) -> None:
    token = _token(sub="alice")
    web = start(reply(200, json.dumps({"token": token}).encode()))
    reference = get(live, web).data["token"]["ref"]
    seen = get(live, web, path="/v2/library/tiny/manifests/1", method="HEAD", bearer=reference)
    assert seen.data["status"] == 200
    assert web.requests[1][2]["Authorization"] == f"Bearer {token}"
    foreign = start(reply(200), "foo.test")
    withheld = get(live, foreign, host="foo.test", bearer=reference)
    assert (withheld.status, withheld.data["reason"]) == (Status.WITHHELD, "foreign_host")
    assert foreign.requests == []
    assert get(live, web, bearer="token:0000").data["reason"] == "unknown_token"


def test_nonsense_urls_are_errors_and_no_exceptions(live: LiveConnections) -> None:
    for url in (
        "ftp://cargo.test/",
        "https://",
        "no url",
        "https://[::1",
        "https://u:p@cargo.test/",
        "https://cargo.test:99999/",
    ):
        seen = live.ask(HttpRequest(url=url, deadline=2.0))
        assert (seen.status, seen.data["reason"]) == (Status.ERROR, "bad_url"), url
    assert live.ask(HttpRequest(url="http://127.0.0.1/", connect_to="a:b:c:d")).status is not Status.ANSWERED
    assert live.ask(HttpRequest(url="http://127.0.0.1/", connect_to="127.0.0.1:x")).data["reason"] == "bad_address"
    injected = live.ask(HttpRequest(url="http://127.0.0.1:1/", headers=(("x-cargo", "a\r\nHost: b"),)))
    assert injected.status is not Status.ANSWERED
