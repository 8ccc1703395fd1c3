"""Something that takes its time, run so that it can be stopped, by a button or by interrupting the kernel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from cargo_runbook.errors import Stopped

T = TypeVar("T")
_TICK = 0.2
LAST_WORDS = 4.0
"""Seconds that what was stopped has to end what it started at the hosts."""


def run_stoppably(
    work: Callable[[], T], *, stop: Callable[[], None], stopped: Callable[[], bool], tell: Callable[[float], None]
) -> T:
    """The result of `work`, which runs in a thread of its own.

    Args:
        stop: makes `work` end soon; called when the kernel is interrupted. A button may call it as well.
        stopped: whether it was called.
        tell: told of the seconds that it has taken, five times a second.

    Raises:
        Stopped: it was stopped, or did not end when it was told to.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is raised where one waits for it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    began = time.monotonic()
    last_words = 0.0
    while not future.done():
        try:
            if not _done_within(future, _TICK):
                tell(time.monotonic() - began)
        except KeyboardInterrupt:
            stop()
        if stopped():
            last_words = last_words or time.monotonic() + LAST_WORDS
            if time.monotonic() > last_words:
                raise Stopped
    return future.result()


def _done_within(future: Future[T], seconds: float) -> bool:
    try:
        future.exception(timeout=seconds)
    except TimeoutError:
        return False
    return True
