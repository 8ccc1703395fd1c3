"""Commands on Cargo hosts over SSH (paramiko), and in their containers."""

from __future__ import annotations

import re
from pathlib import Path

from cargo_runbook.connections.base import Deadline, Failure, Look, as_text
from cargo_runbook.connections.ssh.command import MARK, RemoteRun, quote
from cargo_runbook.connections.ssh.config import DEFAULT_CONFIG, SshConfig
from cargo_runbook.connections.ssh.docker import ask_dockerd
from cargo_runbook.connections.ssh.hostkeys import HostKey, KnownHosts, remember
from cargo_runbook.connections.ssh.pool import TransportPool
from cargo_runbook.connections.ssh.transport import show_host_key
from cargo_runbook.errors import ConnectionFailed, HostKeyError
from cargo_runbook.inventory.models import Machine
from cargo_runbook.observations import Command, Observation, Place, Status
from cargo_runbook.texts import say, tell

__all__ = [
    "HostKey",
    "SshConnection",
    "accept_host_key",
    "container_argv",
    "fetch_host_key",
    "known_host_keys",
    "quote",
]


# What docker's client says when the container itself is the trouble (20.10 and later; the words, not the sentence).
_CONTAINER_TROUBLE = (
    (re.compile(r"No such container"), "no_container"),
    (
        re.compile(r"^Error response from daemon: [Cc]ontainer \S+ is (?:not running|restarting|paused)", re.M),
        "container_stopped",
    ),
    (re.compile(r"Cannot connect to the Docker daemon"), "no_dockerd"),
    (re.compile(r"permission denied while trying to connect to the Docker daemon"), "docker_permission"),
)


def container_trouble(exit_code: int | None, error: str) -> str:
    """The reason when `docker exec` itself failed, so that it is not taken for an answer of the program inside."""
    if not exit_code:
        return ""
    return next((reason for pattern, reason in _CONTAINER_TROUBLE if pattern.search(error)), "")


def container_argv(container: str, argv: tuple[str, ...], mark: str = "") -> tuple[str, ...]:
    """`argv` as it runs in a container: without a terminal (there is none over SSH), marked in its environment."""
    marked = ("-e", f"{MARK}={mark}") if mark else ()
    return ("docker", "exec", *marked, container, *argv)


class SshConnection:
    """Asks commands of hosts and of containers on them.

    Args:
        config: the operator's SSH configuration file.
    """

    def __init__(self, config: Path = DEFAULT_CONFIG) -> None:
        self._config = SshConfig(config)
        self._pool = TransportPool()

    def ask(self, look: Look, question: Command, host: Machine) -> Observation:
        """Runs the command of `question` on `host`, or in the vantage's container there.

        A connection that breaks is opened again once, within the same deadline: what is asked only looks, so asking
        again changes nothing, and a broken connection must not be taken for an answer.

        When docker has no such running container, the answer (docker's, with its exit code) has a reason: `no_container`,
        `container_stopped`, `no_dockerd` or `docker_permission`.
        """
        observation = self._ask_once(look, question, host)
        if observation.data.get("reason") == "connection_lost" and not look.deadline.over:
            return self._ask_once(look, question, host)
        return observation

    def _ask_once(self, look: Look, question: Command, host: Machine) -> Observation:
        in_container = question.vantage.place is Place.CONTAINER
        run = RemoteRun(question.argv, tied=True)
        if in_container:
            run.argv = container_argv(question.vantage.container, question.argv, run.mark)
        data: dict[str, object] = {"argv": [word.replace(run.mark, "MARK") for word in run.argv]}
        try:
            route = self._config.route(host.ssh_alias)
            shared = self._pool.get(route, look.deadline)
            # Which machine it was that answered, for whoever reads the evidence later.
            data["host_key"] = shared.transport.get_remote_server_key().fingerprint
            try:
                if asked := ask_dockerd(run, question, shared, look.deadline):
                    data |= asked
                else:
                    run.run(shared, look.deadline, in_container=in_container)
            except Failure:
                if not run.answers:
                    self._pool.drop(route, shared)
                data["remote_process_ended"] = run.ended_remotely
                raise
        except Failure as failure:
            said = run.complaint()
            return look.failed(
                failure,
                output=run.output.content(),
                error=b"\n".join(part for part in (said.rstrip(b"\n"), failure.sentence.en.encode()) if part),
                data=data,
                truncated=run.output.overflow or run.error.overflow,
            )
        if in_container and (reason := container_trouble(run.exit_code, as_text(run.complaint()))):
            data["reason"] = reason
        return look.observe(
            Status.ANSWERED,
            exit_code=run.exit_code,
            output=run.output.content(),
            error=run.complaint(),
            data=data,
            truncated=run.output.overflow or run.error.overflow,
        )

    def close(self) -> None:
        """Ends all connections."""
        self._pool.close()


def fetch_host_key(alias: str, *, config: Path = DEFAULT_CONFIG, seconds: float = 10.0) -> HostKey:
    """The key that the host behind an SSH alias shows now, to be compared by a person. No login is tried on it.

    Raises:
        ConnectionFailed: it could not be reached.
        HostKeyError: a jump host on the way is not trusted.
    """
    deadline = Deadline(seconds)
    pool = TransportPool()
    try:
        route = SshConfig(config).route(alias)
        via = pool.get(route[:-1], deadline).transport if len(route) > 1 else None
        return show_host_key(route[-1], via, deadline)
    except Failure as failure:
        if failure.reason.startswith("host_key"):
            fields = failure.data
            known = fields["known_fingerprint"]
            raise HostKeyError(fields["host"], fingerprint=fields["fingerprint"], known=known) from failure
        step = tell("Check the host's address and that sshd runs.", "请检查主机地址，以及 sshd 是否在运行。")
        raise ConnectionFailed(say(failure.sentence), next_step=step) from failure
    finally:
        pool.close()


def known_host_keys(alias: str, *, config: Path = DEFAULT_CONFIG) -> tuple[str, ...]:
    """The keys (kind and fingerprint) that known_hosts has for the host behind an SSH alias. Nothing is sent.

    Raises:
        ConnectionFailed: the SSH configuration can't be understood.
    """
    try:
        target = SshConfig(config).route(alias)[-1]
    except Failure as failure:
        step = tell("Correct the SSH configuration.", "请修正 SSH 配置。")
        raise ConnectionFailed(say(failure.sentence), next_step=step) from failure
    return KnownHosts(target.known_hosts, target.key_name).fingerprints()


def accept_host_key(alias: str, fingerprint: str, *, config: Path = DEFAULT_CONFIG, seconds: float = 10.0) -> HostKey:
    """Adds the host's key to known_hosts if it still has the fingerprint that a person has compared.

    Raises:
        HostKeyError: the host shows another key now.
        ConnectionFailed: it could not be reached.
    """
    key = fetch_host_key(alias, config=config, seconds=seconds)
    if key.fingerprint != fingerprint:
        raise HostKeyError(key.name, fingerprint=key.fingerprint, known=fingerprint)
    remember(key)
    return key
