"""What runs on another machine ends there: when it is late, and when nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest

from cargo_runbook.connections import LiveConnections
from cargo_runbook.connections.base import Deadline
from cargo_runbook.connections.ssh.command import RemoteRun
from cargo_runbook.observations import Command, Observation, Place, Status, Vantage
from tests.connections.asking import StartSshd, alive, ask
from tests.connections.conftest import Operator
from tests.waiting import until

pytestmark = pytest.mark.services("sshd")


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds that the end of a late command is waited for, on a machine where all tests run at once."""
    seconds = 10.0
    monkeypatch.setattr("cargo_runbook.connections.ssh.command._GRACE", seconds)
    return seconds


def test_a_late_command_ends_on_the_other_machine_too(
    operator: Operator, start_sshd: StartSshd, patience: float
) -> None:
    operator.knows(start_sshd(), "cargo1")
    live = operator.connections()
    # The way there is open by then: what is late is the command.
    ask(live, "true")
    seen = ask(live, "sh", "-c", "trap '' TERM; sleep 60 & echo $! $$; echo said >&2; wait; sleep 60", deadline=3.0)
    assert seen.status is Status.TIMEOUT
    assert seen.data["reason"] == "timeout"
    pids = [int(word) for word in seen.output.split()]
    assert len(pids) == 2
    assert [alive(pid) for pid in pids] == [False, False]
    assert seen.error == "said\nthe command was not done in time"
    assert seen.data["remote_process_ended"] is True
    assert 3.0 <= seen.duration < 3.5 + patience
    assert ask(live, "echo", "again").output == "again\n"


def test_a_deadline_that_is_over_at_once_leaves_the_connection_to_the_others(
    operator: Operator, start_sshd: StartSshd
) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    ask(live, "true")
    with ThreadPoolExecutor(2) as pool:
        steady = pool.submit(ask, live, "sh", "-c", "sleep 1; echo steady")
        late = pool.submit(ask, live, "sleep", "60", deadline=0.05)
    assert late.result().status is Status.TIMEOUT
    assert steady.result().output == "steady\n"
    assert sshd.logins() == 1


def cut_while_running(live: LiveConnections, script: str, started: Path, times: int) -> Observation:
    """Runs `script`, and kills the server's end of the connection as often as the script makes `started`."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, live, "sh", "-c", script)
        for _ in range(times):
            until(started.exists)
            session = int(started.read_text())
            started.unlink()
            os.kill(session, 9)
        return asked.result(timeout=9)


def test_a_connection_that_breaks_is_opened_again_and_the_question_asked_once_more(
    operator: Operator, start_sshd: StartSshd, tmp_path: Path
) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    ran, started = tmp_path / "ran", tmp_path / "started"
    once = (
        f"[ -e {ran} ] && exec echo again; touch {ran}; echo $PPID >{tmp_path}/p; mv {tmp_path}/p {started}; sleep 30"
    )
    seen = cut_while_running(live, once, started, 1)
    assert (seen.status, seen.exit_code, seen.output) == (Status.ANSWERED, 0, "again\n")
    assert sshd.logins() == 2


def test_a_connection_that_breaks_twice_is_no_answer_and_keeps_what_came(
    operator: Operator, start_sshd: StartSshd, tmp_path: Path
) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    started = tmp_path / "started"
    script = f"echo part; sleep 0.5; echo $PPID >{tmp_path}/p; mv {tmp_path}/p {started}; sleep 30"
    seen = cut_while_running(live, script, started, 2)
    assert (seen.status, seen.data["reason"], seen.output) == (Status.UNREACHABLE, "connection_lost", "part\n")
    assert ask(live, "echo", "back").output == "back\n"
    assert sshd.logins() == 3


@pytest.fixture
def docker_alone(tmp_path: Path) -> Path:
    """A folder with a `docker` whose exec starts, as with dockerd, what is no child of its and does not see it go."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(
        '#!/bin/sh\n[ "$1 $2" = "exec -e" ] || exit 64\nmark=$3; container=$4; shift 4\n'
        '[ "$container" = tengine ] || exit 65\nenv "$mark" setsid "$@" &\nwait\n'
    )
    docker.chmod(0o755)
    return docker.parent


