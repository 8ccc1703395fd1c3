"""The fixture `sandbox`: one practice installation for all tests of a run, healthy at the start of each test."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cargo_sandbox.faults.catalog import Client

ROOT = Path(__file__).parents[1]
# A client that waits for a silent server takes up to 50 s.
PATIENCE = 120.0
# A sandbox comes up in a quarter of a minute, with a cluster in one; beside all other tests it takes several times that.
START = 600.0
Done = subprocess.CompletedProcess[str]


def command_line(*arguments: str, timeout: float = PATIENCE, stdin: str | None = None) -> Done:
    """`cargo-runbook ARGUMENTS` as a person types it, from a folder that is not the project's."""
    return subprocess.run(
        [sys.executable, "-m", "cargo_runbook", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd="/",
    )


@dataclass(frozen=True)
class PracticeSandbox:
    """A running sandbox, used through the command line."""

    name: str

    def cli(self, command: str, *arguments: str, timeout: float = PATIENCE, stdin: str | None = None) -> Done:
        """`cargo-runbook sandbox COMMAND --name NAME ARGUMENTS`."""
        return command_line("sandbox", command, "--name", self.name, *arguments, timeout=timeout, stdin=stdin)

    def run(self, *argv: str, input: str | None = None, timeout: float = PATIENCE) -> Done:
        """A command on operator. Docker has a configuration of the tests' own, without any login at first."""
        from cargo_sandbox.client import as_another

        words = as_another(argv) if argv[0] == "docker" else argv
        return self.cli("run", "--", *words, timeout=timeout, stdin=input)

    def client(self, client: Client) -> Done:
        """The call of a fault's client; without an account it is the engineer's own docker, with its saved login."""
        from cargo_sandbox.client import call_client
        from cargo_sandbox.paths import state_folder

        return call_client(state_folder(self.name), client)

    def on(self, machine: str, *argv: str, timeout: float = PATIENCE) -> Done:
        """A command on any machine, as root."""
        from cargo_sandbox.machines import processes
        from cargo_sandbox.paths import state_folder

        done = processes.run_on(state_folder(self.name), machine, argv, timeout=timeout)
        return Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def break_(self, fault: str) -> None:
        done = self.cli("break", fault, timeout=START)
        assert done.returncode == 0, done.stderr

    def heal(self, fault: str = "--all") -> None:
        """Heal one fault, or all."""
        done = self.cli("heal", fault, timeout=START)
        assert done.returncode == 0, done.stderr

    def password(self, account: str) -> str:
        """The password of `alice`, `cargo-admin` or `devops-admin`."""
        return (self.inventory / "passwords" / account).read_text().strip()

    @property
    def inventory(self) -> Path:
        from cargo_sandbox.paths import state_folder

        return state_folder(self.name).inventory


_up: list[PracticeSandbox] = []
# What tells how its machines got on in the last two minutes.
_LOOK = (
    ("cargo", "devops", "ha-1", "ha-2"),
    "docker ps -a --format '{{.Names}}: {{.Status}}'; "
    "docker logs --since 2m tengine 2>&1 | grep -E 'check: |nginx: |\\[(error|emerg|crit)\\]' | tail -n 12",
)


def state_of_sandboxes() -> str:
    """What is broken, and what the machines of the sandboxes of this run had to say: for a test that failed."""
    told = [f"load {' '.join(f'{each:.1f}' for each in os.getloadavg())}"]
    for sandbox in _up:
        try:
            told.append(f"{sandbox.name}: broken now: {json.loads(sandbox.cli('status', '--json').stdout)['broken']}")
            machines, script = _LOOK
            told += [f"-- {each}\n{sandbox.on(each, 'sh', '-c', script, timeout=20).stdout}" for each in machines]
            asked = "grep -v -e registryproxy -e 'Health Check' /var/log/cargo-token.log | tail -n 12"
            told.append(f"-- master\n{sandbox.on('master', 'sh', '-c', asked).stdout}")
        except Exception as error:  # noqa: BLE001 - the failure itself must be shown
            told.append(repr(error))
    return "\n".join(told)


def show(body: Mapping[str, Any]) -> None:
    """Print what a diagnosis found that is not ok, with its chain: seen where a test fails."""
    for finding in body["findings"]:
        if finding["status"] != "ok":
            print(body["environment"], finding["code"], finding["status"], finding["summary"])
            print(*(f"    {link['rule']}" for link in finding["chain"]), sep="\n")


@contextmanager
def _running(name: str, *options: str) -> Iterator[PracticeSandbox]:
    """A sandbox for this run. A second run at the same time gets one of its own."""
    lock = Path(f"/run/lock/cargo-runbook-{name.replace('pytest', 'tests')}")
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            own = ""
        except BlockingIOError:
            own = f"-{os.getpid()}"
        sandbox = PracticeSandbox(f"{name}{own}")
        sandbox.cli("down")
        done = sandbox.cli("up", *options, timeout=START)
        assert done.returncode == 0, done.stderr
        _up.append(sandbox)
        yield sandbox
        _up.remove(sandbox)
        sandbox.cli("down")
        if not own:
            lock.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[PracticeSandbox]:
    """The sandbox of this run."""
    with _running("pytest") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def running_cluster() -> Iterator[PracticeSandbox]:
    """The sandbox with a cluster of this run, beside the one without."""
    with _running("pytest-cluster", "--cluster") as sandbox:
        yield sandbox


@pytest.fixture
def cluster_sandbox(running_cluster: PracticeSandbox) -> Iterator[PracticeSandbox]:
    """The running sandbox with a cluster, for tests marked `sandbox` and `cluster`; cleaned up like `sandbox`."""
    yield running_cluster
    running_cluster.heal()
    _forget_logins(running_cluster)


@pytest.fixture
def sandbox(running_sandbox: PracticeSandbox) -> Iterator[PracticeSandbox]:
    """The running sandbox; after each test faults are healed, and logins of the docker client forgotten."""
    yield running_sandbox
    running_sandbox.heal()
    _forget_logins(running_sandbox)


def _forget_logins(sandbox: PracticeSandbox) -> None:
    """Those of the tests; the engineer's own stays."""
    from cargo_sandbox.client import OTHER_LOGINS

    sandbox.on("operator", "rm", "-rf", OTHER_LOGINS)
