"""SSH against real sshd processes on loopback."""

from __future__ import annotations

import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from cargo_runbook.connections.ssh import accept_host_key, fetch_host_key, quote
from cargo_runbook.errors import ConnectionFailed, HostKeyError
from cargo_runbook.observations import Status
from tests.connections.asking import StartSshd, ask, ssh_threads
from tests.connections.conftest import Operator
from tests.connections.servers import NO_SUCH_NAME, make_key
from tests.waiting import free_port, until

pytestmark = pytest.mark.services("sshd")


def test_a_command_comes_back_with_output_error_and_exit_code(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd(), "cargo1")
    seen = ask(operator.connections(), "sh", "-c", "echo seen; echo said >&2; exit 3")
    assert (seen.status, seen.exit_code, seen.output, seen.error) == (Status.ANSWERED, 3, "seen\n", "said\n")
    assert seen.data["argv"] == ["sh", "-c", "echo seen; echo said >&2; exit 3"]
    assert not seen.truncated


def test_hostile_arguments_arrive_unchanged(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd(), "cargo1")
    hostile = ("a  b", "$(id)", "`id`", "'; echo x; '", '"', "-n", "*", "\\n", "line\nbreak", "", "~", "!x", "雪")
    seen = ask(operator.connections(), "printf", "%s\\0", *hostile)
    assert seen.output.split("\0")[:-1] == list(hostile)
    assert quote(("echo", "a'b")) == """echo 'a'"'"'b'"""


def test_a_program_that_is_not_there_is_an_answer_with_exit_code_127(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd(), "cargo1")
    seen = ask(operator.connections(), "no-such-program")
    assert (seen.status, seen.exit_code) == (Status.ANSWERED, 127)
    assert "no-such-program" in seen.error


