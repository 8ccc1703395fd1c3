"""An operator with SSH keys and a configuration of their own, and an environment whose hosts are on loopback."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cargo_runbook.connections import LiveConnections
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment, Host
from cargo_runbook.secret import Redactor
from tests.connections.servers import Sshd, make_key


@dataclass
class Operator:
    """Where the engineer sits: ~/.ssh in a folder of the test."""

    folder: Path
    key: Path
    hosts: list[Host] = field(default_factory=list)
    opened: list[LiveConnections] = field(default_factory=list)

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    def knows(self, sshd: Sshd, alias: str, *, lines: tuple[str, ...] = (), known: str | None = None) -> None:
        """Adds a host to the SSH configuration and its key (or `known` instead of it) to known_hosts."""
        settings = (
            "HostName 127.0.0.1",
            f"Port {sshd.port}",
            f"User {getpass.getuser()}",
            f"IdentityFile {self.key}",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {self.known_hosts}",
            "StrictHostKeyChecking no",
        )
        named = {line.split()[0] for line in lines}
        kept = (line for line in settings if line.split()[0] not in named)
        with self.config.open("a") as file:
            file.write("\n  ".join((f"Host {alias}", *lines, *kept)) + "\n")
        with self.known_hosts.open("a") as file:
            file.write(sshd.known_line() if known is None else known)
        self.hosts.append(Host(name=alias, ssh=alias, address="127.0.0.1"))

    def connections(self) -> LiveConnections:
        environment = Environment(name="test", domain="cargo.test", hosts=tuple(self.hosts) or (_NOWHERE,))
        live = LiveConnections(environment, no_credentials, Redactor(), ssh_config=self.config)
        self.opened.append(live)
        return live


_NOWHERE = Host(name="nowhere", address="127.0.0.1")


def no_credentials(account: Account) -> Login:
    raise AssertionError(f"nobody should ask for the password of {account.username}")


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    folder = tmp_path / "dot-ssh"
    folder.mkdir(mode=0o700)
    (folder / "known_hosts").touch()
    (folder / "config").touch()
    operator = Operator(folder, make_key(folder / "id_ed25519"))
    yield operator
    for live in operator.opened:
        live.close()


@pytest.fixture
def start_sshd(tmp_path: Path, operator: Operator) -> Iterator[Callable[..., Sshd]]:
    """Starts an sshd that takes the operator's key; keyword arguments as of Sshd."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(name: str = "sshd", *, trusting: bool = True, **options: tuple[str, ...]) -> Sshd:
            sshd = stack.enter_context(Sshd(tmp_path / name, **options).running())
            if trusting:
                sshd.trusts(operator.key)
            return sshd

        yield start
