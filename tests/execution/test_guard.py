"""The guard before a kernel's messages, without a kernel: what is sent, when, and what is sent when it can't look."""

from __future__ import annotations

from typing import Any

import pytest
from zmq import EFSM, ENOTSOCK, ZMQError

from cargo_runbook.execution.guard import WITHHELD, Guard
from cargo_runbook.secret import Redactor, Secret

VALUE = "c4nary-77-value"
MASK = "‹secret 1 password›"
PARENT = {"msg_id": "m1"}
IDLE = ("status", {"execution_state": "idle"})


class Kernel:
    """Collects what would be sent."""

    def __init__(self, **variables: Any) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.guard = Guard(self._send, Redactor(), lambda: variables)

    def _send(self, stream: Any, kind: Any, content: Any = None, *args: Any, **options: Any) -> None:
        body = kind["content"] if isinstance(kind, dict) else content
        self.sent.append((kind["header"]["msg_type"] if isinstance(kind, dict) else kind, body))

    def prints(self, *pieces: str, name: str = "stdout") -> None:
        for piece in pieces:
            self.guard(None, "stream", {"name": name, "text": piece}, parent=PARENT)

    @property
    def text(self) -> str:
        return "".join(body["text"] for kind, body in self.sent if kind == "stream")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_a_secret_that_is_printed_in_pieces_is_sent_as_its_token(size: int) -> None:
    Secret(VALUE)
    kernel = Kernel()
    whole = f"before {VALUE} after {VALUE}\n"
    kernel.prints(*(whole[start : start + size] for start in range(0, len(whole), size)))
    kernel.guard(None, *IDLE)
    assert kernel.text == f"before {MASK} after {MASK}\n"


def test_what_only_began_like_a_secret_is_sent_when_the_cell_is_over() -> None:
    Secret(VALUE)
    kernel = Kernel()
    kernel.prints("it is c4nary")
    assert kernel.text == "it is "
    kernel.guard(None, *IDLE)
    assert kernel.text == "it is c4nary"
    assert [kind for kind, _ in kernel.sent] == ["stream", "stream", "status"]


def test_two_streams_do_not_hold_each_other_back() -> None:
    Secret(VALUE)
    kernel = Kernel()
    kernel.prints("c4na")
    kernel.prints("a warning\n", name="stderr")
    kernel.prints("ry-77-value\n")
    kernel.guard(None, *IDLE)
    assert [(body["name"], body["text"]) for kind, body in kernel.sent if kind == "stream"] == [
        ("stderr", "a warning\n"),
        ("stdout", f"{MASK}\n"),
    ]


def test_a_variable_whose_name_says_secret_is_known_by_value() -> None:
    kernel = Kernel(password=VALUE, image="library/tiny:1")
    kernel.prints(f"{VALUE} library/tiny:1\n")
    assert kernel.text == f"{MASK} library/tiny:1\n"


@pytest.mark.parametrize(
    ("kind", "body", "clean"),
    [
        ("execute_result", {"data": {"text/plain": VALUE}, "metadata": {}}, {"data": {"text/plain": MASK}, "metadata": {}}),
        ("error", {"ename": "E", "evalue": VALUE, "traceback": ["a", f"b {VALUE}"]},
         {"ename": "E", "evalue": MASK, "traceback": ["a", f"b {MASK}"]}),
        ("comm_open", {"data": {"state": {"value": VALUE}}}, {"data": {"state": {"value": MASK}}}),
        ("comm_msg", {"data": {"method": "echo_update", "state": {"value": VALUE}}},
         {"data": {"method": "echo_update", "state": {"value": VALUE}}}),
        ("kernel_info_reply", {"banner": "x"}, {"banner": "x"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("whole", [False, True])
def test_what_a_cell_shows_is_looked_through_whichever_way_it_is_sent(
    whole: bool, kind: str, body: dict[str, Any], clean: dict[str, Any]
) -> None:
    Secret(VALUE)
    kernel = Kernel()
    if whole:
        kernel.guard(None, {"header": {"msg_type": kind}, "parent_header": PARENT, "content": body})
    else:
        kernel.guard(None, kind, body, parent=PARENT)
    assert kernel.sent == [(kind, clean)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("display_data", {"data": {"text/plain": VALUE}, "metadata": {"note": VALUE}}),
        ("error", {"ename": "E", "evalue": VALUE, "traceback": [VALUE]}),
        ("execute_reply", {"status": "error", "ename": "E", "evalue": VALUE, "traceback": [VALUE], "payload": [VALUE]}),
        ("stream", {"name": "stdout", "text": VALUE}),
    ],
)
def test_what_can_not_be_looked_through_is_withheld(
    kind: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel()

    def broken(*_: Any) -> str:
        raise RecursionError

    for name in ("redact", "redact_data"):
        monkeypatch.setattr(kernel.guard.redactor, name, broken)
    kernel.guard(None, kind, body, parent=PARENT)
    kernel.guard(None, *IDLE)
    (_, sent), (last, _) = kernel.sent
    assert VALUE not in str(sent)
    assert WITHHELD in str(sent)
    assert last == "status"


def test_a_kernel_that_has_closed_its_sockets_says_nothing_more_and_other_errors_are_told() -> None:
    def send(number: int) -> None:
        def failing(*_: Any, **__: Any) -> None:
            raise ZMQError(number)

        Guard(failing, Redactor())(None, "status", {"execution_state": "busy"})

    send(ENOTSOCK)
    with pytest.raises(ZMQError):
        send(EFSM)
