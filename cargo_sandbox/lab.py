"""Bringing a sandbox up and taking it down."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.errors import SandboxFailed, SandboxUnavailable
from cargo_sandbox.machines import processes
from cargo_sandbox.machines.namespaces import KEEP
from cargo_sandbox.material import image, prepare
from cargo_sandbox.paths import StateFolder, cache_folder
from cargo_sandbox.requirements import can_run
from cargo_sandbox.topology import INSTALLATION, MACHINE_PATH, MACHINES, SITES, CargoSite, Machine
from cargo_sandbox.waiting import docker_answers, wait_until

CGROUPS = Path("/sys/fs/cgroup")
LOCKS = Path("/run/lock")

Progress = Callable[[str, str], None]
"""Called with a part (a machine's name, or `image`) and what it is doing; `ready` is the last word of each."""


def _silent(part: str, doing: str) -> None:
    """No progress."""


@contextmanager
def only_one(state: StateFolder) -> Iterator[None]:
    """Hold the lock of this sandbox: `up`, `down`, `break` and `heal` exclude each other.

    Raises:
        SandboxUnavailable: we are not root, without whom there is no sandbox to act on.
    """
    if os.geteuid() != 0:
        raise SandboxUnavailable("the sandbox belongs to root", next_step="Type it again as root.")
    file = LOCKS / f"{state.cgroup}.lock"
    while True:
        handle = file.open("w")
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Whoever held the lock has removed its file: then ours is of no use.
        if file.exists() and os.fstat(handle.fileno()).st_ino == file.stat().st_ino:
            break
        handle.close()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        handle.close()


def require() -> None:
    """Check that the sandbox can run here.

    Raises:
        SandboxUnavailable: something is missing; the sentence names it.
    """
    missing = can_run()
    if missing:
        install = next((m.removeprefix("the Debian packages ") for m in missing if m.startswith("the Debian")), "")
        raise SandboxUnavailable(
            f"the sandbox can't run here: it needs {' and '.join(missing)}",
            next_step=f"apt-get install --no-install-recommends {install}" if install else "",
        )


def up(state: StateFolder, progress: Progress = _silent) -> bool:
    """Start the sandbox; False when it runs already. On failure and on Ctrl-C nothing is left.

    Raises:
        SandboxUnavailable: it can't run here.
        SandboxFailed: a part did not start; the sentence says which and shows the end of its log.
    """
    require()
    with only_one(state):
        if processes.is_up(state):
            return False
        _remove(state)
        try:
            _bring_up(state, progress)
        except BaseException:
            _remove(state)
            raise
    return True


def down(state: StateFolder) -> bool:
    """Stop the sandbox and remove everything of it; False when there was nothing."""
    with only_one(state):
        there = state.path.exists() or bool(processes.outer_pids(state)) or bool(_cgroups(state))
        _remove(state)
    return there


def _bring_up(state: StateFolder, progress: Progress) -> None:
    archive = image.archive(cache_folder(), on_build=lambda: progress("image", "copying programs"))
    progress("image", "ready")
    prepare.prepare(state)
    outer = _start_outer(state)
    try:
        with ThreadPoolExecutor(len(MACHINES)) as pool:
            waiting = [pool.submit(_Bringup(state, machine, archive, progress, outer).run) for machine in MACHINES]
            try:
                for future in waiting:
                    future.result()
            except BaseException:
                # Without its sandbox every command that a thread waits for ends at once.
                outer.kill()
                raise
        for site in SITES:
            wait_for_front(state, site)
        _keep(outer)
    except BaseException:
        outer.kill()
        outer.wait()
        raise
    state.ready.touch(mode=0o600)


def _start_outer(state: StateFolder) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": MACHINE_PATH,
        "LANG": "C.UTF-8",
        "HOME": str(Path.home()),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }
    with (state.log / "sandbox.log").open("wb") as log:
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"),
                *(
                    "--mount-proc",
                    sys.executable,
                    "-m",
                    "cargo_sandbox.machines.namespaces",
                    processes.TAG,
                    str(state.path),
                ),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
        )


def _keep(outer: subprocess.Popen[bytes]) -> None:
    """From here on the sandbox lives without us."""
    if outer.stdin is None:
        raise RuntimeError("started without a pipe")
    outer.stdin.write(KEEP)
    outer.stdin.close()


