"""TLS handshakes with servers on loopback."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.connections import LiveConnections
from cargo_runbook.connections.network import tls
from cargo_runbook.connections.network.tls import Trust
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import HttpRequest, Observation, Status, TlsHandshake
from cargo_runbook.secret import Redactor
from tests.connections.conftest import no_credentials
from tests.connections.servers import NO_SUCH_NAME
from tests.connections.web import Authority, Web, raw_server, reply
from tests.waiting import free_port

DOMAIN = "cargo.test"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def live(tmp_path: Path, authority: Authority) -> LiveConnections:
    host = Host(name="cargo1", address="127.0.0.1")
    environment = Environment(name="test", domain=DOMAIN, ca=authority.pem.name, hosts=(host,))
    environment._folder = tmp_path
    return LiveConnections(environment, no_credentials, Redactor())


@contextmanager
def server(authority: Authority, *names: str, **options: Any) -> Iterator[Web]:
    with ExitStack() as stack:
        yield stack.enter_context(Web(reply(200), authority.certificate(*names, **options)).running())


def shake(live: LiveConnections, port: int, name: str = DOMAIN, deadline: float = 5.0) -> Observation:
    return live.ask(TlsHandshake(address="127.0.0.1", server_name=name, port=port, deadline=deadline))


def test_a_trusted_certificate_is_described(live: LiveConnections, authority: Authority) -> None:
    with server(authority, DOMAIN, "127.0.0.1") as web:
        seen = shake(live, web.port)
    assert (seen.status, seen.data["trusted"], seen.data["problem"]) == (Status.ANSWERED, True, "")
    assert seen.data["names"] == [DOMAIN, "127.0.0.1"]
    assert seen.data["issuer"] == "CN=Test CA"
    assert seen.data["not_before"] < seen.data["not_after"]
    assert seen.data["not_after"].endswith("Z")
    assert seen.data["certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert seen.data["peer"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("names", "options", "problem"),
    [
        (("other.test",), {}, "wrong_name"),
        ((DOMAIN,), {"days": (-20, -10)}, "expired"),
        ((DOMAIN,), {"days": (10, 20)}, "not_yet_valid"),
        ((), {"common_name": DOMAIN}, "wrong_name"),
    ],
    ids=["other name", "expired", "not yet", "common name only, as Go sees it"],
)
def test_an_untrusted_certificate_is_told_with_its_problem_and_shown(
    live: LiveConnections, authority: Authority, names: tuple[str, ...], options: dict[str, Any], problem: str
) -> None:
    with server(authority, *names, **options) as web:
        seen = shake(live, web.port)
    assert (seen.status, seen.data["trusted"], seen.data["problem"]) == (Status.ANSWERED, False, problem)
    assert seen.data["names"] == list(names)
    assert "BEGIN CERTIFICATE" in seen.data["certificate"]
    assert web.requests == []


def test_another_ca_is_unknown(live: LiveConnections, tmp_path: Path) -> None:
    with server(Authority(tmp_path, "Other CA"), DOMAIN) as web:
        seen = shake(live, web.port)
    assert (seen.data["trusted"], seen.data["problem"], seen.data["issuer"]) == (False, "unknown_ca", "CN=Other CA")


def test_a_port_that_speaks_plain_http_is_not_tls(live: LiveConnections) -> None:
    with Web(reply(200)).running() as web:
        seen = shake(live, web.port)
    assert (seen.status, seen.data["problem"]) == (Status.ANSWERED, "not_tls")


def test_a_server_that_hangs_up_is_a_reset(live: LiveConnections) -> None:
    with raw_server(lambda connection: connection.recv(10)) as port:
        seen = shake(live, port)
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "reset")


def test_a_server_that_says_nothing_costs_the_deadline(live: LiveConnections) -> None:
    def listen(connection: Any) -> None:
        while connection.recv(1000):
            pass

    with raw_server(listen) as port:
        seen = shake(live, port, deadline=0.8)
    assert (seen.status, seen.data["reason"]) == (Status.TIMEOUT, "timeout")
    assert 0.7 <= seen.duration < 1.3


def test_a_closed_port_and_an_unknown_name_have_reasons(live: LiveConnections) -> None:
    assert shake(live, free_port()).data["reason"] == "refused"
    unknown = live.ask(TlsHandshake(address=NO_SUCH_NAME, server_name="cargo.test"))
    assert (unknown.status, unknown.data["reason"]) == (Status.UNREACHABLE, "name_not_resolved")


def test_what_was_read_ahead_is_taken_once_and_not_when_the_cas_of_the_system_are_others_now(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "system.pem"
    ca.write_bytes(authority.pem.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    monkeypatch.setattr(tls, "_READY", [])
    tls.prepare()
    ahead = tls._READY[0][1]
    assert tls._system_context() is ahead
    assert tls._system_context() is not ahead
    tls.prepare()
    ca.write_bytes(b"")
    os.utime(ca, ns=(1, 1))
    assert tls._system_context().get_ca_certs() == []


def test_which_protocol_is_spoken_is_said_once_and_never_again_while_others_shake_hands(
    live: LiveConnections, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_server = authority.certificate(DOMAIN)
    at_server.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []

    def answer(handler: Any) -> None:
        agreed.append(handler.connection.selected_alpn_protocol())
        reply(200)(handler)

    told: list[ssl.SSLContext] = []
    tell = ssl.SSLContext.set_alpn_protocols
    monkeypatch.setattr(
        ssl.SSLContext, "set_alpn_protocols", lambda self, names: (told.append(self), tell(self, names))
    )
    with Web(answer, at_server).running() as web:
        for _ in range(3):
            request = HttpRequest(url=f"https://{DOMAIN}:{web.port}/v2/", connect_to="127.0.0.1", deadline=5.0)
            assert live.ask(request).status is Status.ANSWERED
            assert shake(live, web.port).data["trusted"]
    assert agreed == ["http/1.1"] * 3
    # What OpenSSL is about to send for another thread would be freed under it.
    assert told.count(Trust(str(authority.pem)).context()) == 1
