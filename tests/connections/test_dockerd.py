"""dockerd is asked itself where docker's client would print the same, and the client where it can't be."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cargo_runbook.connections.base import Capture, Deadline
from cargo_runbook.connections.docker.daemon import Daemon, Late, Unexpected, Wire
from cargo_runbook.connections.docker.here import ask_here
from cargo_runbook.connections.docker.hosts_file import hosts_file_of
from cargo_runbook.connections.docker.questions import api_question, filled
from cargo_runbook.connections.docker.room import room_of
from cargo_runbook.facts.containers import Container, read_containers
from cargo_runbook.observations import Command, Observation, Place, Status, Vantage
from tests.connections.asking import StartSshd, ask
from tests.connections.conftest import Operator
from tests.connections.dockerd import an_exec, dockerd, frame

PS = ("docker", "ps", "-a", "--no-trunc", "--format", "{{json .}}")
INSPECT = ("docker", "inspect", "--format", "{{.Name}} {{json .HostConfig.ExtraHosts}}", "one")
INFO = ("docker", "info", "--format", '{"name":{{json .Name}},"https":{{json .HTTPSProxy}}}')
ROWS = [{"Id": "abc", "Names": ["/one", "/two/link"], "Image": "i:1", "State": "running", "Status": "Up 2 hours"}]
MADE = {"Name": "/one", "HostConfig": {"ExtraHosts": ["a:1"]}}


@pytest.fixture
def place() -> Iterator[Path]:
    """For a socket, whose path must be short."""
    with TemporaryDirectory(prefix="dockerd-", dir="/tmp") as folder:
        yield Path(folder, "s")


def daemon(place: Path, seconds: float = 10.0) -> Daemon:
    def connect() -> Wire:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(place))
        return connection

    return Daemon(connect, Deadline(seconds))


def run(place: Path, seconds: float = 10.0) -> tuple[int, bytes, bytes]:
    output, error = Capture(), Capture()
    code = daemon(place, seconds).execute("one", ("cat", "/etc/hosts"), "MARK=1", output, error)
    return code, output.content(), error.content()


@pytest.mark.parametrize(
    "argv",
    [
        ("docker", "ps", "-a"),
        ("docker", "ps", "-a", "--no-trunc", "--format", "{{.Names}}"),
        ("docker", "inspect", "one"),
        ("docker", "inspect", "--format", "{{range .Mounts}}{{.Source}}{{end}}", "one"),
        ("docker", "inspect", "--format", "{{.Name}}", "--size", "one"),
        ("docker", "inspect", "--format", "{{.Name}}"),
        ("docker", "logs", "--tail", "20", "one"),
        ("docker", "stop", "one"),
        ("cat", "/etc/hosts"),
    ],
)
def test_what_is_printed_otherwise_is_left_to_the_client(argv: tuple[str, ...]) -> None:
    assert api_question(argv) is None


@pytest.mark.parametrize(
    ("form", "body", "printed"),
    [
        ("{{json .A}}", {"A": None}, "null"),
        ("{{json .A.B}} {{.C}}", {"A": {"B": {"k": ["<雪>"]}}, "C": "c d"}, '{"k":["<雪>"]} c d'),
        ("{{json .HTTPSProxy}}", {"HttpsProxy": "http://p:1"}, '"http://p:1"'),
    ],
)
def test_a_format_is_filled_as_the_client_fills_it(form: str, body: Any, printed: str) -> None:
    assert filled(form, body) == printed


@pytest.mark.parametrize(("form", "body"), [("{{.A}}", {}), ("{{.A}}", {"A": 1}), ("{{json .A.B}}", {"A": None})])
def test_a_format_that_asks_for_what_is_not_said_is_left_to_the_client(form: str, body: Any) -> None:
    with pytest.raises(Unexpected):
        filled(form, body)


def test_containers_are_told_with_what_the_client_says_of_them(place: Path) -> None:
    told = api_question(PS)
    assert told is not None
    with dockerd(place, {"GET /containers/json?all=1": (200, ROWS)}) as asked:
        printed = told(daemon(place))
    assert [request for request, _ in asked] == ["GET /containers/json?all=1"]
    assert json.loads(printed) == {
        **{key: ROWS[0][key] for key in ("Image", "State", "Status")},
        "ID": "abc",
        "Names": "one,two/link",
    }
    assert read_containers(printed) == (Container("one", "Up 2 hours"),)


def test_a_command_in_a_container_has_its_streams_and_its_exit_code(place: Path) -> None:
    stream = frame(1, b"a\n") + frame(2, b"said\n") + frame(1, b"x" * 100_000) + frame(1, b"")
    with dockerd(place, an_exec(stream, 3)) as asked:
        assert run(place) == (3, b"a\n" + b"x" * 100_000, b"said\n")
    assert asked == [
        (
            "POST /containers/one/exec",
            {"AttachStdout": True, "AttachStderr": True, "Cmd": ["cat", "/etc/hosts"], "Env": ["MARK=1"]},
        ),
        ("POST /exec/abc/start", {"Detach": False}),
        ("GET /exec/abc/json", None),
    ]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({}, id="no such container"),
        pytest.param(an_exec(frame(7, b"x")), id="no stream"),
        pytest.param(an_exec(b"\1"), id="no whole head"),
        pytest.param(an_exec(frame(1, b"whole")[:-1]), id="a stream that breaks off"),
        pytest.param(an_exec(b"", None), id="no exit code"),
        pytest.param(an_exec(b"", running=True), id="still running"),
        pytest.param({**an_exec(b""), "POST /containers/one/exec": (201, [])}, id="no id"),
        pytest.param({**an_exec(b""), "GET /exec/abc/json": (200, b"<html>")}, id="no JSON"),
        pytest.param({**an_exec(b""), "GET /exec/abc/json": (500, {"ExitCode": 0})}, id="an error"),
    ],
)
def test_whatever_else_dockerd_says_is_left_to_the_client(place: Path, answers: dict[str, tuple[int, Any]]) -> None:
    with dockerd(place, answers), pytest.raises(Unexpected):
        run(place)


@pytest.mark.parametrize(("silent", "started"), [("POST /containers/one/exec", False), ("POST /exec/abc/start", True)])
def test_a_daemon_that_says_nothing_is_late_and_it_is_known_whether_a_command_may_run(
    place: Path, silent: str, started: bool
) -> None:
    with dockerd(place, {**an_exec(b""), silent: (200, None)}), pytest.raises(Late) as late:
        run(place, seconds=0.1)
    assert late.value.started is started


def test_this_computers_daemon_is_asked_where_its_client_would_ask_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.docker.here.SOCKET", str(place))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    here = partial(ask_here, INFO, Deadline(10.0))
    assert here() is None, "nothing listens"
    with dockerd(place, {"GET /info": (200, {"Name": "n", "HttpsProxy": ""})}):
        assert here() == ('{"name":"n","https":""}\n', ["GET /info"])
        (tmp_path / "config.json").write_text('{"currentContext": "elsewhere"}')
        assert here() is None
        (tmp_path / "config.json").write_text('{"auths": {}}')
        assert here() is not None
        monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
        assert here() is None


@pytest.mark.services("sshd")
def test_a_hosts_daemon_is_asked_through_the_ssh_connection(
    place: Path, operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.ssh.unix.SOCKET", str(place))
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    inside = Command(vantage=Vantage(Place.CONTAINER, "cargo1", "one"), argv=("cat", "/etc/resolv.conf"))
    with dockerd(place, {**an_exec(frame(1, b"seen\n")), "GET /containers/one/json": (200, MADE)}) as asked:
        seen = ask(live, *INSPECT)
        within = live.ask(inside)
    assert (seen.status, seen.exit_code, seen.output) == (Status.ANSWERED, 0, '/one ["a:1"]\n')
    assert seen.data["docker_api"] == ["GET /containers/one/json"]
    assert seen.data["host_key"] == sshd.fingerprint()
    assert (within.status, within.exit_code, within.output) == (Status.ANSWERED, 0, "seen\n")
    assert within.data["argv"] == ["docker", "exec", "-e", "CARGO_RUNBOOK_MARK=MARK", "one", "cat", "/etc/resolv.conf"]
    assert within.data["docker_api"] == ["POST /containers/one/exec", "POST /exec/ID/start", "GET /exec/ID/json"]
    assert [request for request, _ in asked] == [
        "GET /containers/one/json",
        *("POST /containers/one/exec", "POST /exec/abc/start", "GET /exec/abc/json"),
    ]


def client(folder: Path) -> Path:
    """A program `docker` that says with what it was called."""
    folder.mkdir()
    program = folder / "docker"
    program.write_text('#!/bin/sh\necho "client: $*"\n')
    program.chmod(0o755)
    return folder


def asked_of_the_client(seen: Observation) -> bool:
    return seen.output.startswith("client: ") and "docker_api" not in seen.data


@pytest.mark.services("sshd")
def test_where_sshd_opens_no_way_to_the_socket_the_client_is_asked_and_the_way_tried_once(
    place: Path, operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.ssh.unix.SOCKET", str(place))
    path = f"SetEnv PATH={client(tmp_path / 'bin')}:/usr/bin:/bin"
    sshd = start_sshd(options=("AllowStreamLocalForwarding no", path))
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    with dockerd(place, {"GET /containers/one/json": (200, MADE)}) as asked:
        assert all(asked_of_the_client(ask(live, *INSPECT)) for _ in range(2))
    assert not asked
    assert sshd.log.read_text().count("streamlocal port forward") == 1


@pytest.mark.services("sshd")
def test_a_question_that_dockerd_answers_otherwise_is_asked_of_the_client_and_the_next_one_of_dockerd(
    place: Path, operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.ssh.unix.SOCKET", str(place))
    sshd = start_sshd(options=(f"SetEnv PATH={client(tmp_path / 'bin')}:/usr/bin:/bin",))
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    with dockerd(place, {"GET /containers/one/json": (200, MADE)}):
        assert asked_of_the_client(ask(live, *PS))
        assert ask(live, *INSPECT).output == '/one ["a:1"]\n'


ID = "a" * 64
PLACE = f"/var/lib/docker/containers/{ID}/hosts"
RUNS = {"State": {"Status": "running", "Pid": 7}, "HostsPath": PLACE}


@pytest.mark.parametrize(
    "inspected",
    [
        [],
        {},
        {**RUNS, "State": {"Status": "exited", "Pid": 0}},
        {**RUNS, "State": {"Status": "paused", "Pid": 7}},
        {**RUNS, "State": {"Status": "running", "Pid": 0}},
        {**RUNS, "State": {"Status": "running", "Pid": "7; id"}},
        {**RUNS, "HostsPath": ""},
        {**RUNS, "HostsPath": "/etc/shadow"},
        {**RUNS, "HostsPath": f"/x/../etc/containers/{ID}/hosts"},
        {**RUNS, "HostsPath": f"/x y/containers/{ID}/hosts"},
        {**RUNS, "HostsPath": f"{PLACE}/../../config.v2.json"},
    ],
)
def test_a_hosts_file_is_looked_for_at_dockers_own_place_and_of_a_container_that_runs(inspected: Any) -> None:
    assert hosts_file_of(RUNS) is not None
    assert hosts_file_of(inspected) is None


MOUNT = f"50 40 254:0 {PLACE} /etc/hosts rw - ext4 /dev/sda rw\n"
OTHERS = "40 30 0:41 / / rw - overlay overlay rw\n51 40 254:0 /x /etc/hostname rw - ext4 /dev/sda rw\n"


@pytest.mark.parametrize(
    ("mounts", "seen"),
    [
        (OTHERS + MOUNT, b"127.0.0.1 a\n"),
        (OTHERS + MOUNT.replace("/var/lib/docker/", "/"), b"127.0.0.1 a\n"),
        pytest.param(OTHERS, None, id="no mount"),
        pytest.param(MOUNT.replace("/hosts /etc", "/hosts//deleted /etc"), None, id="replaced on the host"),
        pytest.param(MOUNT + MOUNT.replace(PLACE, "/mine"), None, id="another one over it"),
        pytest.param(MOUNT + MOUNT.replace(PLACE, "/mine").replace("/etc/hosts", "/etc"), None, id="another /etc"),
        pytest.param(MOUNT.replace(ID, "b" * 64), None, id="another container's"),
    ],
)
def test_a_hosts_file_counts_only_where_the_container_sees_that_very_file(mounts: str, seen: bytes | None) -> None:
    place = hosts_file_of(RUNS)
    assert place is not None
    assert place.argv == ("head", "-c", "65536", "/proc/7/mountinfo", PLACE)
    printed = f"==> /proc/7/mountinfo <==\n{mounts}\n==> {PLACE} <==\n127.0.0.1 a\n".encode()
    assert place.content(printed) == seen
    assert place.content(printed.partition(b"\n==> ")[0]) is None
    assert place.content(printed + b"#" * 65536) is None


STAT = ("stat", "-f", "-c", "%S %b %f %a %c %d", "/storage")
STORES = {"State": {"Status": "running", "Pid": 7, "StartedAt": "now"}, "Mounts": [{"Destination": "/storage"}]}


@pytest.mark.parametrize(
    ("question", "inspected"),
    [
        pytest.param(STAT, {**STORES, "Mounts": [{"Destination": "/data"}]}, id="no mount"),
        pytest.param(STAT, {**STORES, "Mounts": None}, id="nothing said of mounts"),
        pytest.param(STAT, {**STORES, "State": {"Status": "exited", "Pid": 0}}, id="ended"),
        pytest.param(STAT, {**STORES, "State": {"Status": "paused", "Pid": 7}}, id="paused"),
        pytest.param(STAT, {**STORES, "State": {"Status": "running", "Pid": 1}}, id="the host itself"),
        pytest.param(STAT, [], id="nothing said"),
        pytest.param((*STAT[:3], "%n", "/storage"), STORES, id="a name"),
        pytest.param(
            (*STAT[:3], STAT[3], "/storage/v2"), {**STORES, "Mounts": [{"Destination": "/storage/v2"}]}, id="deeper"
        ),
        pytest.param((*STAT[:3], STAT[3], "/.."), {**STORES, "Mounts": [{"Destination": "/.."}]}, id="upwards"),
        pytest.param((*STAT, "/"), STORES, id="two folders"),
    ],
)
def test_room_is_asked_for_on_the_host_only_of_a_mount_at_the_root_of_a_container_that_runs(
    question: tuple[str, ...], inspected: Any
) -> None:
    place = room_of(STAT, STORES)
    assert place is not None
    assert place.argv == (*STAT[:4], "/proc/7/root/storage")
    assert room_of(question, inspected) is None


class _Twice(dict[str, tuple[int, Any]]):
    """Answers, of which that about a container is another one the second time."""

    def get(self, request: str, default: Any = None) -> Any:
        told = super().get(request, default)
        if request == "GET /containers/one/json":
            self[request] = (200, {**STORES, "State": {**STORES["State"], "StartedAt": "later"}})  # type: ignore[dict-item]
        return told


@pytest.mark.services("sshd")
def test_room_in_a_container_is_told_by_its_host_unless_it_was_started_anew_meanwhile(
    place: Path, operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.ssh.unix.SOCKET", str(place))
    operator.knows(start_sshd(), "cargo1")
    live = operator.connections()
    # This process plays the container's first one, and the folder for all files the mount.
    state = {"Status": "running", "Pid": os.getpid(), "StartedAt": "now"}
    inspected = {"State": state, "Mounts": [{"Destination": "/proc"}]}
    question = Command(vantage=Vantage(Place.CONTAINER, "cargo1", "one"), argv=(*STAT[:3], "%S %c", "/proc"))
    answers = {**an_exec(frame(1, b"seen\n")), "GET /containers/one/json": (200, inspected)}
    with dockerd(place, answers) as asked:
        seen = live.ask(question)
    room = os.statvfs("/proc")
    assert (seen.exit_code, seen.output) == (0, f"{room.f_frsize} {room.f_files}\n")
    assert seen.data["read_by"] == [*STAT[:3], "%S %c", f"/proc/{os.getpid()}/root/proc"]
    assert {request for request, _ in asked} == {"GET /containers/one/json"}
    place.unlink()
    with dockerd(place, _Twice(answers)):
        seen = live.ask(replace(question, attempt=1))
    assert (seen.exit_code, seen.output) == (0, "seen\n")
    assert "read_by" not in seen.data


@pytest.mark.services("sshd")
@pytest.mark.parametrize("argv", [("cat", "/etc/hosts"), STAT])
def test_who_may_not_look_on_the_host_asks_the_container_and_tries_it_once(
    argv: tuple[str, ...], place: Path, operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cargo_runbook.connections.ssh.unix.SOCKET", str(place))
    operator.knows(start_sshd(), "cargo1")
    live = operator.connections()
    inspected = {**STORES, "HostsPath": f"/nowhere/containers/{ID}/hosts"}
    inspected["State"] = {"Status": "running", "Pid": 2**22 + 1, "StartedAt": "now"}
    with dockerd(place, {**an_exec(frame(1, b"seen\n")), "GET /containers/one/json": (200, inspected)}) as asked:
        for attempt in range(2):
            vantage = Vantage(Place.CONTAINER, "cargo1", "one")
            seen = live.ask(Command(vantage=vantage, argv=argv, attempt=attempt))
            assert (seen.exit_code, seen.output) == (0, "seen\n")
            assert "read_by" not in seen.data
    assert [request for request, _ in asked].count("GET /containers/one/json") == 1
