"""What takes its time can be stopped, and the one who waits hears of it soon."""

from __future__ import annotations

import threading

import pytest

from cargo_runbook.errors import Stopped
from cargo_runbook.execution.stepping import working
from cargo_runbook.execution.stepping.working import run_stoppably


def test_a_result_comes_back_and_an_error_is_raised_where_one_waits() -> None:
    told: list[float] = []
    assert run_stoppably(lambda: 7, stop=lambda: None, stopped=lambda: False, tell=told.append) == 7
    with pytest.raises(ZeroDivisionError):
        run_stoppably(lambda: 1 / 0, stop=lambda: None, stopped=lambda: False, tell=told.append)


def test_an_interrupted_kernel_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def work() -> None:
        stop.wait()
        raise Stopped

    def interrupted(_seconds: float) -> None:
        if not stop.is_set():
            raise KeyboardInterrupt

    monkeypatch.setattr(working, "_TICK", 0.01)
    with pytest.raises(Stopped):
        run_stoppably(work, stop=stop.set, stopped=stop.is_set, tell=interrupted)


def test_what_does_not_listen_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_TICK", 0.01)
    monkeypatch.setattr(working, "LAST_WORDS", 0.05)
    deaf, told = threading.Event(), list[bool]()
    with pytest.raises(Stopped):
        run_stoppably(lambda: told.append(deaf.wait(10)), stop=lambda: None, stopped=lambda: True, tell=lambda _: None)
    assert told == []
    deaf.set()
