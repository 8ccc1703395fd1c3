"""Is this computer able? Each thing that is lacking is named, with what to type."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.cli import main
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.observations import Observation, Question, Status
from cargo_runbook.recordings import load_recording
from cargo_runbook.texts import Text
from cargo_runbook.workstation import machine
from cargo_runbook.workstation.check import Check, State, worst
from cargo_runbook.workstation.environment import look_at_environment
from cargo_runbook.workstation.tools import look_at_docker, look_at_known_hosts, look_at_kubectl, look_at_ssh, until

EXAMPLE = """\
domain: cargo.example.com
hosts: [{name: cargo-1, address: 192.0.2.14}]
"""
CLUSTER = EXAMPLE + "kubernetes: {context: prod}\n"


def inventory(folder: Path, text: str = EXAMPLE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "prod-1.yaml").write_text(text)
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def told(check: Check) -> tuple[str, str, str]:
    return check.state, check.seen.en, check.do.en if check.do else ""


def test_no_agent_and_no_key_says_how_to_get_one(programs: Path) -> None:
    state, seen, do = told(look_at_ssh())
    assert (state, seen) == ("lacks", "no agent runs, and there is no key file in ~/.ssh")
    assert do == 'ssh-keygen -t ed25519 && eval "$(ssh-agent)" && ssh-add'


def test_an_agent_without_keys_is_enough_where_there_is_a_key_file(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    program(programs, "ssh-add", "echo 'The agent has no identities.'; exit 1")
    assert told(look_at_ssh())[0] == "lacks"
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").touch()
    assert told(look_at_ssh())[:2] == ("ok", f"the agent holds no key; key files: {tmp_path}/.ssh/id_ed25519")
    program(programs, "ssh-add", "echo '256 SHA256:x me (ED25519)'")
    assert told(look_at_ssh())[:2] == ("ok", "the agent holds 1 key(s)")


def test_known_hosts_that_is_not_there_is_a_note_and_not_a_fault(tmp_path: Path) -> None:
    assert look_at_known_hosts(tmp_path).state is State.NOTE
    (tmp_path / "known_hosts").write_text("# mine\n\nhost ssh-ed25519 AAAA\n")
    assert told(look_at_known_hosts(tmp_path))[:2] == ("ok", f"1 lines in {tmp_path}/known_hosts")


def test_kubectl_is_needed_only_where_an_environment_names_a_cluster(programs: Path, tmp_path: Path) -> None:
    plain = load_environment("prod-1", inventory(tmp_path / "plain"))
    cluster = load_environment("prod-1", inventory(tmp_path / "cluster", CLUSTER))
    assert look_at_kubectl([plain]).state is State.NOTE
    assert look_at_kubectl([cluster]).state is State.LACKS
    version = '{"clientVersion": {"gitVersion": "v1.30.1"}}'
    program(programs, "kubectl", f"case $1 in version) echo '{version}';; *) echo staging;; esac")
    assert look_at_kubectl([plain]).state is State.OK
    state, seen, do = told(look_at_kubectl([cluster]))
    assert (state, seen) == ("lacks", "v1.30.1; no context prod (there are: staging)")
    assert "KUBECONFIG" in do


def test_dockers_daemon_that_does_not_answer_and_one_that_refuses_are_told_apart(programs: Path) -> None:
    assert told(look_at_docker([]))[1] == "not installed"
    program(programs, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert "systemctl start docker" in told(look_at_docker([]))[2]
    program(programs, "docker", "echo 'permission denied while trying to connect to the Docker daemon' >&2; exit 1")
    assert "usermod -aG docker" in told(look_at_docker([]))[2]
    program(programs, "docker", "echo 20.10 24.0")
    assert told(look_at_docker([])) == ("ok", "client 20.10, daemon 24.0", "")


def test_what_is_installed_in_a_version_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.look_at_python().state is State.OK
    wanted = ["typer>=999", "no-such-thing>=1", "rich", "keyring>=25; extra == 'keyring'"]
    monkeypatch.setattr(machine, "requires", lambda _: wanted)
    state, seen, do = told(machine.look_at_python())
    assert state == "lacks"
    assert "no-such-thing -" in seen
    assert ">=999" in seen
    assert "keyring" not in seen
    assert "-m pip install --upgrade cargo-runbook" in do


def test_a_place_for_records_that_can_not_be_written_is_found_before_the_first_record(tmp_path: Path) -> None:
    assert machine.look_at_archive(tmp_path / "new" / "reports").state is State.OK
    assert not (tmp_path / "new").exists()
    state, seen, do = told(machine.look_at_archive(Path("/proc/reports")))
    assert (state, seen.startswith("can't be written: /proc: ")) == ("lacks", True)
    assert "--reports DIR" in do


@pytest.mark.parametrize(("days", "state"), [(-1, State.LACKS), (3, State.NOTE), (200, State.OK)])
def test_what_ends_soon_is_said_before_it_ends(days: int, state: State) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert until(now + timedelta(days=days), now)[0] is state


def answering(**by_kind: Any) -> Any:
    def ask(question: Question) -> Observation:
        fields = {"status": Status.ANSWERED, "exit_code": 0, "output": "20.10", **by_kind.get(question.kind, {})}
        return Observation(question=question, started=datetime.now(UTC), duration=0.0, **fields)

    return ask


UNREACHABLE = {"status": Status.UNREACHABLE, "exit_code": None, "output": ""}


@pytest.mark.parametrize(
    ("answer", "state", "seen", "do"),
    [
        ({}, State.OK, "docker 20.10 there", ""),
        (
            {**UNREACHABLE, "data": {"reason": "host_key_unknown", "fingerprint": "SHA256:abc"}},
            State.LACKS,
            "SHA256:abc",
            "compare that fingerprint with its console, then: ssh 192.0.2.14",
        ),
        ({**UNREACHABLE, "data": {"reason": "host_key_changed"}}, State.LACKS, "not the known one", "find out why"),
        ({**UNREACHABLE, "data": {"reason": "authentication"}}, State.LACKS, "refuses the login", "ssh-copy-id"),
        ({**UNREACHABLE, "data": {"reason": "no_route"}, "error": "no route"}, State.UNKNOWN, "no route", "ssh 192"),
        ({"exit_code": 1, "output": "", "error": "permission denied"}, State.LACKS, "may not use docker", "usermod"),
    ],
)
def test_each_way_in_which_a_host_refuses_has_its_next_step(
    tmp_path: Path, answer: dict[str, Any], state: State, seen: str, do: str
) -> None:
    environment = load_environment("prod-1", inventory(tmp_path / "inventory"))
    ask = answering(command=answer, tls={"data": {"trusted": True, "not_after": "2099-01-01T00:00:00Z"}})
    host = next(check for check in look_at_environment(environment, ask) if check.name == "ssh cargo-1")
    assert (host.state, host.environment) == (state, "prod-1")
    assert seen in host.seen.en
    assert do in (host.do.en if host.do else "")


def test_the_registrys_certificate_and_the_cluster_are_looked_at(tmp_path: Path) -> None:
    environment = load_environment("prod-1", inventory(tmp_path / "inventory", CLUSTER))
    ask = answering(tls={"data": {"trusted": False, "problem": "unknown_ca"}}, kubectl={"exit_code": 1, "output": "no"})
    by_name = {check.name: check for check in look_at_environment(environment, ask)}
    assert told(by_name["certificate"]) == (
        "lacks",
        "is not trusted here: unknown_ca",
        "name its CA in the inventory (ca:)",
    )
    assert told(by_name["cluster prod"])[:2] == ("lacks", "pods of default may not be looked at")


def test_a_password_that_is_nowhere_is_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    text = EXAMPLE + "accounts: [{username: jane, password: 'env:NO_SUCH_PASSWORD'}]\n"
    environment = load_environment("prod-1", inventory(tmp_path / "inventory", text))
    checks = look_at_environment(environment, answering(tls={"data": {"trusted": True}}))
    state, seen, do = told(next(check for check in checks if check.name == "passwords"))
    assert (state, seen) == ("lacks", "password of jane: the variable NO_SUCH_PASSWORD is not set")
    assert do == "Set it: read -rs NO_SUCH_PASSWORD && export NO_SUCH_PASSWORD"


def test_the_ca_of_a_recording_is_read_for_its_end() -> None:
    folder = load_recording("healthy").folder
    checks = look_at_environment(load_environment("cargo", folder), answering(tls={"data": {"trusted": True}}))
    ca = next(check for check in checks if check.name == "ca")
    assert str(folder / "ca.crt") in ca.seen.en
    assert "20" in ca.seen.en


def test_lacking_comes_before_could_not_tell_and_a_note_does_no_harm() -> None:
    def checks(*states: State) -> list[Check]:
        return [Check("x", state, Text("x", "x")) for state in states]

    assert worst(checks(State.OK, State.NOTE)) is State.OK
    assert worst(checks(State.UNKNOWN, State.NOTE)) is State.UNKNOWN
    assert worst(checks(State.UNKNOWN, State.LACKS)) is State.LACKS


def test_the_command_tells_all_in_both_languages_and_as_data(
    programs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shutil.which("kubectl") is None
    assert main.run(["doctor", "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    by_name = {check["check"]: check for check in body["checks"]}
    assert body["status"] == "lacks"
    assert by_name["inventory"]["do"] == "cargo-runbook env init NAME"
    assert by_name["ssh"]["seen_zh"].startswith("没有运行 agent")
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "zh")
    assert main.run(["doctor"]) == 1
    assert "环境清单" in capsys.readouterr().out


def test_an_unknown_environment_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["doctor", "--env", "prod-9", "--inventory", str(inventory(tmp_path / "inventory"))]) == 2
    assert "prod-9" in capsys.readouterr().err


def test_no_other_machine_is_asked_without_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a host was asked")

    monkeypatch.setattr("cargo_runbook.workstation.environment.open_connections", forbidden)
    assert main.run(["doctor", "--inventory", str(inventory(tmp_path / "inventory"))]) in (0, 1)
    assert "prod-1" not in capsys.readouterr().out
