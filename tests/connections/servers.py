"""Real servers on loopback for the tests of the connections, each ended by the fixture that started it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import program
from tests.waiting import free_port, until

# Longer than DNS allows (RFC 1035, 2.3.4): resolvers say no without asking a server, so no test sends a query out.
NO_SUCH_NAME = ".".join(["x" * 60] * 5)


def listens(port: int, address: str = "127.0.0.1") -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def process(*argv: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground, ended with everything that it started."""
    with log.open("ab") as out:
        server = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)], check=True)
    return path


class Sshd:
    """A real sshd on 127.0.0.1. `known_line` is what belongs into known_hosts."""

    def __init__(
        self, folder: Path, *, key_kinds: tuple[str, ...] = ("ed25519",), options: tuple[str, ...] = ()
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.log = folder / "sshd.log"
        self.host_keys = [make_key(folder / f"host_{kind}", kind=kind) for kind in key_kinds]
        self.authorized = folder / "authorized_keys"
        self.authorized.touch(mode=0o600)
        self._config = folder / "sshd_config"
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {self.authorized}",
            f"PidFile {folder}/sshd.pid",
            "UsePAM no",
            "UseDNS no",
            "StrictModes no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "MaxSessions 10",
            "LogLevel VERBOSE",
            *options,
        ]
        self._config.write_text("\n".join(lines) + "\n")

    @contextlib.contextmanager
    def running(self) -> Iterator[Sshd]:
        sshd = program("sshd")
        assert sshd, 'the marker services("sshd") is missing'
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with process(sshd, "-D", "-e", "-f", str(self._config), log=self.log):
            until(lambda: listens(self.port), told=self.log.read_text)
            self.log.write_text("")
            yield self

    def known_line(self, number: int = 0, name: str = "") -> str:
        kind, blob, *_ = self.host_keys[number].with_suffix(".pub").read_text().split()
        return f"{name or f'[127.0.0.1]:{self.port}'} {kind} {blob}\n"

    def fingerprint(self, number: int = 0) -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-lf", f"{self.host_keys[number]}.pub"], check=True, capture_output=True, text=True
        )
        return shown.stdout.split()[1]

    def trusts(self, key: Path) -> None:
        with self.authorized.open("a") as file:
            file.write(key.with_suffix(".pub").read_text())

    def logins(self) -> int:
        """How many connections logged in since the start, by sshd's own log."""
        return self.log.read_text(errors="replace").count("Accepted publickey for")
