"""Name look-ups against dnsmasq and a small responder that misbehaves, both on loopback addresses of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

from cargo_runbook.connections.base import Deadline, Look
from cargo_runbook.connections.network import dns as dns_module
from cargo_runbook.connections.network.dns import ask_dns
from cargo_runbook.observations import DnsQuery, Observation, Status
from cargo_runbook.secret import Redactor
from tests.connections.servers import NO_SUCH_NAME, process
from tests.waiting import free_port, until


def ask(name: str, server: str = "", deadline: float = 5.0, rdtype: str = "A") -> Observation:
    question = DnsQuery(name=name, server=server, deadline=deadline, rdtype=rdtype)
    return ask_dns(Look(question, Redactor()), question)


@pytest.fixture(scope="module")
def dnsmasq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real dnsmasq that knows cargo.test; on port 53 where that is allowed, as an inventory has it."""
    from tests.conftest import program

    folder = tmp_path_factory.mktemp("dnsmasq")
    # An address of its own, so that two runs at the same time don't meet on port 53.
    address = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() % 254 + 1}"
    port = 53 if os.geteuid() == 0 else free_port(address)
    (folder / "hosts").write_text("203.0.113.20 cargo.test\n203.0.113.21 cargo.test\n2001:db8::20 cargo.test\n")
    argv = [program("dnsmasq") or "", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]
    argv += [f"--addn-hosts={folder}/hosts", "--local=/cargo.test/", "--cname=alias.test,cargo.test", f"--port={port}"]
    argv += [f"--listen-address={address}", "--bind-interfaces", "--txt-record=long.test," + ",".join(["x" * 200] * 15)]
    argv += [f"--pid-file={folder}/pid", *(["--user="] if os.geteuid() == 0 else [])]
    server = address if port == 53 else f"{address}:{port}"
    with process(*argv, log=folder / "log"):

        def answers() -> bool:
            with contextlib.suppress(OSError, dns.exception.DNSException):
                dns.query.udp(dns.message.make_query("cargo.test", "A"), address, port=port, timeout=0.5)
                return True
            time.sleep(0.05)
            return False

        until(answers, told=(folder / "log").read_text)
        yield server


@pytest.mark.services("dnsmasq")
def test_a_known_name_has_its_addresses(dnsmasq: str) -> None:
    seen = ask("cargo.test", dnsmasq)
    assert (seen.status, seen.data["rcode"]) == (Status.ANSWERED, "NOERROR")
    assert sorted(seen.data["addresses"]) == ["203.0.113.20", "203.0.113.21"]
    assert seen.data["source"] == f"name server {dnsmasq}"
    assert "cargo.test. 0 IN A 203.0.113.20" in seen.output
    assert ask("cargo.test", dnsmasq, rdtype="AAAA").data["addresses"] == ["2001:db8::20"]


@pytest.mark.services("dnsmasq")
def test_an_alias_is_followed_and_named(dnsmasq: str) -> None:
    seen = ask("alias.test", dnsmasq)
    assert seen.data["aliases"] == ["cargo.test"]
    assert sorted(seen.data["addresses"]) == ["203.0.113.20", "203.0.113.21"]


@pytest.mark.services("dnsmasq")
def test_no_such_name_no_such_address_and_refusal_are_told_apart(dnsmasq: str) -> None:
    unknown, empty, refused = (
        ask("core.cargo.test", dnsmasq),
        ask("cargo.test", dnsmasq, rdtype="MX"),
        ask("elsewhere.example", dnsmasq),
    )
    assert [(o.status, o.data["rcode"], o.data["addresses"]) for o in (unknown, empty, refused)] == [
        (Status.ANSWERED, "NXDOMAIN", []),
        (Status.ANSWERED, "NOERROR", []),
        (Status.ANSWERED, "REFUSED", []),
    ]


@pytest.mark.services("dnsmasq")
def test_an_answer_that_is_too_long_is_fetched_over_tcp(dnsmasq: str) -> None:
    seen = ask("long.test", dnsmasq, rdtype="TXT")
    assert (seen.data["rcode"], seen.data["transport"]) == ("NOERROR", "tcp")
    assert len(seen.output) > 3000


