"""The stand-in for CoreDNS does what the documentation of its plugins says, asked by a real resolver."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from cargo_sandbox.services.coredns import CoreDns, answer, read_query
from cargo_sandbox.services.corefile import BadCorefile, read_corefile
from tests.connections.servers import listens
from tests.waiting import free_port, until

HOSTS = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    hosts {
        192.0.2.14 cargo.example old.example
        2001:db8::14 cargo.example
        ttl 60
        fallthrough
    }
    reload 2s
}
"""


def said(core: CoreDns, name: str, kind: str = "A") -> tuple[str, list[str]]:
    """(rcode, addresses) as dnspython reads the answer."""
    packet = core.respond(dns.message.make_query(name, kind).to_wire())
    assert packet is not None
    message = dns.message.from_wire(packet)
    return dns.rcode.to_text(message.rcode()), [str(item) for rrset in message.answer for item in rrset]


@pytest.fixture
def corefile(tmp_path: Path) -> Path:
    file = tmp_path / "Corefile"
    file.write_text(HOSTS)
    return file


def test_hosts_answers_addresses_and_nothing_else_for_what_it_knows(corefile: Path) -> None:
    core = CoreDns(corefile)
    assert said(core, "Cargo.example.") == ("NOERROR", ["192.0.2.14"])
    assert said(core, "cargo.example", "AAAA") == ("NOERROR", ["2001:db8::14"])
    assert said(core, "old.example", "AAAA") == ("NOERROR", [])
    assert said(core, "cargo.example", "MX") == ("NOERROR", [])


def test_without_fallthrough_every_other_name_fails(corefile: Path) -> None:
    corefile.write_text(HOSTS.replace("        fallthrough\n", ""))
    assert said(CoreDns(corefile), "else.example") == ("SERVFAIL", [])


def test_a_name_of_no_server_block_is_refused_and_the_longest_zone_answers(corefile: Path) -> None:
    own = "cargo.example:53 {\n    hosts {\n        192.0.2.99 cargo.example\n    }\n}\n"
    corefile.write_text(own)
    assert said(CoreDns(corefile), "else.example") == ("REFUSED", [])
    corefile.write_text(HOSTS + own)
    assert said(CoreDns(corefile), "cargo.example") == ("NOERROR", ["192.0.2.99"])


def test_names_of_the_cluster_are_not_forwarded(corefile: Path) -> None:
    corefile.write_text(HOSTS.replace("    reload", "    kubernetes cluster.local\n    reload"))
    assert said(CoreDns(corefile), "cargo.example.default.svc.cluster.local") == ("NXDOMAIN", [])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (("    reload 2s", "    hosts {\n        192.0.2.1 a\n    }\n"), "only be used once per Server Block"),
        (("ttl 60", "tttl 60"), "unknown property 'tttl'"),
        (("        fallthrough\n", "        fallthrough\n        192.0.2.1 late.example\n"), "unknown property"),
        (("    errors", "    etcd"), "Unknown directive 'etcd'"),
        (("    errors", "    import /no/such/file"), "File to import not found"),
        (("    reload 2s\n}\n", ""), "not closed"),
    ],
)
def test_a_bad_corefile_is_refused_and_the_old_one_stays(
    corefile: Path, change: tuple[str, str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    core = CoreDns(corefile)
    corefile.write_text(HOSTS.replace(*change))
    with pytest.raises(BadCorefile, match=error):
        read_corefile(corefile)
    core.read_again()
    core.read_again()
    assert said(core, "cargo.example")[1] == ["192.0.2.14"]
    assert capsys.readouterr().out.count("reload failed") == 1


def test_a_changed_corefile_and_a_changed_import_are_taken(corefile: Path, tmp_path: Path) -> None:
    corefile.write_text(f"{HOSTS}import {tmp_path}/custom/*.server\n")
    core = CoreDns(corefile)
    assert said(core, "new.example") == ("SERVFAIL", [])
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "new.server").write_text("new.example:53 {\n  hosts {\n    192.0.2.7 new.example\n  }\n}\n")
    core.read_again()
    assert said(core, "new.example") == ("NOERROR", ["192.0.2.7"])
    corefile.write_text(HOSTS.replace("192.0.2.14", "192.0.2.15"))
    core.read_again()
    assert said(core, "cargo.example")[1] == ["192.0.2.15"]


def test_a_hosts_file_is_read_again_by_itself_and_a_cached_answer_stays(corefile: Path, tmp_path: Path) -> None:
    names = tmp_path / "NodeHosts"
    names.write_text("192.0.2.1 node\n")
    corefile.write_text(f".:53 {{\n  hosts {names} {{\n    reload 50ms\n    fallthrough\n  }}\n}}\n")
    core = CoreDns(corefile)
    assert said(core, "node") == ("NOERROR", ["192.0.2.1"])
    names.write_text("192.0.2.2 node\n")
    time.sleep(0.06)
    assert said(core, "node") == ("NOERROR", ["192.0.2.2"])
    corefile.write_text(corefile.read_text().replace("hosts", "cache 30\n  hosts", 1))
    core.read_again()
    said(core, "node")
    names.write_text("192.0.2.3 node\n")
    time.sleep(0.06)
    assert said(core, "node") == ("NOERROR", ["192.0.2.2"])


def test_what_is_no_question_gets_no_answer() -> None:
    assert read_query(b"") is None
    assert read_query(b"\0" * 12) is None
    assert read_query(dns.message.make_query("a.example", "A").to_wire()[:20]) is None
    query = read_query(dns.message.make_query("a.example", "A").to_wire())
    assert query is not None
    assert read_query(answer(query, [], 0)) is None, "an answer is no question"


@pytest.fixture
def running(corefile: Path) -> Iterator[int]:
    port = free_port()
    argv = [sys.executable, "-m", "cargo_sandbox.services.coredns", "-conf", str(corefile), "-dns.port", str(port)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_it_answers_on_udp_and_tcp_and_passes_on_what_it_does_not_know(running: int, tmp_path: Path) -> None:
    query = dns.message.make_query("cargo.example", "A")
    until(lambda: listens(running))
    stream = dns.query.tcp(query, "127.0.0.1", port=running, timeout=10)
    datagram = dns.query.udp(query, "127.0.0.1", port=running, timeout=10)
    assert [str(item) for item in stream.answer[0]] == [str(item) for item in datagram.answer[0]] == ["192.0.2.14"]
    other = tmp_path / "other"
    other.write_text(f".:53 {{\n    forward . 127.0.0.1:{running}\n}}\n")
    assert said(CoreDns(other), "cargo.example") == ("NOERROR", ["192.0.2.14"])
