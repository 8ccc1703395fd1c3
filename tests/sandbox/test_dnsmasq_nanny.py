"""kube-dns' nanny in front of a real dnsmasq on loopback."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.connections.servers import free_port

pytestmark = pytest.mark.services("dnsmasq")

NAME = "cargo.caicloudprivatetest.com"


@contextmanager
def nanny(folder: Path, *flags: str) -> Iterator[int]:
    """Runs until the end of the block; gives dnsmasq's port."""
    port = free_port()
    words = [
        f"-configDir={folder}",
        "-syncInterval=0.1s",
        *flags,
        "--",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
    ]
    words += [f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--user=", "--pid-file="]
    words += ["--no-resolv", "--no-hosts", f"--addn-hosts={folder}/myhosts", "--local=/caicloudprivatetest.com/"]
    command = [sys.executable, "-m", "cargo_sandbox.services.dnsmasq_nanny", *words]
    process = subprocess.Popen(command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, start_new_session=True)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def address(port: int) -> str:
    """The address of NAME, or the word for why there is none; empty while nobody answers."""
    try:
        answer = dns.query.udp(dns.message.make_query(NAME, "A"), "127.0.0.1", port=port, timeout=0.5)
    except (OSError, dns.exception.Timeout):
        return ""
    return answer.answer[0][0].to_text() if answer.answer else dns.rcode.to_text(answer.rcode())


def wait_for(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_changed_hosts_file_is_answered_from_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "myhosts").write_text(f"192.0.2.1 {NAME}\n")
    with nanny(tmp_path, "-restartDnsmasq=true") as port:
        wait_for(lambda: address(port) == "192.0.2.1")
        (tmp_path / "myhosts").write_text(f"192.0.2.2 {NAME}\n")
        wait_for(lambda: address(port) == "192.0.2.2")
        (tmp_path / "myhosts").write_text("")
        wait_for(lambda: address(port) == "NXDOMAIN")
    wait_for(lambda: address(port) == "")


def test_without_its_flag_the_old_answer_stays(tmp_path: Path) -> None:
    (tmp_path / "myhosts").write_text(f"192.0.2.1 {NAME}\n")
    with nanny(tmp_path) as port:
        wait_for(lambda: address(port) == "192.0.2.1")
        (tmp_path / "myhosts").write_text(f"192.0.2.2 {NAME}\n")
        time.sleep(0.5)
        assert address(port) == "192.0.2.1"
