"""What a sandbox leaves behind: nothing, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cargo_sandbox.cluster.node import KERNEL
from cargo_sandbox.machines import processes
from cargo_sandbox.paths import DEFAULT_ROOT, state_folder
from tests.practice import START, PracticeSandbox
from tests.waiting import until

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

NAME = f"leftovers-{os.getpid()}"
TINY = "cargo.caicloudprivatetest.com/library/tiny:1"


CGROUPS = Path("/sys/fs/cgroup")
# What kubelet and kube-proxy would set for the whole computer.
SETTINGS = [Path("/proc/sys") / name for name in (*KERNEL, "net/netfilter/nf_conntrack_max")]
CLUSTER = [pytest.param("", id="plain"), pytest.param("--cluster", id="cluster", marks=pytest.mark.cluster)]


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def traces() -> dict[str, list[str]]:
    """All that could be left of the sandbox NAME, and the parts of this computer that it must not change."""
    state = state_folder(NAME)
    mine = str(state.path)
    rules = [line for line in _output("iptables-save").splitlines() if not line.startswith("#")]
    return {
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if mine in line],
        "folders": [str(path) for path in DEFAULT_ROOT.glob(NAME)],
        "locks": [str(path) for path in Path("/run/lock").glob(f"*{NAME}*")],
        "cgroups": [str(path) for path in CGROUPS.rglob(f"{state.cgroup}*")],
        "pod cgroups": [str(path) for path in CGROUPS.rglob("*kube*") if "cargo-sandbox-" not in str(path)],
        "kernel": [f"{file} {file.read_text().strip()}" for file in SETTINGS if file.exists()],
        "processes": [argv for argv in map(" ".join, map(processes.argv_of, _pids())) if mine in argv],
        "netns": _output("ip", "netns").splitlines(),
        "iptables": [line for line in rules if "198.1" in line or "203.0.113" in line],
        "links": [line for line in _output("ip", "-o", "link").splitlines() if "docker" in line or "lab0" in line],
        "hosts": Path("/etc/hosts").read_text().splitlines(),
        "resolv": Path("/etc/resolv.conf").read_text().splitlines(),
        "compass": [str(path) for path in (Path("/compass"), Path("/etc/docker/certs.d")) if path.exists()],
    }


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


@pytest.fixture
def mine():
    before = traces()
    sandbox = PracticeSandbox(NAME)
    yield sandbox
    down = sandbox.cli("down")
    assert down.returncode == 0, down.stderr
    assert traces() == before


def up(sandbox: PracticeSandbox, *options: str) -> None:
    done = sandbox.cli("up", *filter(None, options), timeout=START)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cluster", CLUSTER)
def test_up_and_down_leave_the_computer_as_it_was(mine, cluster):
    before = traces()
    up(mine, cluster)
    assert traces() != before
    # While it runs, only processes, control groups and its own folder can be seen from outside.
    unchanged = ("mounts", "netns", "iptables", "links", "hosts", "resolv", "compass", "kernel", "pod cgroups")
    assert {key: traces()[key] for key in unchanged} == {key: before[key] for key in unchanged}
    assert mine.cli("down").returncode == 0
    assert traces() == before
    assert f'There is no sandbox "{NAME}"' in mine.cli("down").stderr


@pytest.mark.parametrize("part", ["unshare", "init", "dockerd", "machine"])
def test_down_cleans_up_after_a_killed_part(mine, part):
    up(mine)
    state = state_folder(NAME)
    outer = sorted(processes.outer_pids(state), key=lambda pid: processes.argv_of(pid)[0] != "unshare")
    if part == "dockerd":
        assert mine.on("cargo", "pkill", "-KILL", "dockerd").returncode == 0
    else:
        machine = processes.machine_pid(state, "cargo")
        assert machine is not None
        os.kill({"unshare": outer[0], "init": outer[1], "machine": machine}[part], signal.SIGKILL)


@pytest.mark.cluster
@pytest.mark.parametrize("program", ["unshare", "kubelet", "kube-apiserver"])
def test_down_cleans_up_a_cluster_after_a_killed_part(mine, program):
    up(mine, "--cluster")
    if program == "unshare":
        outer = [pid for pid in processes.outer_pids(state_folder(NAME)) if processes.argv_of(pid)[0] == "unshare"]
        os.kill(outer[0], signal.SIGKILL)
    else:
        assert mine.on("master", "pkill", "-KILL", "-x", program).returncode == 0


STAGES = {
    "keys are made": lambda state: state.path.exists(),
    "machines start": lambda state: processes.machine_pid(state, "operator") is not None,
    "containers are made": lambda state: any(state.docker("cargo").glob("containers/*")),
}
CLUSTER_STAGES = {
    "master is up": lambda state: processes.machine_pid(state, "master") is not None,
    "pods start": lambda state: len(list(state.docker("master").glob("containers/*"))) > 1,
}


def wait_for(stage: str) -> None:
    until(lambda: (STAGES | CLUSTER_STAGES)[stage](state_folder(NAME)), 120)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", STAGES)
def test_a_start_that_is_stopped_leaves_nothing(number, stage):
    before = traces()
    process = start()
    wait_for(stage)
    os.killpg(process.pid, number)
    assert process.wait(30) == 128 + number
    assert traces() == before


@pytest.mark.cluster
@pytest.mark.parametrize("stage", CLUSTER_STAGES)
def test_a_start_with_a_cluster_that_is_stopped_leaves_nothing(stage):
    before = traces()
    process = start("--cluster")
    wait_for(stage)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert traces() == before


def test_a_start_whose_command_line_is_killed_does_not_live_on(mine):
    process = start()
    wait_for("machines start")
    process.kill()
    process.wait()
    until(lambda: not processes.outer_pids(state_folder(NAME)))


def start(*options: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "cargo_runbook", "sandbox", "up", "--name", NAME, *options]
    return subprocess.Popen(words, cwd="/", stderr=subprocess.DEVNULL, start_new_session=True)


def test_two_sandboxes_do_not_disturb_each_other(sandbox, mine):
    up(mine)
    mine.break_("domain-unresolved")
    assert "no such host" in mine.run("docker", "pull", TINY).stderr
    assert sandbox.run("docker", "pull", TINY).returncode == 0
    assert mine.password("alice") != sandbox.password("alice")
    assert mine.cli("down").returncode == 0
    assert sandbox.run("docker", "pull", TINY).returncode == 0


def test_a_dead_sandbox_is_started_anew_by_up(mine):
    up(mine)
    for pid in processes.outer_pids(state_folder(NAME)):
        os.kill(pid, signal.SIGKILL)
    up(mine)
    assert mine.run("docker", "pull", TINY).returncode == 0
