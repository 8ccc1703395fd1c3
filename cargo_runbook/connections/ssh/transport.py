"""One SSH connection: TCP or a channel of the jump host, host key checked before anything is sent, then login by key."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

import paramiko
from paramiko.pkey import UnknownKeyType

from cargo_runbook.connections.base import Deadline, Failure
from cargo_runbook.connections.network.sockets import connect, connection_failure
from cargo_runbook.connections.ssh.config import Target
from cargo_runbook.connections.ssh.hostkeys import HostKey, KnownHosts
from cargo_runbook.connections.ssh.unix import Transport
from cargo_runbook.errors import HostKeyError
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

KEEPALIVE = 15
"""Seconds between keepalive messages."""

LOG = "cargo_runbook.ssh"
# paramiko logs tracebacks of its thread; each of them becomes an observation with a reason, so nothing is lost.
logging.getLogger(LOG).addHandler(logging.NullHandler())
logging.getLogger(LOG).propagate = False


class _Stream(Protocol):
    def close(self) -> object: ...


def open_transport(target: Target, via: paramiko.Transport | None, deadline: Deadline) -> Transport:
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


def _negotiated(target: Target, via: paramiko.Transport | None, deadline: Deadline) -> Transport:
    stream = connect(target.host, target.port, deadline) if via is None else _through(via, target, deadline)
    try:
        transport = Transport(cast("socket.socket", stream))
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
        sentence = Text(
            f"{target} accepted the connection and did not finish the SSH handshake in time",
            f"{target} 接受了连接，但没有在限定时间内完成 SSH 握手",
        )
        raise Failure(Status.TIMEOUT, "timeout", sentence, phase="handshake")
    if isinstance(error, OSError) and not isinstance(error, EOFError):
        raise connection_failure(error, str(target), phase="handshake") from error
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        raise Failure(
            Status.UNREACHABLE,
            "algorithms",
            Text(f"{target} has no algorithm in common: {error}", f"与 {target} 没有共同支持的算法：{error}"),
        ) from error
    if error is None or isinstance(error, EOFError) or isinstance(error.__cause__ or error.__context__, EOFError):
        raise Failure(
            Status.UNREACHABLE,
            "reset",
            Text(f"{target} ended the connection during the handshake", f"{target} 在握手过程中断开了连接"),
        ) from error
    raise Failure(
        Status.UNREACHABLE, "not_ssh", Text(f"{target} does not speak SSH: {error}", f"{target} 不是 SSH 服务：{error}")
    ) from error


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
        raise Failure(
            Status.UNREACHABLE,
            reason,
            Text(f"the jump host can't reach {target}: {error.text}", f"跳板机无法连接 {target}：{error.text}"),
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if deadline.over:
            sentence = Text(f"the jump host did not reach {target} in time", f"跳板机未能在限定时间内连接 {target}")
            raise Failure(Status.TIMEOUT, "timeout", sentence, phase="connect") from error
        raise Failure(
            Status.UNREACHABLE,
            "jump",
            Text(f"the jump host failed on the way to {target}: {error}", f"跳板机在连接 {target} 时出错：{error}"),
        ) from error


def _host_key_failure(error: HostKeyError) -> Failure:
    reason = "host_key_changed" if error.known else "host_key_unknown"
    fields = {"host": error.host, "fingerprint": error.fingerprint, "known_fingerprint": error.known}
    return Failure(Status.UNREACHABLE, reason, error.in_full(), **fields)


def _log_in(transport: paramiko.Transport, target: Target, deadline: Deadline) -> None:
    tried = 0
    complaints: list[Text] = []
    for key, complaint in _keys(target):
        if complaint:
            complaints.append(complaint)
        if key is None:
            continue
        if deadline.over:
            raise Failure(
                Status.TIMEOUT,
                "timeout",
                Text(f"{target} did not finish the login in time", f"{target} 没有在限定时间内完成登录"),
                phase="login",
            )
        tried += 1
        transport.auth_timeout = deadline.left()
        try:
            # A non-empty answer asks for a second method, which can't be given here.
            if not transport.auth_publickey(target.user, key):
                return
        except paramiko.BadAuthenticationType as error:
            raise _refused(target, _takes_only(error.allowed_types), complaints) from error
        except paramiko.AuthenticationException as error:
            if "timeout" in str(error).lower():
                sentence = Text(f"{target} did not finish the login in time", f"{target} 没有在限定时间内完成登录")
                raise Failure(Status.TIMEOUT, "timeout", sentence, phase="login") from error
            if not transport.is_active():
                raise _refused(
                    target,
                    Text("it ended the connection after too many keys", "尝试的密钥过多，连接被断开"),
                    complaints,
                ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            if not transport.is_active():
                raise _refused(target, Text("it ended the connection", "连接被断开"), complaints) from error
            complaints.append(Text(f"a key could not be used: {error}", f"有一个密钥无法使用：{error}"))
    offered = Text(f"{tried} keys offered" if tried != 1 else "1 key offered", f"提供了 {tried} 个密钥")
    raise _refused(target, offered, complaints)


def _takes_only(kinds: Sequence[str]) -> Text:
    return Text(f"it takes {', '.join(kinds)} only", f"只接受 {'、'.join(kinds)}")


def _refused(target: Target, detail: Text, complaints: list[Text]) -> Failure:
    sentence = Text(
        f"{target} refused the login of {target.user} ({'; '.join(each.en for each in (detail, *complaints))})",
        f"{target} 拒绝了 {target.user} 的登录（{'；'.join(each.zh for each in (detail, *complaints))}）",
    )
    return Failure(Status.UNREACHABLE, "authentication", sentence)


def _keys(target: Target) -> Iterator[tuple[paramiko.PKey | None, Text | None]]:
    """The keys to offer, in OpenSSH's order: files that the configuration names, the agent's, files by default."""
    if target.explicit_keys:
        yield from _key_files(target)
    if not target.only_these:
        yield from _agent_keys()
    if not target.explicit_keys:
        yield from _key_files(target)


def _agent_keys() -> Iterator[tuple[paramiko.PKey | None, Text | None]]:
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError) as error:
        yield None, Text(f"the SSH agent can't be used: {error}", f"无法使用 SSH agent：{error}")
        return
    try:
        for key in agent.get_keys():
            yield key, None
    finally:
        agent.close()


def _key_files(target: Target) -> Iterator[tuple[paramiko.PKey | None, Text | None]]:
    for name in target.key_files:
        path = Path(name)
        if not path.is_file():
            if target.explicit_keys:
                yield None, Text(f"the key file {name} is not there", f"没有密钥文件 {name}")
            continue
        try:
            yield paramiko.PKey.from_path(path), None
        except (paramiko.PasswordRequiredException, TypeError):
            # cryptography says it with a TypeError.
            yield (
                None,
                Text(
                    f"the key {name} has a passphrase: add it to the agent with ssh-add",
                    f"密钥 {name} 有口令：请用 ssh-add 加入 agent",
                ),
            )
        except (paramiko.SSHException, UnknownKeyType, OSError, ValueError) as error:
            why = type(error).__name__
            yield None, Text(f"the key {name} can't be used: {why}", f"无法使用密钥 {name}：{why}")
