"""What tests wait for, and where their servers listen."""

from __future__ import annotations

import random

import pytest

from tests import waiting


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = iter([15_001, 15_001, 15_002])
    monkeypatch.setattr(waiting, "_given", set())
    monkeypatch.setattr(random, "randrange", lambda *_: next(ports))
    assert [waiting.free_port(), waiting.free_port()] == [15_001, 15_002]
