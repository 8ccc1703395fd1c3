"""The operator's own programs, asked what a client would be told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cargo_runbook.connections import client
from cargo_runbook.connections.client import look_up_in_pod


@pytest.mark.parametrize(
    ("hosts", "ahosts", "exit_code", "output"),
    [
        ("echo 192.0.2.7 x.example", "exit 9", 0, "192.0.2.7 x.example"),
        ("exit 2", "exit 9", 2, ""),
        # A silent name server and a line in the pod's hosts file: clients get it.
        ("sleep 30", "echo 192.0.2.7 STREAM x.example", 0, "192.0.2.7 STREAM x.example"),
        # musl's getent has no such database; the look-up did hang.
        ("sleep 30", "echo Unknown database >&2; exit 1", None, ""),
    ],
)
def test_a_look_up_in_a_pod_ends_as_it_does_for_clients_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: str, ahosts: str, exit_code: int | None, output: str
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\ncase "$*" in *"getent hosts"*) {hosts};; *"getent ahostsv4"*) {ahosts};; esac\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(client, "LOOK_UP", 0.3)
    call = look_up_in_pod("ctx", "ns", "pod", "x.example")
    assert (call.exit_code, call.output) == (exit_code, output)
