"""kube-dns' nanny in front of a real dnsmasq on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.waiting import free_port, until

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
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        process = subprocess.Popen(command, env=path, start_new_session=True, stdout=log, stderr=log)
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


def answered(port: int) -> str:
    """The next answer."""
    seen = [""]

    def there() -> str:
        seen[0] = address(port)
        return seen[0]

    until(there)
    return seen[0]


def test_a_changed_hosts_file_is_answered_from_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "myhosts").write_text(f"192.0.2.1 {NAME}\n")
    with nanny(tmp_path, "-restartDnsmasq=true") as port:
        until(lambda: address(port) == "192.0.2.1")
        (tmp_path / "myhosts").write_text(f"192.0.2.2 {NAME}\n")
        until(lambda: address(port) == "192.0.2.2")
        (tmp_path / "myhosts").write_text("")
        until(lambda: address(port) == "NXDOMAIN")
    until(lambda: address(port) == "")


def test_without_its_flag_the_old_answer_stays(tmp_path: Path) -> None:
    (tmp_path / "myhosts").write_text(f"192.0.2.1 {NAME}\n")
    with nanny(tmp_path) as port:
        until(lambda: address(port) == "192.0.2.1")
        (tmp_path / "myhosts").write_text(f"192.0.2.2 {NAME}\n")
        log = tmp_path.parent / f"{tmp_path.name}.log"
        until(lambda: "dnsmasq is not restarted" in log.read_text(), told=log.read_text)
        assert answered(port) == "192.0.2.1"
