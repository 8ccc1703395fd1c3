"""A real Dask scheduler and real workers, each a process, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import until

THREADS = 4


@dataclass
class DaskCluster:
    """Processes of the cluster; `address` is the scheduler's."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(json.loads((self.folder / "scheduler.json").read_text())["address"])

    def add_worker(self, **variables: str) -> subprocess.Popen[bytes]:
        """Another worker, with these environment variables."""
        options = ["--nthreads", str(THREADS), "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        worker = _start(
            self.folder, "dask_worker", self.address, *options, "--local-directory", str(self.folder), **variables
        )
        self.workers.append(worker)
        return worker

    def kill_worker_of(self, pid: int) -> None:
        """`kill -9` of the worker that the kernel with that pid works for."""
        parents = {worker.pid: worker for worker in self.workers}
        while pid not in parents:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        parents[pid].send_signal(signal.SIGKILL)
        parents[pid].wait()


@contextmanager
def dask_cluster(folder: Path, workers: int = 2, protocol: str = "tcp", **variables: str) -> Iterator[DaskCluster]:
    """A cluster for the time of a with block; `variables` are of the environment of all its processes."""
    file = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    options += ["--protocol", protocol]
    cluster = DaskCluster(folder, _start(folder, "dask_scheduler", *options, **variables))
    try:
        until(lambda: _is_written(file))
        for _ in range(workers):
            cluster.add_worker(**variables)
        yield cluster
    finally:
        processes = [*cluster.workers, cluster.scheduler]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _is_written(file: Path) -> bool:
    # It is there for a moment before anything stands in it.
    try:
        return bool(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def _start(folder: Path, program: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    with (folder / f"{program}.log").open("ab") as log:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
        own = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_RUNBOOK")}
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**own, **variables})
