"""Containers: `docker exec` over SSH against the sandbox's real dockerd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cargo_sandbox.lab import wait_for_front
from cargo_sandbox.paths import state_folder
from cargo_sandbox.topology import site
from tests.waiting import until

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
    vantage = Vantage(Place.CONTAINER if container else Place.CARGO_HOST, host.name, container)
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
    sandbox.on("cargo", "docker", "exec", "-d", "tengine", "sleep", "15.5")
    until(lambda: running(sandbox, "15.5"), 10, told=lambda: "the check itself would not see one that goes on")
    # The way there is open by then: what is late is the process.
    _, seen = ask(sandbox, ("tengine", 30, "true"), ("tengine", 1.5, "sleep", "62.5"))
    assert (seen["status"], seen["data"]["reason"]) == ("timeout", "timeout")
    assert seen["data"]["remote_process_ended"] is True
    assert not running(sandbox, "62.5")


@pytest.mark.parametrize(
    "argv",
    [
        (
            "inspect",
            "--format",
            "{{.Name}} {{.State.StartedAt}} {{json .HostConfig.ExtraHosts}}",
            "tengine",
            "harbor-ui",
        ),
        ("inspect", "--format", "{{json .Config.Labels}}", "tengine"),
        ("inspect", "--format", "{{json .HostConfig.Binds}}", "harbor-registry"),
        ("info", "--format", '{"name":{{json .Name}},"https":{{json .HTTPSProxy}},"no":{{json .NoProxy}}}'),
    ],
)
def test_dockerd_itself_says_what_its_client_prints(sandbox: Any, argv: tuple[str, ...]) -> None:
    (seen,) = ask(sandbox, ("", 10, "docker", *argv))
    assert seen["data"]["docker_api"]
    assert seen["output"] == sandbox.on("cargo", "docker", *argv).stdout


def test_the_containers_that_dockerd_tells_are_those_of_its_client(sandbox: Any) -> None:
    argv = ("docker", "ps", "-a", "--no-trunc", "--format", "{{json .}}")
    (seen,) = ask(sandbox, ("", 10, *argv))
    assert seen["data"]["docker_api"]
    told = [json.loads(line) for line in seen["output"].splitlines()]
    printed = [json.loads(line) for line in sandbox.on("cargo", *argv).stdout.splitlines()]
    kept = ("ID", "Image", "Names", "State")
    assert told
    assert [[row[key] for key in kept] for row in told] == [[row[key] for key in kept] for row in printed]
    assert all(row["Status"].startswith("Up ") for row in told)


def test_a_command_in_a_container_says_the_same_by_dockerd_and_by_its_client(sandbox: Any) -> None:
    sandbox.on("cargo", "docker", "stop", "-t", "0", "harbor-jobservice")
    try:
        asked = [
            ("tengine", 10, "getent", "hosts", "cargo-admin", "nobody.example"),
            ("tengine", 10, "cat", "/etc/hosts", "/etc/nope"),
            ("tengine", 10, "readlink", "/etc/hosts"),
            ("nope", 10, "cat", "/etc/hosts"),
            ("harbor-jobservice", 10, "cat", "/etc/hosts"),
        ]
        for question, seen in zip(asked, ask(sandbox, *asked), strict=True):
            container, _, *argv = question
            printed = sandbox.on("cargo", "docker", "exec", container, *argv)
            assert (seen["exit_code"], seen["output"], seen["error"]) == (
                printed.returncode,
                printed.stdout,
                printed.stderr,
            )
            assert ("docker_api" in seen["data"]) is (container == "tengine")
    finally:
        sandbox.on("cargo", "docker", "start", "harbor-jobservice")


def test_the_hosts_file_of_a_container_is_read_on_its_host_while_it_is_the_one_that_the_container_sees(
    sandbox: Any,
) -> None:
    def told() -> tuple[bool, str]:
        (seen,) = ask(sandbox, ("tengine", 10, "cat", "/etc/hosts"))
        inside = sandbox.on("cargo", "docker", "exec", "tengine", "cat", "/etc/hosts").stdout
        assert seen["output"] == inside
        return "read_by" in seen["data"], inside

    read, before = told()
    assert read
    assert "cargo-admin" in before
    path = sandbox.on("cargo", "docker", "inspect", "--format", "{{.HostsPath}}", "tengine").stdout.strip()
    # As an editor does it: a new file in place of the old one, which the container goes on to see.
    sandbox.on("cargo", "sh", "-c", f"cp -p {path} {path}.new; echo 192.0.2.1 new >>{path}.new; mv {path}.new {path}")
    try:
        assert told() == (False, before)
    finally:
        sandbox.on("cargo", "docker", "restart", "-t", "0", "tengine")
        wait_for_front(state_folder(sandbox.name), site("cargo"))


def test_a_late_command_that_dockerd_was_asked_for_is_ended_in_its_container(sandbox: Any) -> None:
    sandbox.on("cargo", "docker", "exec", "tengine", "busybox", "mkfifo", "/tmp/late")
    try:
        _, seen = ask(sandbox, ("tengine", 30, "true"), ("tengine", 1.5, "cat", "/tmp/late"))
        assert (seen["status"], seen["data"]["reason"]) == ("timeout", "timeout")
        assert seen["data"]["remote_process_ended"] is True
        assert "cat /tmp/late" not in sandbox.on("cargo", "docker", "top", "tengine", "-o", "pid,args").stdout
    finally:
        sandbox.on("cargo", "docker", "exec", "tengine", "rm", "/tmp/late")
