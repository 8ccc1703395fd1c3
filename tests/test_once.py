"""A property that is computed once for each object, whoever asks first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cargo_runbook.once import Answers, once


class Counting(Answers):
    def __init__(self, gate: threading.Event | None = None) -> None:
        super().__init__()
        self.calls = 0
        self.gate = gate

    @once
    def value(self) -> int:
        self.calls += 1
        if self.gate is not None:
            assert self.gate.wait(10)
        return self.calls

    @once
    def broken(self) -> int:
        self.calls += 1
        raise ValueError("no")


def test_it_is_computed_once_for_all_threads() -> None:
    gate = threading.Event()
    counting = Counting(gate)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda: counting.value) for _ in range(8)]
        gate.set()
        assert {future.result() for future in waiting} == {1}
    assert counting.answered() == {"value": 1}


def test_one_object_that_waits_does_not_hold_another() -> None:
    gate = threading.Event()
    silent = Counting(gate)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(lambda: silent.value)
        assert Counting().value == 1
        assert not held.done()
        gate.set()


def test_what_was_not_asked_or_failed_is_no_answer() -> None:
    counting = Counting()
    with pytest.raises(ValueError, match="no"):
        _ = counting.broken
    with pytest.raises(ValueError, match="no"):
        _ = counting.broken
    assert counting.calls == 1
    assert counting.answered() == {}