class Responder:
    """Answers over UDP as the name asks: servfail, silent, lost (the first datagram only), forged, garbage."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.53.8", 0))
        self.server = f"127.0.53.8:{self._socket.getsockname()[1]}"
        self._seen: dict[str, int] = {}

    def serve(self) -> None:
        while True:
            try:
                wire, client = self._socket.recvfrom(2000)
            except OSError:
                return
            if wire == b"stop":
                return
            self._answer(dns.message.from_wire(wire), client)

    def _answer(self, query: dns.message.Message, client: tuple[str, int]) -> None:
        name = query.question[0].name.to_text().split(".")[0]
        self._seen[name] = self._seen.get(name, 0) + 1
        answer = dns.message.make_response(query)
        if name == "silent" or (name == "lost" and self._seen[name] == 1):
            return
        if name == "garbage":
            self._socket.sendto(b"\0", client)
            return
        if name == "servfail":
            answer.set_rcode(dns.rcode.SERVFAIL)
        else:
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "203.0.113.30"))
        if name == "forged":
            answer.id ^= 1
        self._socket.sendto(answer.to_wire(), client)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", self._socket.getsockname())


@pytest.fixture
def responder() -> Iterator[str]:
    responder = Responder()
    thread = threading.Thread(target=responder.serve, daemon=True)
    thread.start()
    yield responder.server
    responder.stop()
    thread.join(2)


def test_a_server_that_fails_says_servfail(responder: str) -> None:
    assert ask("servfail.test", responder).data["rcode"] == "SERVFAIL"


@pytest.mark.parametrize("name", ["silent.test", "forged.test"])
def test_silence_is_a_timeout_and_costs_the_deadline(responder: str, name: str) -> None:
    seen = ask(name, responder, deadline=0.9)
    assert (seen.status, seen.data["reason"]) == (Status.TIMEOUT, "timeout")
    assert "rcode" not in seen.data
    assert 0.8 <= seen.duration < 1.3


def test_a_lost_datagram_is_sent_again(responder: str) -> None:
    seen = ask("lost.test", responder, deadline=1.5)
    assert (seen.status, seen.data["addresses"]) == (Status.ANSWERED, ["203.0.113.30"])


def test_who_stood_still_waits_one_more_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waited = []
    for seconds in Deadline(0.5).turns():
        waited.append(round(seconds, 3))
        now[0] += 30.0 if len(waited) == 2 else seconds
    assert waited == [0.2, 0.2, 0.2], "0.3 s were left when it stood still"
    assert list(Deadline(0).turns()) == [0.0]


@pytest.mark.slow
def test_a_machine_that_was_paused_calls_no_server_silent() -> None:
    script = """
from tests.connections.test_dns import ask
print(ask("cargo.test", "127.0.53.9:{port}", deadline=0.6).status)
"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.53.9", 0))
        server.settimeout(20)
        argv = [sys.executable, "-c", script.format(port=server.getsockname()[1])]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as asking:
            wire, client = server.recvfrom(2000)
            time.sleep(0.02)
            asking.send_signal(signal.SIGSTOP)
            time.sleep(2)
            asking.send_signal(signal.SIGCONT)
            time.sleep(0.05)
            server.sendto(dns.message.make_response(dns.message.from_wire(wire)).to_wire(), client)
            assert asking.communicate(timeout=20)[0].split() == ["answered"]


def test_a_port_where_nothing_listens_is_refused_at_once() -> None:
    seen = ask("cargo.test", f"127.0.53.8:{free_port('127.0.53.8')}")
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "refused")
    assert seen.duration < 1


def test_a_name_that_can_not_be_asked_for_is_an_error(responder: str) -> None:
    assert ask("a..b", responder).data["reason"] == "bad_name"
    assert ask("x" * 64 + ".test", responder).data["reason"] == "bad_name"
    assert ask("a.test", responder, rdtype="NONSENSE").data["reason"] == "bad_name"


def test_the_operators_resolver_answers_as_programs_see_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# localhost\n127.0.0.1 LocalHost other # note\n")
    monkeypatch.setattr(dns_module, "_HOSTS", hosts)
    seen = ask("localhost")
    assert (seen.status, seen.data["rcode"], seen.data["source"]) == (Status.ANSWERED, "NOERROR", "hosts file")
    assert seen.data["addresses"] == ["127.0.0.1"]
    hosts.write_text("127.0.0.1 localhost.example # localhost\n")
    assert ask("localhost").data["source"] == "resolver"


@pytest.mark.parametrize(
    ("code", "rcode"),
    [
        (socket.EAI_NONAME, "NXDOMAIN"),
        (socket.EAI_NODATA, "NOERROR"),
        (socket.EAI_AGAIN, "TRYAGAIN"),
        (socket.EAI_FAIL, "SERVFAIL"),
        (socket.EAI_MEMORY, f"EAI{socket.EAI_MEMORY}"),
    ],
)
def test_each_answer_of_getaddrinfo_has_its_code(monkeypatch: pytest.MonkeyPatch, code: int, rcode: str) -> None:
    def told(*_: object) -> None:
        raise socket.gaierror(code, "told")

    monkeypatch.setattr(socket, "getaddrinfo", told)
    seen = ask("cargo.test")
    assert (seen.status, seen.data["rcode"], seen.data["addresses"]) == (Status.ANSWERED, rcode, [])
    assert seen.error == "told"


def test_a_name_that_can_not_be_one_does_not_resolve() -> None:
    seen = ask(NO_SUCH_NAME)
    assert (seen.status, seen.data["addresses"]) == (Status.ANSWERED, [])
    assert seen.data["rcode"] != "NOERROR"
    assert ask("a..test").data["rcode"] == "NXDOMAIN"


def test_a_resolver_that_hangs_is_waited_for_until_the_deadline_and_keeps_nobody_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    def hang(*_: object) -> None:
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        seen = ask("cargo.test", deadline=0.6)
        left = [thread for thread in threading.enumerate() if thread.name == "look up cargo.test"]
        assert [thread.daemon for thread in left] == [True]
    finally:
        over.set()
    assert (seen.status, seen.data["reason"], seen.data["phase"]) == (Status.TIMEOUT, "timeout", "name")
    assert seen.duration < 1.5
