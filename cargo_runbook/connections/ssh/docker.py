"""What docker's client would be started for on a host, asked of dockerd's socket there through the SSH connection."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

import paramiko

from cargo_runbook.connections.base import Capture, Deadline, Failure
from cargo_runbook.connections.docker.daemon import Daemon, Late, Unexpected
from cargo_runbook.connections.docker.hosts_file import QUESTION, hosts_file_of
from cargo_runbook.connections.docker.questions import ENDING, api_question
from cargo_runbook.connections.docker.room import Room, room_of
from cargo_runbook.connections.ssh.command import MARK, RemoteRun
from cargo_runbook.connections.ssh.pool import SharedTransport
from cargo_runbook.observations import Command, Place, Status
from cargo_runbook.texts import Text


def ask_dockerd(run: RemoteRun, question: Command, shared: SharedTransport, deadline: Deadline) -> dict[str, Any]:
    """Fills `run` with the answer; tells for the evidence how it was asked, and nothing when the command itself must run.

    That is so for another question, where the host's sshd opens no way to the socket (which is tried once a connection),
    and where dockerd says anything unexpected.

    Raises:
        Failure: the deadline came first (`timeout`; what ran in the container is ended), or the connection broke.
    """
    in_container = question.vantage.place is Place.CONTAINER
    told = None if in_container else api_question(question.argv)
    if shared.no_dockerd or (question.argv[0] not in ENDING if in_container else told is None):
        return {}
    daemon = Daemon(partial(_open, shared, deadline), deadline)
    try:
        if in_container and (read := _on_host(run, question, shared, daemon, deadline)):
            return {"docker_api": daemon.requests, "read_by": list(read)}
        with shared.slot(deadline):
            if told is not None:
                run.output.add(told(daemon).encode())
                run.exit_code = 0
            else:
                variable = f"{MARK}={run.mark}"
                run.exit_code = daemon.execute(
                    question.vantage.container, question.argv, variable, run.output, run.error
                )
    except Late as late:
        run.ended_remotely = not late.started or run.end_marked(shared.transport)
        raise Failure(
            Status.TIMEOUT,
            "timeout",
            Text("the command was not done in time", "命令没有在限定时间内完成"),
            phase="command",
        ) from late
    except (Unexpected, paramiko.SSHException, EOFError, OSError):
        run.output, run.error, run.exit_code = Capture(), Capture(), None
        return {}
    return {"docker_api": daemon.requests}


def _on_host(
    run: RemoteRun, question: Command, shared: SharedTransport, daemon: Daemon, deadline: Deadline
) -> tuple[str, ...]:
    """Answers on its host what is asked of a container; gives the command, and nothing where that can't be done."""
    argv = question.argv
    if shared.no_looks_inside or (argv != QUESTION and argv[:2] != ("stat", "-f")):
        return ()

    def inspected() -> Any:
        with shared.slot(deadline):
            (found,) = daemon.read(f"/containers/{quote(question.vantage.container, safe='')}/json")
        return found

    first = inspected()
    place = hosts_file_of(first) if argv == QUESTION else room_of(argv, first)
    if place is None:
        return ()
    look = RemoteRun(place.argv, tied=True)
    try:
        look.run(shared, deadline)
    except Failure:
        run.answers, run.ended_remotely = look.answers, look.ended_remotely
        raise
    if look.exit_code:
        # Who is not root may not look there, at no container's.
        shared.no_looks_inside = True
        return ()
    if isinstance(place, Room):
        # A container that was started anew meanwhile has left its number to somebody else.
        content = look.output.content() if room_of(argv, inspected()) == place else None
    else:
        content = place.content(look.output.content())
    if content is None:
        return ()
    run.output.add(content)
    run.exit_code = 0
    return place.argv


def _open(shared: SharedTransport, deadline: Deadline) -> paramiko.Channel:
    try:
        return shared.transport.open_unix(max(deadline.left(), 0.001))
    except (paramiko.SSHException, EOFError, OSError):
        shared.no_dockerd = True
        raise
