"""Bringing a sandbox up and taking it down."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cargo_runbook.texts import tell
from cargo_sandbox import topology
from cargo_sandbox.bringup import Bringup, Progress
from cargo_sandbox.client import log_in_engineer
from cargo_sandbox.cluster import build
from cargo_sandbox.errors import SandboxFailed, SandboxUnavailable
from cargo_sandbox.first_replication import replicate_once
from cargo_sandbox.machines import processes
from cargo_sandbox.machines.namespaces import KEEP
from cargo_sandbox.material import image, image_store, prepare
from cargo_sandbox.paths import StateFolder, cache_folder
from cargo_sandbox.requirements import can_run
from cargo_sandbox.topology import MACHINE_PATH, MASTER, SITES, CargoSite
from cargo_sandbox.waiting import wait_until

CGROUPS = Path("/sys/fs/cgroup")
LOCKS = Path("/run/lock")


def _silent(part: str, doing: str) -> None:
    """No progress."""


@contextmanager
def only_one(state: StateFolder) -> Iterator[None]:
    """Hold the lock of this sandbox: `up`, `down`, `break` and `heal` exclude each other.

    Raises:
        SandboxUnavailable: we are not root, without whom there is no sandbox to act on.
    """
    if os.geteuid() != 0:
        raise SandboxUnavailable(
            tell("the sandbox belongs to root", "沙箱属于 root"),
            next_step=tell("Type it again as root.", "请以 root 重新执行。"),
        )
    # A container's /run may be empty: nothing has put a folder for locks there.
    LOCKS.mkdir(parents=True, exist_ok=True)
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
            tell(
                f"the sandbox can't run here: it needs {' and '.join(missing)}",
                f"此处无法运行沙箱：缺少 {'、'.join(missing)}",
            ),
            next_step=f"apt-get install --no-install-recommends {install}" if install else "",
        )


def up(state: StateFolder, progress: Progress = _silent, *, cluster: bool = False) -> bool:
    """Start the sandbox; False when it runs already. On failure and on Ctrl-C nothing is left.

    Args:
        cluster: with a real Kubernetes cluster on master. Its programs are built first where the cache has none.

    Raises:
        SandboxUnavailable: it can't run here, or runs already without the cluster that is asked for.
        SandboxFailed: a part did not start; the sentence says which and shows the end of its log.
    """
    require()
    programs = None
    if cluster:
        programs = build.build(cache_folder(), lambda doing: progress("kubernetes", doing)).folder
        progress("kubernetes", "ready")
    with only_one(state):
        if processes.is_up(state):
            if cluster and not state.cluster:
                raise SandboxUnavailable(
                    tell(f"the sandbox {state.name!r} runs without a cluster", f"沙箱 {state.name!r} 没有集群"),
                    next_step=tell("Take it down first.", "请先停止。"),
                )
            return False
        _remove(state)
        try:
            _bring_up(state, progress, programs)
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


def _bring_up(state: StateFolder, progress: Progress, programs: Path | None) -> None:
    archive = image.archive(cache_folder(), on_build=lambda: progress("image", "copying programs"))
    progress("image", "ready")
    prepare.prepare(state, programs)
    machines = topology.machines(cluster=programs is not None)
    for machine in machines:
        if topology.site_on(machine.name) or (programs and machine.name == MASTER.name):
            image_store.lay(image_store.store_of(archive), state.docker(machine.name))
    outer = _start_outer(state)
    try:
        with ThreadPoolExecutor(len(machines)) as pool:
            waiting = [pool.submit(Bringup(state, machine, archive, progress, outer).run) for machine in machines]
            try:
                for future in waiting:
                    future.result()
            except BaseException:
                # Without its sandbox every command that a thread waits for ends at once.
                outer.kill()
                raise
        for site in SITES:
            wait_for_front(state, site)
        log_in_engineer(state)
        replicate_once(state)
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


def wait_for_front(state: StateFolder, site: CargoSite, *, seconds: float = 90) -> None:
    """Wait until clients on operator get both the registry's challenge and a token of the site, from each of its hosts.

    Raises:
        SandboxFailed: they do not within `seconds`.
    """
    base = f"https://{site.domain}"
    scope = "repository:library/tiny:pull"
    asked = ["-o", "/dev/null", f"{base}/v2/", "-o", "/dev/null", f"{base}/service/token?scope={scope}"]
    argv = ["curl", "-sS", "-m", "3", "--cacert", str(state.inventory / "ca.crt"), "-w", "%{http_code} ", *asked]
    places = dict.fromkeys((site.address, *(topology.machine(host).address for host in site.hosts)))
    answers = [b""]

    def good(address: str) -> bool:
        there = ["--connect-to", f"{site.domain}:443:{address}:443"]
        answers[0] = processes.run_on(state, "operator", [*argv, *there]).stdout
        return answers[0] == b"401 200 "

    for address in places:
        if not wait_until(partial(good, address), seconds):
            raise SandboxFailed(
                tell(f"{site.domain} does not answer at {address}", f"{site.domain} 在 {address} 没有应答"),
                seen=answers[0].decode(),
            )
