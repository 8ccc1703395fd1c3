"""What a forked kernel sends: messages that others follow go with them, and all else at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cargo_runbook.execution.warm.output import WireSession
from cargo_runbook.execution.warm.wire import Unpacker


@pytest.fixture
def wires() -> Iterator[tuple[WireSession, socket.socket]]:
    ours, theirs = socket.socketpair()
    session = WireSession()
    session.open(ours)
    theirs.setblocking(False)
    with ours, theirs:
        yield session, theirs


def _kinds(wire: socket.socket) -> list[str]:
    try:
        data = wire.recv(1 << 16)
    except BlockingIOError:
        return []
    return [frame.body["header"]["msg_type"] for frame in Unpacker().feed(data)]


def test_a_cell_that_shows_its_result_wakes_the_runner_once(wires: tuple[WireSession, socket.socket]) -> None:
    session, wire = wires
    session.send(None, "status", {"execution_state": "busy"})
    for kind in ("execute_input", "execute_result", "execute_reply"):
        session.send(None, kind, {})
    assert _kinds(wire) == []
    session.send(None, "status", {"execution_state": "idle"})
    assert _kinds(wire) == ["status", "execute_input", "execute_result", "execute_reply", "status"]


@pytest.mark.parametrize("kind", ["stream", "display_data", "error", "comm_msg", "clear_output"])
def test_what_a_cell_shows_while_it_runs_is_sent_at_once_and_in_order(
    wires: tuple[WireSession, socket.socket], kind: str
) -> None:
    session, wire = wires
    session.send(None, "status", {"execution_state": "busy"})
    session.send(None, kind, {})
    assert _kinds(wire) == ["status", kind]
