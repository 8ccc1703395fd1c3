"""The operator's real docker client: what failed for somebody is tried again, by the same program.

It logs in with a configuration of its own, so that the engineer's saved logins are neither used nor changed, unless
the account is the engineer's own login.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cargo_runbook.connections.base import Deadline, Failure, as_text
from cargo_runbook.connections.local import run
from cargo_runbook.connections.network.sockets import look_up
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import say, tell

SECONDS = 90.0
"""A silent name server costs a docker command up to 50 s."""
LOOK_UP = 8.0
"""Seconds after which a look-up at the operator has hung."""

_SHOWN = 2000


@dataclass(frozen=True)
class ClientCall:
    """A call and how it ended; `exit_code` None when it was ended for being late."""

    command: str
    exit_code: int | None
    output: str

    @property
    def works(self) -> bool:
        return self.exit_code == 0


def look_up_in_pod(context: str, namespace: str, pod: str, name: str) -> ClientCall:
    """The name as programs in the pod look it up; a look-up that finds nothing does not work.

    `getent hosts` asks for an IPv6 address first, so that it may hang where clients do not; `ahostsv4` asks as they do, but
    not every pod has it (musl's getent).
    """
    words = ("kubectl", f"--context={context}", "exec", pod, "-n", namespace, "--", "getent")
    first = _in_pod((*words, "hosts", name), LOOK_UP)
    if first.exit_code is not None:
        return first
    again = _in_pod((*words, "ahostsv4", name), SECONDS)
    return again if again.works else first


def _in_pod(argv: tuple[str, ...], seconds: float) -> ClientCall:
    try:
        outcome = run(argv, Deadline(seconds))
    except Failure as failure:
        return ClientCall(" ".join(argv), -1, say(failure.sentence))
    said = as_text(outcome.output) + as_text(outcome.error)
    return ClientCall(" ".join(argv), outcome.exit_code, said[-_SHOWN:].strip())


def hung_look_up(name: str) -> ClientCall | None:
    """The look-up of the name at the operator, where it hangs; None where it ends, whatever it ends with.

    dockerd looks names up one after the other, for half a minute each while the name server is silent: a client that can't
    come any further need not be waited for, nor keep others waiting.
    """
    try:
        look_up(name, Deadline(LOOK_UP))
    except Failure as failure:
        if failure.reason == "timeout":
            return ClientCall(tell(f"look-up of {name}", f"解析 {name}"), None, say(failure.sentence))
    return None


@dataclass
class DockerClient:
    """docker login, pull and push. Use as a context manager: its logins end with it."""

    redactor: Redactor
    _folders: dict[str, Path] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()

    def login(self, authority: str, login: Login) -> ClientCall:
        """docker login; the password goes through standard input."""
        self.redactor.register(login.password, "password", username=login.username)
        argv = ("docker", "login", authority, "-u", login.username, "--password-stdin")
        return self._call(argv, login.username, login.password.reveal().encode())

    def pull(self, image: str, username: str = "") -> ClientCall:
        """docker pull as somebody who logged in before; with an empty name as the engineer's docker does."""
        return self._call(("docker", "pull", image), username)

    def push(self, image: str, username: str = "") -> ClientCall:
        """docker push; see `pull`."""
        return self._call(("docker", "push", image), username)

    def _call(self, argv: tuple[str, ...], username: str, stdin: bytes = b"") -> ClientCall:
        variables = {}
        if username:
            if username not in self._folders:
                self._folders[username] = Path(tempfile.mkdtemp(prefix="cargo-runbook-docker-"))
            variables["DOCKER_CONFIG"] = str(self._folders[username])
        try:
            outcome = run(argv, Deadline(SECONDS), stdin=stdin, variables=variables)
        except Failure as failure:
            return ClientCall(" ".join(argv), -1, say(failure.sentence))
        said = as_text(outcome.output) + as_text(outcome.error)
        if outcome.exit_code is None:
            said += tell(f"no end within {SECONDS:.0f} s", f"{SECONDS:.0f} 秒内没有结束")
        return ClientCall(" ".join(argv), outcome.exit_code, self.redactor.redact(said)[-_SHOWN:].strip())
