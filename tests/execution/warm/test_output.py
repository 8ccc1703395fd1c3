"""What a forked kernel sends: messages that others follow go with them, and all else at once."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.session import Session

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
    return [frame.body["header"]["msg_type"] for frame in Unpacker(WireSession().unpack).feed(data)]


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


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ({"text/plain": "内核 é"}, {"text/plain": "内核 é"}),
        # No JSON has it; ZeroMQ's kernels send the same.
        ({"application/json": {"share": math.nan}}, {"application/json": {"share": None}}),
        ({"application/json": {"large": 1 << 80}}, {"application/json": {"large": 1 << 80}}),
        ({"application/json": {7: "a number as a key"}}, {"application/json": {"7": "a number as a key"}}),
        ({"text/plain": "half a byte \udc80"}, {"text/plain": "half a byte \ufffd"}),
    ],
)
def test_what_is_shown_arrives_as_jupyter_packs_it(
    wires: tuple[WireSession, socket.socket], shown: dict[str, Any], read: dict[str, Any]
) -> None:
    session, wire = wires
    session.send(None, "display_data", {"data": shown, "metadata": {}})
    (frame,) = Unpacker(Session().unpack).feed(wire.recv(1 << 16))
    assert frame.body["content"]["data"] == read
    assert Session().packer == "orjson"
