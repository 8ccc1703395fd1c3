"""Pid 1 of a machine: file system, network, services; after that it collects ended processes.

Run as `python -m cargo_sandbox.machines.boot TAG STATE MACHINE` by `unshare`, started by `cargo_sandbox.machines.namespaces`.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from cargo_sandbox import topology
from cargo_sandbox.machines import rootfs
from cargo_sandbox.machines.namespaces import reap
from cargo_sandbox.machines.processes import environment_on
from cargo_sandbox.material import balancer
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import Machine

PACKAGES = Path(__file__).resolve().parents[2]


def _cluster() -> ModuleType:
    """What makes master a node of the cluster. It is not imported on other machines, whose start it would slow down."""
    from cargo_sandbox.cluster import node

    return node


def commands_of(machine: Machine, state: StateFolder, programs: Path | None) -> dict[str, list[str]]:
    """The services of a machine: name -> argument vector. All stay in the foreground.

    Args:
        programs: the folder with Kubernetes' programs; None when the sandbox has no cluster.
    """
    services = {
        "sshd": [
            *("/usr/sbin/sshd", "-D", "-e", "-o", "PidFile=/run/sshd.pid", "-o", "UsePAM=no", "-o", "UseDNS=no"),
            *("-o", "PermitRootLogin=prohibit-password", "-o", "PasswordAuthentication=no"),
            *("-o", "HostKey=/etc/ssh/ssh_host_ed25519_key", "-o", f"SetEnv=PATH={topology.MACHINE_PATH}"),
        ]
    }
    if machine.dockerd:
        services["dockerd"] = [
            *("dockerd", "-H", "unix:///run/docker.sock", "-p", "/run/dockerd.pid", "--data-root", "/var/lib/docker"),
            *("--exec-root", "/run/docker", "--exec-opt", "native.cgroupdriver=cgroupfs"),
            *("--cgroup-parent", f"/{state.cgroup}/{machine.name}", "--bip", topology.DOCKER_BRIDGE),
            *("--default-address-pool", topology.DOCKER_POOL, "--ip6tables=false"),
            *(_cluster().DOCKERD if machine.name == "master" else ()),
        ]
    if machine.name == "dns":
        services["dnsmasq"] = [
            "dnsmasq",
            "--keep-in-foreground",
            "--user=root",
            "-C",
            "/etc/cargo-sandbox/dnsmasq.conf",
        ]
    if machine.name == "balancer":
        services["haproxy"] = ["haproxy", "-db", "-f", balancer.CONFIGURATION]
    if machine.name == "master" and programs:
        services |= _cluster().commands(programs)
    elif machine.name == "master":
        python = ("/usr/bin/python3", "-B", "-m")
        services["cargo-token"] = [*python, "cargo_sandbox.services.cargo_token", "/etc/cargo-token"]
        services["cargo-admin"] = [*python, "cargo_sandbox.services.cargo_admin", "/etc/cargo-admin"]
    return services


def _network(machine: Machine) -> None:
    batch = f"link set lo up\naddr add {machine.address}/{topology.PREFIX} dev eth0\nlink set eth0 up\n"
    subprocess.run(("ip", "-batch", "-"), input=batch, text=True, check=True)


def _start(machine: Machine, services: dict[str, list[str]]) -> None:
    for name, argv in services.items():
        with Path(f"/var/log/{name}.log").open("wb") as log:
            subprocess.Popen(
                argv,
                env=environment_on(machine.name, {"PYTHONPATH": str(PACKAGES)}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def main(state_path: str, name: str) -> None:
    state = StateFolder(Path(state_path).name, Path(state_path).parent)
    programs = state.cluster
    machine = next(each for each in topology.machines(cluster=programs is not None) if each.name == name)
    services = commands_of(machine, state, programs)
    sys.stdout.write("here\n")
    sys.stdout.flush()
    if sys.stdin.readline() != "wired\n":
        raise SystemExit("the sandbox ended before this machine had its wire")
    root = rootfs.build(state, machine)
    rootfs.enter(root)
    socket.sethostname(machine.name)
    _network(machine)
    if machine.name == "master" and programs:
        _cluster().prepare_machine()
    _start(machine, services)
    while True:
        reap()


if __name__ == "__main__":
    main(sys.argv[2], sys.argv[3])
