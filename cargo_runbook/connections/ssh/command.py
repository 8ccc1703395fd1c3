"""Commands on another machine, with a deadline that ends them there as well."""

from __future__ import annotations

import re
import secrets
import selectors
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import paramiko

from cargo_runbook.connections.base import Capture, Deadline, Failure
from cargo_runbook.connections.ssh.pool import SharedTransport
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

_GRACE = 2.0
"""Seconds after the deadline for ending the remote process."""

_PATIENCE = 0.5
"""Seconds that a channel may stay open after the exit status came (a child that kept the pipe)."""

# The login shell is a session leader under sshd (do_exec_no_pty calls setsid), and exec keeps its process id, so the
# id names the process group as well. /bin/sh is called because the login shell may be none of Bourne's.
_START = 'LC_ALL=C; PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export LC_ALL PATH; '
_START += 'echo "$1 $$" >&2; shift; '
_RUN = 'exec "$@"'
# docker exec's process is a child of the container's shim and outlives its client; its environment carries the mark.
# One grep for all: a host has hundreds of processes, and there is little time.
_END_MARKED = """end_marked() {
  found=1
  for e in $(grep -lF -- "$1" /proc/[0-9]*/environ 2>/dev/null); do
    p="${e%/environ}"; kill -s KILL "${p#/proc/}" 2>/dev/null && found=0
  done
  return $found
}
"""
# `kill -s` because dash takes `kill -TERM -- -N` for an illegal number; /proc because signal 0 reaches zombies too,
# and sshd leaves one until it looks. What is marked comes first: of the group, who watches (see below) ends as well.
# What only looks has nothing to bring to an end. Exits 0 when nothing of the group runs any more, and what was marked
# was found.
_END = f"""{_END_MARKED}alive() {{
  for f in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$f" || continue
    set -- "$1" ${{line##*) }}
    [ "$4" = "$1" ] && [ "$2" != Z ] && return 0
  done
  return 1
}}
unseen=0
[ -z "$2" ] || end_marked "$2" || unseen=1
if [ "$3" ]; then
  kill -s TERM -- "-$1" 2>/dev/null
  for i in 1 2 3 4 5; do alive "$1" || exit $unseen; sleep 0.1; done
fi
kill -s KILL -- "-$1" 2>/dev/null
sleep 0.1
! alive "$1" && exit $unseen
"""

# The command's standard input is empty; that of the channel stays open as long as somebody here waits for the answer.
# When it ends and the command is still there, nobody does: the operator's process was killed, or its machine is gone
# (sshd may never hear of that, hence the time). The one who watches is nobody's child, so that the command has none
# that it does not know, and holds neither output nor error. `read -t` is an error (2) for dash, which waits without.
_TIED_RUN = f"""{_END_MARKED}late=$1 mark=$2; shift 2
exec 3<&0 </dev/null
( {{
  read -r -t "$late" _; [ $? != 2 ] || read -r _
  kill -s 0 "$$" || exit 0
  [ -z "$mark" ] || end_marked "$mark"
  kill -s KILL -- "-$$"
}} <&3 3<&- >/dev/null 2>&1 & )
exec "$@" 3<&-"""

MARK = "CARGO_RUNBOOK_MARK"
"""Environment variable that marks processes in containers."""


def quote(argv: Sequence[str]) -> str:
    """`argv` as one line for a POSIX shell: the only way in which a command line for another machine is made."""
    return shlex.join(argv)


