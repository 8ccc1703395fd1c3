"""The Cargo of two hosts behind one address."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from cargo_sandbox.faults.catalog import fault
from cargo_sandbox.material.balancer import configuration
from cargo_sandbox.material.prepare import prepare
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.services.harbor_sessions import SharedSessions
from cargo_sandbox.topology import INSTALLATION, site
from tests.practice import PracticeSandbox
from tests.waiting import until

HA = site("ha")
TINY = f"{HA.domain}/library/tiny:1"


def test_both_hosts_have_the_same_files_and_their_data_lies_where_both_see_it(tmp_path: Path) -> None:
    state = StateFolder("unit", tmp_path / "below")
    prepare(state)
    first, second = (state.files(host) / INSTALLATION.lstrip("/") for host in HA.hosts)
    files = {str(path.relative_to(first)): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert {str(path.relative_to(second)): path.read_bytes() for path in second.rglob("*") if path.is_file()} == files
    assert {"config/docker-compose-ha.yml", "config/registry/root.crt", "config/ui/secret"} <= set(files)
    assert not (first / "data").exists()
    assert (state.shared("ha") / "database/harbor.json").stat().st_mode & 0o777 == 0o600
    for host in HA.hosts:
        layout = json.loads((state.machine(host) / "layout.json").read_text())
        shown = {bind["path"]: bind for bind in layout["binds"]}
        assert shown[f"{INSTALLATION}/data"]["source"] == str(state.shared("ha"))


def test_the_balancer_takes_the_hosts_in_turn_and_never_leaves_one_out() -> None:
    text = configuration(HA)
    assert "balance roundrobin" in text
    assert "server ha-1 203.0.113.31:443\n  server ha-2 203.0.113.32:443\n" in text
    assert "check" not in text


def test_a_session_that_one_harbor_opens_is_known_to_the_other_and_a_forged_id_to_none(tmp_path: Path) -> None:
    here, there = SharedSessions(tmp_path), SharedSessions(tmp_path)
    session = uuid.uuid4().hex
    here[session] = "admin"
    assert there.get(session) == "admin"
    assert (tmp_path / session).stat().st_mode & 0o777 == 0o600
    assert "../../etc/passwd" not in there
    assert there.get("") is None
    del there[session]
    assert session not in here


def _who_answers(sandbox: PracticeSandbox, times: int) -> list[str]:
    """The host that each of several connections to the one address gets to, by the front's own log."""
    mark = uuid.uuid4().hex
    for number in range(times):
        url = f"https://{HA.domain}/v2/?{mark}-{number}"
        sandbox.run("curl", "-sS", "-o", "/dev/null", "--cacert", f"{sandbox.inventory}/ca.crt", url)

    def answered() -> list[str]:
        logs = {host: sandbox.on(host, "docker", "logs", "tengine").stdout for host in HA.hosts}
        return [host for number in range(times) for host, log in logs.items() if f"{mark}-{number} " in log]

    # A line is written when its answer is on its way, and comes to docker's log after that.
    until(lambda: len(answered()) == times, told=answered)
    return answered()


@pytest.mark.sandbox
def test_one_address_takes_the_hosts_in_turn(sandbox: PracticeSandbox) -> None:
    asked = _who_answers(sandbox, 6)
    assert {asked[0], asked[1]} == set(HA.hosts)
    assert asked == asked[:2] * 3


@pytest.mark.sandbox
def test_what_is_pushed_through_one_host_is_pulled_from_the_other(sandbox: PracticeSandbox) -> None:
    name = f"{HA.domain}/library/pushed-{uuid.uuid4().hex[:8]}:1"
    login = ["docker", "login", HA.domain, "-u", "admin", "--password-stdin"]
    assert sandbox.run(*login, input=sandbox.password("ha-admin")).stdout == "Login Succeeded\n"
    for words in (["pull", TINY], ["tag", TINY, name], ["push", name]):
        done = sandbox.run("docker", *words)
        assert done.returncode == 0, done.stderr
    for _ in range(4):
        sandbox.run("docker", "rmi", name)
        assert sandbox.run("docker", "pull", name).returncode == 0


@pytest.mark.sandbox
def test_a_session_of_harbor_holds_whichever_host_it_gets_to(sandbox: PracticeSandbox) -> None:
    script = (
        'password=$(cat "$CARGO_RUNBOOK_INVENTORY/passwords/ha-admin"); ask="curl -sS -b jar -c jar '
        f'--cacert $CARGO_RUNBOOK_INVENTORY/ca.crt"; cd; url=https://{HA.domain}; '
        'printf "principal=admin&password=%s" "$password" | $ask -d @- $url/login; '
        "for i in 1 2 3 4; do $ask -o /dev/null -w '%{http_code} ' $url/api/users/current; done; rm jar"
    )
    assert sandbox.run("bash", "-euc", script).stdout.split() == ["200"] * 4


@pytest.mark.sandbox
def test_cargo_replicates_to_the_one_address(sandbox: PracticeSandbox) -> None:
    url = "http://203.0.113.20:8080/api/v2/replications/cargo-library-to-ha"
    start = ["curl", "-sS", "-d", '{"action":"Start"}', f"{url}/action"]
    before = json.loads(sandbox.run("curl", "-sS", f"{url}/records").stdout)["metadata"]["total"]
    assert sandbox.run(*start).returncode == 0
    script = (
        f'for _ in $(seq 240); do curl -sS {url}/records | grep -q "\\"total\\": {before + 1}.*Success" && exit 0; '
        "sleep 0.25; done; exit 1"
    )
    assert sandbox.run("bash", "-uc", script).returncode == 0


def _diagnosed(sandbox: PracticeSandbox, times: int) -> list[tuple[list[str], set[str]]]:
    """Root causes, and the states of all findings, of several looks at `ha`."""
    bodies = [
        json.loads(sandbox.run("cargo-runbook", "diagnose", "--env", "ha", "--json").stdout) for _ in range(times)
    ]
    return [(body["root_causes"], {finding["status"] for finding in body["findings"]}) for body in bodies]


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ha-one-node-key", "ha-one-node-stopped"])
def test_a_fault_on_one_host_is_the_same_root_cause_whichever_host_a_look_gets_to(
    sandbox: PracticeSandbox, name: str
) -> None:
    sandbox.break_(name)
    assert [roots for roots, _ in _diagnosed(sandbox, 10)] == [list(fault(name).expected_root_causes)] * 10
