"""In the kernel: nothing leaves it that holds a secret, since only here every secret is known by value.

What a kernel sends goes through one `Session`: streams, results, errors with their tracebacks, states of widgets. A
secret that is printed in pieces is held back until it is whole, or the cell is over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from zmq import ENOTSOCK, ZMQError

from cargo_runbook.archive.record import RECORD_VARIABLE
from cargo_runbook.archive.sealing.clean import note_masked
from cargo_runbook.redaction.notebook import redacted_output
from cargo_runbook.redaction.shapes import sensitive_name
from cargo_runbook.secret import Redactor, Secret

WITHHELD = "‹withheld: it could not be looked through for secrets›"
_SHORTEST_VARIABLE = 4
_SHOWN = ("display_data", "update_display_data", "execute_result")
_TOLD = ("error", "execute_reply")
_WIDGETS = ("comm_open", "comm_msg")


class Guard:
    """Stands between a kernel and its clients.

    Args:
        send: what really sends, as `jupyter_client.session.Session.send`.
        redactor: knows the secrets.
        variables: those of the notebook; texts of which the name says that they are secrets become known by value.
        draft: of the record of this run, where what was masked is noted for the runner's list.
    """

    def __init__(
        self,
        send: Callable[..., Any],
        redactor: Redactor,
        variables: Callable[[], Mapping[str, Any]] = dict,
        draft: Path | None = None,
    ) -> None:
        self.redactor = redactor
        self._send = send
        self._variables = variables
        self._draft = draft
        self._noted = 0
        self._lock = threading.RLock()
        self._held: dict[tuple[str, str], tuple[Any, dict[str, Any], str]] = {}

    def __call__(self, stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **options: Any) -> Any:
        """Sends a message without secrets; takes what `Session.send` takes."""
        whole = isinstance(msg_or_type, dict)
        kind = str(msg_or_type["header"]["msg_type"] if whole else msg_or_type)
        body = msg_or_type.get("content") if whole else content
        with self._lock:
            if kind == "status" and (body or {}).get("execution_state") == "idle":
                self._let_go()
            if kind == "stream" and isinstance(body, dict):
                parent = msg_or_type.get("parent_header") if whole else options.get("parent") or (args or [None])[0]
                clean = self._piece(stream, body, dict(parent or {}))
                if clean is None:
                    return None
            else:
                clean = self._clean(kind, body)
            if whole:
                return self._pass_on(stream, {**msg_or_type, "content": clean}, content, *args, **options)
            return self._pass_on(stream, msg_or_type, clean, *args, **options)

    def _pass_on(self, *arguments: Any, **options: Any) -> Any:
        try:
            return self._send(*arguments, **options)
        except ZMQError as error:
            # An ending ipykernel closes its sockets while its thread for control may still say that it is idle.
            if error.errno != ENOTSOCK:
                raise
            return None

    def _clean(self, kind: str, body: Any) -> Any:
        if kind not in (*_SHOWN, *_TOLD, *_WIDGETS) or not isinstance(body, dict):
            return body
        try:
            self._learn()
            if kind not in _WIDGETS:
                return redacted_output(body, self.redactor)
            # An echo goes back to where it came from: a field would lose what somebody types into it.
            echo = isinstance(body.get("data"), dict) and body["data"].get("method") == "echo_update"
            return body if echo else {**body, "data": self.redactor.redact_data(body.get("data"))}
        except Exception:  # noqa: BLE001 - whatever went wrong, what was not looked through does not get out
            return _withheld(kind, body)

    def _piece(self, stream: Any, body: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any] | None:
        """The part of a stream that can be sent now; None for nothing."""
        name = str(body.get("name"))
        key = (name, str(parent.get("msg_id") or parent.get("header", {}).get("msg_id")))
        text = self._held.pop(key, (None, {}, ""))[2] + str(body.get("text", ""))
        try:
            self._learn()
            back = self.redactor.held_back(text)
            if back:
                self._held[key] = (stream, parent, text[len(text) - back :])
            clean = self.redactor.redact(text[: len(text) - back])
        except Exception:  # noqa: BLE001 - as above
            clean = WITHHELD
        return {**body, "text": clean} if clean else None

    def _let_go(self) -> None:
        """A cell is over: what was held back is no secret, or never becomes a whole one."""
        for (name, _), (stream, parent, text) in self._held.items():
            try:
                clean = self.redactor.redact(text)
            except Exception:  # noqa: BLE001 - as above; the kernel's client waits for the message after this one
                clean = WITHHELD
            self._send(stream, "stream", {"name": name, "text": clean}, parent=parent)
        self._held.clear()
        count = len(self.redactor.masked)
        if self._draft and count != self._noted:
            self._noted = count
            # Without the list the tokens are there all the same, only less is known of them.
            with suppress(OSError):
                note_masked(self._draft, self.redactor)

    def _learn(self) -> None:
        for name, value in list(self._variables().items()):
            if isinstance(value, str) and len(value) >= _SHORTEST_VARIABLE and sensitive_name(name):
                Secret(value)


def guard_kernel(kernel: Any) -> Redactor:
    """Puts a guard before everything that an ipykernel sends; once, however often it is called.

    Returns:
        The redactor of the guard, whose tokens stand in what was sent.
    """
    session = kernel.session
    if not isinstance(session.send, Guard):
        draft = os.environ.get(RECORD_VARIABLE)
        place = Path(draft) if draft else None
        session.send = Guard(session.send, Redactor(), lambda: kernel.shell.user_ns, place)
    redactor: Redactor = session.send.redactor
    return redactor


def guard_running_kernel() -> Redactor | None:
    """Guards the kernel that this code runs in, and gives its redactor; None where it runs in none."""
    kernel = getattr(get_ipython(), "kernel", None)
    return None if kernel is None else guard_kernel(kernel)


def _withheld(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    if kind in _SHOWN:
        return {**body, "data": {"text/plain": WITHHELD}, "metadata": {}}
    if kind in _WIDGETS:
        return {**body, "data": {}}
    told = {"ename": str(body.get("ename", "")), "evalue": WITHHELD, "traceback": [WITHHELD]}
    kept: dict[str, Any] = {key: body[key] for key in ("status", "execution_count") if key in body}
    if "payload" in body:
        kept["payload"] = []
    return kept if body.get("status") == "ok" else {**kept, **told}