def _cgroups(state: StateFolder) -> list[Path]:
    """The sandbox's folder in each control group hierarchy (version 1), or in the one that there is (version 2)."""
    return sorted(CGROUPS.glob(f"*/{state.cgroup}")) + sorted(CGROUPS.glob(state.cgroup))


def _remove(state: StateFolder) -> None:
    processes.kill_all(processes.outer_pids(state))
    for folder in _cgroups(state):
        _remove_cgroups(folder)
    prepare.discard(state)


def _remove_cgroups(folder: Path, *, timeout: float = 5) -> None:
    """Control groups outlive their processes; the kernel lets go of the last ones a moment later."""
    end = time.monotonic() + timeout
    while folder.exists():
        for path, _, _ in sorted(os.walk(folder), reverse=True):
            try:
                os.rmdir(path)  # noqa: PTH106
            except OSError:
                if time.monotonic() > end:
                    raise
        time.sleep(0.01)


@dataclass(frozen=True)
class _Bringup:
    """One machine on its way up."""

    state: StateFolder
    machine: Machine
    archive: Path
    progress: Progress
    outer: subprocess.Popen[bytes]

    def run(self) -> None:
        name = self.machine.name
        self.progress(name, "starting")
        self._until(lambda: processes.machine_pid(self.state, name) is not None, 10, "start")
        root = processes.machine_root(self._pid)
        self._until((root / "run/sshd.pid").exists, 10, "start sshd")
        if self.machine.dockerd:
            self.progress(name, "docker")
            log = root / "var/log/dockerd.log"
            self._until(lambda: docker_answers(root / "run/docker.sock"), 30, "start dockerd", log)
        if name in {site.name for site in SITES}:
            self._start_cargo(name)
        self.progress(name, "ready")

    @property
    def _ended(self) -> bool:
        """Whether the sandbox is gone, so that waiting makes no sense."""
        return self.outer.poll() is not None

    @property
    def _pid(self) -> int:
        pid = processes.machine_pid(self.state, self.machine.name)
        if pid is None:
            raise self._failed("run")
        return pid

    def _start_cargo(self, name: str) -> None:
        self.progress(name, "images")
        with self.archive.open("rb") as body:
            self._do(["docker", "load", "-q"], stdin=body.fileno())
        self.progress(name, "Cargo")
        file = f"{INSTALLATION}/config/docker-compose-single.yml"
        self._do(["docker-compose", "-p", "cargo", "-f", file, "up", "-d"])

    def _do(self, argv: list[str], *, stdin: int = subprocess.DEVNULL) -> None:
        command = processes.command_on(self._pid, self.machine.name, argv)
        done = subprocess.run(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        if done.returncode != 0:
            raise self._failed(" ".join(argv[:2]), done.stdout.decode(errors="replace")[-1500:])

    def _until(self, there: Callable[[], bool], seconds: float, what: str, log: Path | None = None) -> None:
        if not wait_until(lambda: self._ended or there(), seconds, step=0.03) or self._ended:
            file = log or self.state.log / f"{self.machine.name}.log"
            raise self._failed(what, file.read_text(errors="replace")[-1500:] if file.exists() else "")

    def _failed(self, what: str, seen: str = "") -> SandboxFailed:
        return SandboxFailed(f"machine {self.machine.name} of the sandbox could not {what}", seen=seen.strip())


def wait_for_front(state: StateFolder, site: CargoSite, *, seconds: float = 30) -> None:
    """Wait until clients on operator get both the registry's challenge and a token of the site.

    Raises:
        SandboxFailed: they do not within `seconds`.
    """
    base = f"https://{site.domain}"
    scope = "repository:library/tiny:pull"
    argv = ["curl", "-sS", "-m", "3", "--cacert", str(state.inventory / "ca.crt"), "-o", "/dev/null"]
    argv += ["-w", "%{http_code} ", f"{base}/v2/", "-o", "/dev/null", f"{base}/service/token?scope={scope}"]
    answers = [b""]

    def good() -> bool:
        answers[0] = processes.run_on(state, "operator", argv).stdout
        return answers[0] == b"401 200 "

    if not wait_until(good, seconds):
        raise SandboxFailed(f"{site.domain} does not answer", seen=answers[0].decode())
