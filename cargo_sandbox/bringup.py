"""One machine of a sandbox on its way up, seen from outside."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from cargo_sandbox.cluster.material import ADMIN, FOLDER, OBJECTS, OTHER_FOLDER
from cargo_sandbox.errors import SandboxFailed
from cargo_sandbox.machines import processes
from cargo_sandbox.material import image_store
from cargo_sandbox.material.image import IMAGES, REPOSITORY
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import API_PORT, MASTER, OTHER_API_PORT, CargoSite, Machine, site_on
from cargo_sandbox.waiting import docker_answers, wait_until

Progress = Callable[[str, str], None]
"""Called with a part (a machine's name, or `image`) and what it is doing; `ready` is the last word of each."""


@dataclass(frozen=True)
class Bringup:
    """One machine on its way up."""

    state: StateFolder
    machine: Machine
    archive: Path
    progress: Progress
    outer: subprocess.Popen[bytes]

    def run(self) -> None:
        name = self.machine.name
        self.progress(name, "starting")
        # This takes a look at every process of this computer.
        self._until(lambda: processes.machine_pid(self.state, name) is not None, 60, "start", step=0.1)
        root = processes.machine_root(self._pid)
        self._until((root / "run/sshd.pid").exists, 60, "start sshd")
        if self.machine.dockerd:
            self.progress(name, "docker")
            log = root / "var/log/dockerd.log"
            self._until(lambda: docker_answers(root / "run/docker.sock"), 90, "start dockerd", log)
        site = site_on(name)
        if site:
            self._start_cargo(name, root, site)
        elif name == MASTER.name and self.state.cluster:
            self._start_cluster(name, root)
        self.progress(name, "ready")

    @property
    def _ended(self) -> bool:
        """Whether the sandbox is gone, so that waiting makes no sense."""
        return self.outer.poll() is not None

    @cached_property
    def _pid(self) -> int:
        pid = processes.machine_pid(self.state, self.machine.name)
        if pid is None:
            raise self._failed("run")
        return pid

    def _load_images(self, name: str, root: Path) -> None:
        image = f"{REPOSITORY}/{IMAGES[-1].tag}"
        if docker_answers(root / "run/docker.sock", f"/images/{image}/json"):
            return
        self.progress(name, "images")
        with self.archive.open("rb") as body:
            self._do(["docker", "load", "-q"], stdin=body.fileno())
        image_store.keep(self.state.docker(name), image_store.store_of(self.archive))

    def _start_cluster(self, name: str, root: Path) -> None:
        self._load_images(name, root)
        self._wait_for_api(root, "kube-apiserver", API_PORT, FOLDER)
        kubectl = ["kubectl", f"--kubeconfig={ADMIN}"]
        self.progress(name, "objects")
        self._do([*kubectl, "create", "--validate=false", "-f", OBJECTS])
        self.progress(name, "node")
        node = [*kubectl, "wait", "--for=condition=Ready", f"node/{name}", "--timeout=2s"]
        self._until(partial(self._asks, node), 120, "become a node", root / "var/log/kubelet.log")
        self.progress(name, "pods")
        pods = [*kubectl, "wait", "--for=condition=Available", "deployment", "--all", "-A", "--timeout=2s"]
        if not wait_until(lambda: self._ended or self._asks(pods), 180, step=0):
            seen = processes.run_on(self.state, name, [*kubectl, "get", "pods,events", "-A"]).stdout
            raise self._failed("start its pods", seen.decode(errors="replace")[-3000:])
        self._wait_for_api(root, "other-kube-apiserver", OTHER_API_PORT, OTHER_FOLDER)

    def _wait_for_api(self, root: Path, program: str, port: int, folder: str) -> None:
        self.progress(self.machine.name, "API server")
        url = f"https://127.0.0.1:{port}/readyz"
        ready = ["curl", "-fs", "-m", "3", "-o", "/dev/null", "--cacert", f"{folder}/pki/ca.crt", url]
        self._until(partial(self._asks, ready), 120, f"start {program}", root / f"var/log/{program}.log")

    def _start_cargo(self, name: str, root: Path, site: CargoSite) -> None:
        self._load_images(name, root)
        self.progress(name, "Cargo")
        self._do(["docker-compose", "-p", "cargo", "-f", site.compose_file, "up", "-d"])

    def _asks(self, argv: list[str]) -> bool:
        command = processes.command_on(self._pid, self.machine.name, argv)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def _do(self, argv: list[str], *, stdin: int = subprocess.DEVNULL) -> None:
        command = processes.command_on(self._pid, self.machine.name, argv)
        done = subprocess.run(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        if done.returncode != 0:
            raise self._failed(" ".join(argv[:2]), done.stdout.decode(errors="replace")[-1500:])

    def _until(
        self, there: Callable[[], bool], seconds: float, what: str, log: Path | None = None, *, step: float = 0.03
    ) -> None:
        if not wait_until(lambda: self._ended or there(), seconds, step=step) or self._ended:
            file = log or self.state.log / f"{self.machine.name}.log"
            raise self._failed(what, file.read_text(errors="replace")[-1500:] if file.exists() else "")

    def _failed(self, what: str, seen: str = "") -> SandboxFailed:
        return SandboxFailed(f"machine {self.machine.name} of the sandbox could not {what}", seen=seen.strip())
