"""One SSH connection: TCP or a channel of the jump host, host key checked before anything is sent, then login by key."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

import paramiko
from paramiko.pkey import UnknownKeyType

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.connections.network.sockets import connect, connection_failure
from cargo_runbook.connections.ssh.config import Target
from cargo_runbook.connections.ssh.hostkeys import HostKey, KnownHosts
from cargo_runbook.errors import HostKeyError
from cargo_runbook.observations import Status

KEEPALIVE = 15
"""Seconds between keepalive messages."""

LOG = "cargo_runbook.ssh"
# paramiko logs tracebacks of its thread; each of them becomes an observation with a reason, so nothing is lost.
logging.getLogger(LOG).addHandler(logging.NullHandler())
logging.getLogger(LOG).propagate = False


class _Stream(Protocol):
    def close(self) -> object: ...


def open_transport(target: Target, via: paramiko.Transport | None, deadline: Deadline) -> paramiko.Transport:
    """A connection that is logged in.

    Args:
        via: connection of the jump host, or None to connect directly.

    Raises:
        Failure: with reason `host_key_unknown`, `host_key_changed`, `authentication`, `not_ssh`, or one of those of
            `sockets.connect`.
    """
    transport = _negotiated(target, via, deadline)
    try:
        KnownHosts(target.known_hosts, target.key_name).check(transport.get_remote_server_key())
        _log_in(transport, target, deadline)
    except HostKeyError as error:
        transport.close()
        raise _host_key_failure(error) from error
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(KEEPALIVE)
    return transport


def show_host_key(target: Target, via: paramiko.Transport | None, deadline: Deadline) -> HostKey:
    """The key that the server shows; no login is tried.

    Raises:
        Failure: as `open_transport`, but for the key and the login.
    """
    transport = _negotiated(target, via, deadline)
    try:
        key = transport.get_remote_server_key()
    finally:
        transport.close()
    return HostKey(target.key_name, key.get_name(), key.get_base64(), target.known_hosts[0])


def _negotiated(target: Target, via: paramiko.Transport | None, deadline: Deadline) -> paramiko.Transport:
    stream = connect(target.host, target.port, deadline) if via is None else _through(via, target, deadline)
    try:
        transport = paramiko.Transport(cast("socket.socket", stream))
    except (paramiko.SSHException, OSError):
        stream.close()
        raise
    transport.set_log_channel(LOG)
    options = transport.get_security_options()
    known = [name for name in KnownHosts(target.known_hosts, target.key_name).algorithms() if name in options.key_types]
    if known:
        options.key_types = (*known, *(name for name in options.key_types if name not in known))
    # All waiting is done here, by the deadline of the question; paramiko's own limits must not come first.
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = max(deadline.left(), 1.0) + 1
    done = threading.Event()
    transport.start_client(event=done)
    finished = deadline.wait(done)
    if finished and transport.is_active():
        return transport
    error = transport.get_exception()
    transport.close()
    if not finished:
        sentence = f"{target} accepted the connection and did not finish the SSH handshake in time"
        raise Failure(Status.TIMEOUT, "timeout", sentence, phase="handshake")
    if isinstance(error, OSError) and not isinstance(error, EOFError):
        raise connection_failure(error, str(target), phase="handshake") from error
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        raise Failure(Status.UNREACHABLE, "algorithms", f"{target} has no algorithm in common: {error}") from error
    if error is None or isinstance(error, EOFError) or isinstance(error.__cause__ or error.__context__, EOFError):
        raise Failure(Status.UNREACHABLE, "reset", f"{target} ended the connection during the handshake") from error
    raise Failure(Status.UNREACHABLE, "not_ssh", f"{target} does not speak SSH: {error}") from error


def _through(via: paramiko.Transport, target: Target, deadline: Deadline) -> paramiko.Channel:
    try:
        return via.open_channel("direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=deadline.left())
    except paramiko.ChannelException as error:
        # Code 2 is "connect failed" (RFC 4254, 5.1); the words behind it are the jump host's.
        reason = {1: "prohibited", 2: "refused"}.get(error.code, "jump")
        said = error.text.lower()
        if "resol" in said or "not known" in said:
            reason = "name_not_resolved"
        elif "route" in said or "unreachable" in said:
            reason = "no_route"
        raise Failure(Status.UNREACHABLE, reason, f"the jump host can't reach {target}: {error.text}") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if deadline.over:
            sentence = f"the jump host did not reach {target} in time"
            raise Failure(Status.TIMEOUT, "timeout", sentence, phase="connect") from error
        raise Failure(Status.UNREACHABLE, "jump", f"the jump host failed on the way to {target}: {error}") from error


def _host_key_failure(error: HostKeyError) -> Failure:
    reason = "host_key_changed" if error.known else "host_key_unknown"
    fields = {"host": error.host, "fingerprint": error.fingerprint, "known_fingerprint": error.known}
    return Failure(Status.UNREACHABLE, reason, str(error), **fields)


def _log_in(transport: paramiko.Transport, target: Target, deadline: Deadline) -> None:
    tried, complaints = 0, []
    for key, complaint in _keys(target):
        if complaint:
            complaints.append(complaint)
        if key is None:
            continue
        if deadline.over:
            raise Failure(Status.TIMEOUT, "timeout", f"{target} did not finish the login in time", phase="login")
        tried += 1
        transport.auth_timeout = deadline.left()
        try:
            # A non-empty answer asks for a second method, which can't be given here.
            if not transport.auth_publickey(target.user, key):
                return
        except paramiko.BadAuthenticationType as error:
            raise _refused(target, f"it takes {', '.join(error.allowed_types)} only", complaints) from error
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                sentence = f"{target} did not finish the login in time"
                raise Failure(Status.TIMEOUT, "timeout", sentence, phase="login") from error
            if not transport.is_active():
                raise _refused(target, "it ended the connection after too many keys", complaints) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            if not transport.is_active():
                raise _refused(target, "it ended the connection", complaints) from error
            complaints.append(f"a key could not be used: {error}")
    raise _refused(target, f"{tried} keys offered" if tried != 1 else "1 key offered", complaints)


def _refused(target: Target, detail: str, complaints: list[str]) -> Failure:
    words = "; ".join([detail, *complaints])
    return Failure(Status.UNREACHABLE, "authentication", f"{target} refused the login of {target.user} ({words})")


def _keys(target: Target) -> Iterator[tuple[paramiko.PKey | None, str]]:
    """The keys to offer, in OpenSSH's order: files that the configuration names, the agent's, files by default."""
    if target.explicit_keys:
        yield from _key_files(target)
    if not target.only_these:
        yield from _agent_keys()
    if not target.explicit_keys:
        yield from _key_files(target)


def _agent_keys() -> Iterator[tuple[paramiko.PKey | None, str]]:
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError) as error:
        yield None, f"the SSH agent can't be used: {error}"
        return
    try:
        for key in agent.get_keys():
            yield key, ""
    finally:
        agent.close()


def _key_files(target: Target) -> Iterator[tuple[paramiko.PKey | None, str]]:
    for name in target.key_files:
        path = Path(name)
        if not path.is_file():
            if target.explicit_keys:
                yield None, f"the key file {name} is not there"
            continue
        try:
            yield paramiko.PKey.from_path(path), ""
        except (paramiko.PasswordRequiredException, TypeError):
            # cryptography says it with a TypeError.
            yield None, f"the key {name} has a passphrase: add it to the agent with ssh-add"
        except (paramiko.SSHException, UnknownKeyType, OSError, ValueError) as error:
            yield None, f"the key {name} can't be used: {type(error).__name__}"