@dataclass
class RemoteRun:
    """One command on a shared connection, and what came of it.

    A `tied` one ends when the connection does, as what only looks should: one that changes something comes to its end
    whatever becomes of the operator, and takes `stdin`.

    `exit_code` is None as long as there is none; -1 when a signal ended the command. After a timeout, `ended_remotely`
    says whether the remote process is known to have ended (a process in a container can only be seen by root on its
    host), and `answers` whether the connection still does.
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    tied: bool = False
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    exit_code: int | None = None
    output: Capture = field(default_factory=Capture)
    error: Capture = field(default_factory=Capture)
    ended_remotely: bool = True
    answers: bool = True

    def run(self, shared: SharedTransport, deadline: Deadline, *, in_container: bool = False) -> None:
        """Runs it until it ends.

        Raises:
            Failure: the deadline came first (`timeout`; the remote process is ended), or the connection broke
                (`connection_lost`). What came until then is kept.
        """
        with shared.slot(deadline):
            channel = self._start(shared.transport, deadline, in_container)
            try:
                if self._read(channel, deadline):
                    return
                if not shared.transport.is_active():
                    self.answers = False
                    sentence = Text("the SSH connection broke while the command ran", "命令执行期间 SSH 连接中断")
                    raise Failure(Status.UNREACHABLE, "connection_lost", sentence)
                self.ended_remotely = self._end(shared.transport, channel, in_container)
            except (paramiko.SSHException, EOFError, OSError) as error:
                self.answers = False
                raise Failure(
                    Status.UNREACHABLE,
                    "connection_lost",
                    Text(f"the SSH connection broke: {error}", f"SSH 连接中断：{error}"),
                ) from error
            finally:
                _close(channel)
        raise Failure(
            Status.TIMEOUT,
            "timeout",
            Text("the command was not done in time", "命令没有在限定时间内完成"),
            phase="command",
        )

    def end_marked(self, transport: paramiko.Transport) -> bool:
        """Ends what carries the mark in a container; False when nothing was found (as where only root sees it)."""
        command = ("/bin/sh", "-c", f'{_END_MARKED}end_marked "$1"', "sh", self._marked(True))
        try:
            return self._exit_code(transport, command, Deadline(_GRACE)) == 0
        except (paramiko.SSHException, EOFError, OSError):
            self.answers = False
            return False

    def complaint(self) -> bytes:
        """Standard error without the line that told the process id."""
        return re.sub(rb"(?m)^%b \d+\n" % self.mark.encode(), b"", self.error.content(), count=1)

    def _start(self, transport: paramiko.Transport, deadline: Deadline, in_container: bool) -> paramiko.Channel:
        line = quote(("exec", "/bin/sh", "-c", *self._script(deadline, in_container), *self.argv))
        try:
            channel = transport.open_session(timeout=max(deadline.left(), 0.001))
            channel.settimeout(max(deadline.left(), 0.001))
            channel.exec_command(line)
            if self.stdin:
                channel.sendall(self.stdin)
            if not self.tied:
                channel.shutdown_write()
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.answers = isinstance(error, paramiko.ChannelException)
            if deadline.over and transport.is_active():
                sentence = Text("the connection no longer answers", "连接不再应答")
                raise Failure(Status.TIMEOUT, "timeout", sentence, phase="channel") from error
            if isinstance(error, paramiko.ChannelException):
                sentence = Text(f"the server opens no channel: {error.text}", f"服务器不打开通道：{error.text}")
                raise Failure(Status.UNREACHABLE, "channel_refused", sentence) from error
            raise Failure(
                Status.UNREACHABLE,
                "connection_lost",
                Text(f"the SSH connection broke: {error}", f"SSH 连接中断：{error}"),
            ) from error
        return channel

    def _script(self, deadline: Deadline, in_container: bool) -> tuple[str, ...]:
        if not self.tied:
            return _START + _RUN, "sh", self.mark
        late = str(int(deadline.left() + _GRACE) + 1)
        return _START + _TIED_RUN, "sh", self.mark, late, self._marked(in_container)

    def _marked(self, in_container: bool) -> str:
        return f"{MARK}={self.mark}" if in_container else ""

    def _read(self, channel: paramiko.Channel, deadline: Deadline) -> bool:
        """Reads both streams. True when the command ended and both are at their end."""
        last: Deadline | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(channel, selectors.EVENT_READ)
            while not deadline.over:
                if channel.recv_ready():
                    self.output.add(channel.recv(65536))
                    continue
                if channel.recv_stderr_ready():
                    self.error.add(channel.recv_stderr(65536))
                    continue
                if channel.exit_status_ready():
                    last = last or Deadline(_PATIENCE)
                    if channel.eof_received or channel.closed or last.over:
                        return self._note_exit(channel)
                if channel.closed:
                    return self._note_exit(channel)
                if channel.eof_received or last is not None:
                    # The selector would say "readable" at once, for ever: only the exit status is still to come.
                    channel.status_event.wait(min(deadline.left(), 0.05))
                else:
                    selector.select(min(deadline.left(), 0.5))
        return False

    def _note_exit(self, channel: paramiko.Channel) -> bool:
        while channel.recv_ready():
            self.output.add(channel.recv(65536))
        while channel.recv_stderr_ready():
            self.error.add(channel.recv_stderr(65536))
        if not channel.exit_status_ready():
            return False
        if channel.exit_status == -1:
            # A signal ended the command, or the connection broke: then paramiko closes the channels before it says so.
            channel.get_transport().join(_PATIENCE)
            if not channel.get_transport().is_active():
                return False
        self.exit_code = channel.exit_status
        return True

    def _end(self, transport: paramiko.Transport, channel: paramiko.Channel, in_container: bool) -> bool:
        """Ends the remote process through another channel; False when that could not be confirmed."""
        grace = Deadline(_GRACE)
        group = self._group(channel, grace)
        if not group:
            self.answers = False
            return False
        command = ("/bin/sh", "-c", _END, "sh", group, self._marked(in_container), "" if self.tied else "gently")
        try:
            return self._exit_code(transport, command, grace) == 0
        except (paramiko.SSHException, EOFError, OSError):
            self.answers = False
            return False

    def _group(self, channel: paramiko.Channel, grace: Deadline) -> str:
        """The remote process group; with a short deadline its announcement may still be on the way."""
        while True:
            if told := re.search(rb"(?m)^%b (\d+)$" % self.mark.encode(), self.error.content()):
                return told[1].decode()
            channel.settimeout(max(grace.left(), 0.001))
            try:
                data = channel.recv_stderr(65536)
            except TimeoutError:
                return ""
            if not data:
                return ""
            self.error.add(data)

    def _exit_code(self, transport: paramiko.Transport, command: Sequence[str], grace: Deadline) -> int:
        channel = transport.open_session(timeout=max(grace.left(), 0.001))
        try:
            channel.exec_command(quote(command))
            if not channel.status_event.wait(grace.left()):
                raise paramiko.SSHException("no exit status")
            return channel.exit_status
        finally:
            _close(channel)


def _close(channel: paramiko.Channel) -> None:
    """Closing says so to the other side; on a connection that has just broken there is nobody to say it to."""
    with suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()