def test_twelve_commands_at_once_share_one_connection(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    with ThreadPoolExecutor(12) as pool:
        seen = list(pool.map(lambda n: ask(live, "sh", "-c", f"sleep 0.2; echo {n}"), range(12)))
    assert [o.output for o in seen] == [f"{n}\n" for n in range(12)]
    assert sshd.logins() == 1


def test_output_beyond_the_cap_is_cut_and_hashed_as_a_whole(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd(), "cargo1")
    live = operator.connections()
    seen = ask(live, "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x")
    other = ask(live, "sh", "-c", "head -c 299999 /dev/zero | tr '\\0' x")
    assert seen.truncated
    assert len(seen.output) == 256 * 1024
    assert seen.output == other.output
    assert seen.sha256 != other.sha256
    assert seen.exit_code == 0


def test_an_answer_names_the_key_of_the_host_that_gave_it(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    assert ask(operator.connections(), "true").data["host_key"] == sshd.fingerprint()


def test_an_unknown_host_key_is_shown_and_refused(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1", known="")
    seen = ask(operator.connections(), "true")
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "host_key_unknown")
    assert seen.data["fingerprint"] == sshd.fingerprint()
    assert sshd.fingerprint() in seen.error
    assert "is not in known_hosts" in seen.error
    assert sshd.logins() == 0


def test_a_changed_host_key_stops_the_run(operator: Operator, start_sshd: StartSshd) -> None:
    sshd, other = start_sshd("sshd"), start_sshd("other")
    operator.knows(sshd, "cargo1", known=other.known_line(name=f"[127.0.0.1]:{sshd.port}"))
    seen = ask(operator.connections(), "true")
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "host_key_changed")
    assert (seen.data["fingerprint"], seen.data["known_fingerprint"]) == (sshd.fingerprint(), other.fingerprint())
    assert sshd.logins() == 0


def test_the_key_type_that_is_known_is_the_one_that_is_asked_for(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd(key_kinds=("ed25519", "ecdsa", "rsa"))
    operator.knows(sshd, "by-ecdsa", known=sshd.known_line(1))
    seen = ask(operator.connections(), "echo", "in", host="by-ecdsa")
    assert seen.output == "in\n", seen.error
    operator.known_hosts.write_text(sshd.known_line(2))
    assert ask(operator.connections(), "echo", "in", host="by-ecdsa").output == "in\n"


def test_a_hashed_known_hosts_is_understood(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd(), "cargo1")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", operator.known_hosts], check=True, capture_output=True)
    assert operator.known_hosts.read_text().startswith("|1|")
    assert ask(operator.connections(), "echo", "in").output == "in\n"


def test_a_revoked_key_is_refused_though_it_is_known(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1", known=sshd.known_line() + "@revoked " + sshd.known_line(name="*"))
    assert ask(operator.connections(), "true").data["reason"] == "host_key_changed"


def test_a_key_that_the_server_does_not_take_is_an_authentication_failure(
    operator: Operator, start_sshd: StartSshd
) -> None:
    operator.knows(start_sshd(trusting=False), "cargo1")
    seen = ask(operator.connections(), "true")
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "authentication")
    assert "refused the login of" in seen.error


def test_a_refusal_is_one_attempt_however_many_ask(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd(trusting=False)
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda n: ask(live, "echo", str(n)), range(8)))
    assert {o.data["reason"] for o in seen} == {"authentication"}
    assert sshd.log.read_text().count("Failed publickey") == 1


def test_a_key_with_a_passphrase_is_named(operator: Operator, start_sshd: StartSshd) -> None:
    locked = make_key(operator.folder / "locked", passphrase="correct horse")
    operator.knows(start_sshd(), "cargo1", lines=(f"IdentityFile {locked}",))
    seen = ask(operator.connections(), "true")
    assert seen.data["reason"] == "authentication"
    assert f"the key {locked} has a passphrase: add it to the agent with ssh-add" in seen.error


def test_a_key_in_the_agent_is_used(
    operator: Operator, start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sshd = start_sshd(trusting=False)
    agent_key = make_key(tmp_path / "agent_key")
    sshd.trusts(agent_key)
    operator.knows(sshd, "cargo1", lines=("IdentitiesOnly no", f"IdentityFile {operator.key}"))
    path = tmp_path / "agent.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        until(path.exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        subprocess.run(["ssh-add", "-q", str(agent_key)], check=True)
        assert ask(operator.connections(), "echo", "in").output == "in\n"
    finally:
        agent.terminate()
        agent.wait()


@pytest.mark.parametrize("hops", [1, 2])
def test_a_host_behind_jump_hosts_is_reached(operator: Operator, start_sshd: StartSshd, hops: int) -> None:
    servers = [start_sshd(f"jump{n}") for n in range(hops)]
    target = start_sshd("target")
    for number, server in enumerate(servers):
        operator.knows(server, f"jump{number}")
    operator.knows(target, "cargo1", lines=("ProxyJump " + ",".join(f"jump{n}" for n in range(hops)),))
    live = operator.connections()
    assert ask(live, "echo", "far").output == "far\n"
    assert ask(live, "echo", "near", host="jump0").output == "near\n"
    assert [server.logins() for server in (*servers, target)] == [1] * (hops + 1)


def test_a_jump_host_whose_key_is_unknown_stops_the_way(operator: Operator, start_sshd: StartSshd) -> None:
    jump, target = start_sshd("jump"), start_sshd("target")
    operator.knows(jump, "jump", known="")
    operator.knows(target, "cargo1", lines=("ProxyJump jump",))
    seen = ask(operator.connections(), "true")
    assert seen.data["reason"] == "host_key_unknown"
    assert seen.data["fingerprint"] == jump.fingerprint()
    assert target.logins() == 0


def test_a_target_that_the_jump_host_can_not_reach_is_refused(operator: Operator, start_sshd: StartSshd) -> None:
    operator.knows(start_sshd("jump"), "jump")
    down = start_sshd("down")
    operator.knows(down, "cargo1", lines=("ProxyJump jump", f"Port {free_port()}"))
    assert ask(operator.connections(), "true").data["reason"] == "refused"


def waiting_at(server: socket.socket) -> int:
    """How many connections came since it was asked last."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_host_that_takes_the_connection_and_says_nothing_costs_its_deadline(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        operator.config.write_text(f"Host cargo1\n HostName 127.0.0.1\n Port {silent.getsockname()[1]}\n")
        live = operator.connections()
        live._hosts["cargo1"] = live._hosts["nowhere"].model_copy(update={"ssh": "cargo1"})
        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(lambda n: ask(live, "echo", str(n), deadline=1.0), range(4)))
        again = [ask(live, "echo", "later", str(n), deadline=1.0) for n in range(3)]
        assert waiting_at(silent) == 1, "silence costs one deadline, not one a question"
        assert max(each.duration for each in seen) < 2.0
        assert sum(each.duration for each in again) < 1.5
        patient = ask(live, "echo", "patient", deadline=2.5)
        assert waiting_at(silent) == 1
    assert {(o.status, o.data["reason"]) for o in [*seen, *again, patient]} == {(Status.TIMEOUT, "timeout")}
    assert all(0.9 <= o.duration < 1.7 for o in seen)
    assert patient.duration > 2


def test_a_server_that_speaks_something_else_is_told(operator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)

        threading.Thread(target=answer, daemon=True).start()
        operator.config.write_text(f"Host cargo1\n HostName 127.0.0.1\n Port {server.getsockname()[1]}\n")
        live = operator.connections()
        live._hosts["cargo1"] = live._hosts["nowhere"].model_copy(update={"ssh": "cargo1"})
        seen = ask(live, "true", deadline=3.0)
    assert (seen.status, seen.data["reason"]) == (Status.UNREACHABLE, "not_ssh")


def test_closing_leaves_no_thread_and_no_connection(operator: Operator, start_sshd: StartSshd) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1")
    live = operator.connections()
    before = len(ssh_threads())
    ask(live, "true")
    assert len(ssh_threads()) == before + 1
    live.close()
    until(lambda: len(ssh_threads()) == before)
    established = ["ss", "-Htn", "state", "established", f"dport = :{sshd.port}"]
    until(lambda: not subprocess.run(established, capture_output=True, check=True).stdout)


def test_an_unknown_host_and_a_down_host_have_reasons(operator: Operator) -> None:
    operator.config.write_text(f"Host nowhere 127.0.0.1\n HostName 127.0.0.1\n Port {free_port()}\n")
    live = operator.connections()
    assert ask(live, "true", host="nowhere").data["reason"] == "refused"
    assert ask(live, "true", host="other").data["reason"] == "unknown_host"
    operator.config.write_text(f"Host 127.0.0.1\n HostName {NO_SUCH_NAME}\n")
    assert ask(live, "true", host="nowhere").data["reason"] == "name_not_resolved"


def test_a_fingerprint_is_fetched_without_a_login_and_accepted_once_compared(
    operator: Operator, start_sshd: StartSshd
) -> None:
    sshd = start_sshd()
    operator.knows(sshd, "cargo1", known="# mine\n")
    key = fetch_host_key("cargo1", config=operator.config)
    assert key.fingerprint == sshd.fingerprint()
    assert sshd.logins() == 0
    with pytest.raises(HostKeyError, match="is not the one"):
        accept_host_key("cargo1", "SHA256:other", config=operator.config)
    assert operator.known_hosts.read_text() == "# mine\n"
    accept_host_key("cargo1", key.fingerprint, config=operator.config)
    assert operator.known_hosts.read_text() == "# mine\n" + sshd.known_line()
    assert ask(operator.connections(), "echo", "in").output == "in\n"


def test_a_host_that_is_down_has_no_fingerprint(operator: Operator) -> None:
    operator.config.write_text(f"Host gone\n HostName 127.0.0.1\n Port {free_port()}\n")
    with pytest.raises(ConnectionFailed, match="refused the connection"):
        fetch_host_key("gone", config=operator.config)
