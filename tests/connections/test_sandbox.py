"""Containers: `docker exec` over SSH against the sandbox's real dockerd."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

# Runs on operator. Prints one JSON observation a line.
SCRIPT = """
import json, sys
from functools import partial
from cargo_runbook.connections import LiveConnections
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.loader import find_inventory, load_environment
from cargo_runbook.observations import Command, Place, Vantage, observation_to_json
from cargo_runbook.secret import Redactor
environment = load_environment("cargo", find_inventory())
live = LiveConnections(environment, partial(login_of, environment), Redactor())
host = environment.hosts[0]
for container, seconds, *argv in json.loads(sys.argv[1]):
    vantage = Vantage(Place.CONTAINER, host.name, container)
    seen = live.ask(Command(vantage=vantage, argv=tuple(argv), deadline=seconds))
    print(json.dumps(observation_to_json(seen)))
live.close()
"""


def ask(sandbox: Any, *questions: tuple[Any, ...]) -> list[dict[str, Any]]:
    done = sandbox.run("python", "-c", SCRIPT, json.dumps(questions))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def running(sandbox: Any, seconds: str) -> bool:
    """Whether `sleep SECONDS` runs on the cargo machine, containers included."""
    script = f"for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null | grep -c '^sleep {seconds}'"
    return bool(int(sandbox.on("cargo", "sh", "-c", script).stdout))


def test_the_hosts_file_of_a_container_is_read(sandbox: Any) -> None:
    (seen,) = ask(sandbox, ("tengine", 10, "cat", "/etc/hosts"))
    assert (seen["status"], seen["exit_code"]) == ("answered", 0)
    assert "cargo-admin" in seen["output"]
    assert seen["sha256"]


def test_a_container_that_is_not_there_is_told_from_a_file_that_is_not(sandbox: Any) -> None:
    missing, file = ask(sandbox, ("nope", 10, "cat", "/etc/hosts"), ("tengine", 10, "cat", "/etc/nope"))
    assert (missing["exit_code"], missing["data"]["reason"]) == (1, "no_container")
    assert file["exit_code"] == 1
    assert "reason" not in file["data"]


def test_a_late_process_in_a_container_is_ended_there(sandbox: Any) -> None:
    sandbox.on("cargo", "sh", "-c", "docker exec -d tengine sleep 15.5; sleep 0.5")
    assert running(sandbox, "15.5"), "the check itself would see one that goes on"
    (seen,) = ask(sandbox, ("tengine", 1.5, "sleep", "62.5"))
    assert (seen["status"], seen["data"]["reason"]) == ("timeout", "timeout")
    assert seen["data"]["remote_process_ended"] is True
    assert not running(sandbox, "62.5")