def test_a_command_in_a_container_is_ended_with_its_client(
    operator: Operator, start_sshd: StartSshd, docker_alone: Path, patience: float
) -> None:
    operator.knows(start_sshd(options=(f"SetEnv PATH={docker_alone}:/usr/bin:/bin",)), "cargo1")
    vantage = Vantage(Place.CONTAINER, "cargo1", "tengine")
    live = operator.connections()
    ask(live, "true")
    seen = live.ask(Command(vantage=vantage, argv=("sh", "-c", "echo $$; exec sleep 60"), deadline=3.0))
    assert seen.status is Status.TIMEOUT
    assert not alive(int(seen.output))
    assert seen.data["remote_process_ended"] is True
    assert seen.data["argv"][:5] == ["docker", "exec", "-e", "CARGO_RUNBOOK_MARK=MARK", "tengine"]
    assert live.ask(Command(vantage=vantage, argv=("echo", "in"))).output == "in\n"


ASKING = """
import sys
from pathlib import Path
from cargo_runbook.connections import LiveConnections
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.observations import Command, Place, Vantage
from cargo_runbook.secret import Redactor
environment = Environment(name="test", domain="cargo.test", hosts=(Host(name="cargo1", ssh="cargo1", address="127.0.0.1"),))
live = LiveConnections(environment, None, Redactor(), ssh_config=Path(sys.argv[1]))
place = Vantage(Place.CONTAINER, "cargo1", sys.argv[2]) if sys.argv[2] else Vantage(Place.CARGO_HOST, "cargo1")
live.ask(Command(vantage=place, argv=("sh", "-c", sys.argv[3]), deadline=600.0))
"""


@pytest.mark.parametrize("container", ["", "tengine"])
def test_what_a_killed_kernel_was_reading_ends_on_the_other_machine(
    operator: Operator, start_sshd: StartSshd, tmp_path: Path, docker_alone: Path, container: str
) -> None:
    operator.knows(start_sshd(options=(f"SetEnv PATH={docker_alone}:/usr/bin:/bin",)), "cargo1")
    pids = tmp_path / "pids"
    reading = f"trap '' TERM HUP; sleep 600 & echo $! $$ >{pids}.new; mv {pids}.new {pids}; wait; sleep 600"
    argv = [sys.executable, "-c", ASKING, str(operator.config), container, reading]
    kernel = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        until(pids.exists)
        started = [int(word) for word in pids.read_text().split()]
        assert all(alive(pid) for pid in started)
    finally:
        kernel.kill()
        kernel.wait()
    until(lambda: not any(alive(pid) for pid in started))


def test_a_reader_whose_operator_went_without_a_word_ends_by_its_time(tmp_path: Path) -> None:
    # As a machine that lost its power: the other side never hears of it. Needs a /bin/sh that knows `read -t`.
    run = RemoteRun(("sleep", "600"), tied=True)
    script, *words = run._script(Deadline(-5.0), in_container=False)
    bash = subprocess.Popen(
        ["bash", "-c", script, *words, "sleep", "600"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert bash.wait(20) == -signal.SIGKILL
    finally:
        bash.kill()
        bash.communicate()


def test_what_a_command_leaves_running_in_peace_is_not_held_against_it(
    operator: Operator, start_sshd: StartSshd
) -> None:
    operator.knows(start_sshd(), "cargo1")
    live = operator.connections()
    seen = [ask(live, "sh", "-c", "cat; wait; ls /proc/$$/fd; echo $$") for _ in range(3)]
    # Its input is empty, it has no child that it did not start, and nothing of the channel's but the two outputs.
    assert [(o.exit_code, o.output.split()[:-1], o.error) for o in seen] == [(0, ["0", "1", "2"], "")] * 3
    groups = {o.output.split()[-1] for o in seen}
    until(lambda: not groups & set(groups_of_processes()))


def groups_of_processes() -> Iterator[str]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield stat.read_text().rpartition(") ")[2].split()[2]


@pytest.mark.parametrize("broken", ["close", "recv"])
def test_a_connection_that_breaks_at_any_moment_is_an_observation_and_no_exception(
    operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    # paramiko raises EOFError from whatever it happens to send on a connection that has just broken.
    def breaks(*_: object) -> None:
        raise EOFError

    operator.knows(start_sshd("cargo1"), "cargo1")
    live = operator.connections()
    assert ask(live, "echo", "before").output == "before\n"
    monkeypatch.setattr(paramiko.Channel, broken, breaks)
    seen = ask(live, "echo", "x", deadline=5.0)
    expected = {"close": (Status.ANSWERED, None), "recv": (Status.UNREACHABLE, "connection_lost")}
    assert (seen.status, seen.data.get("reason")) == expected[broken]
