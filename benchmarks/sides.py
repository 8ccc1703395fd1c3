"""A batch, and what people would use instead: each runs one notebook so many times; for benchmarks.

`ploomber` is ploomber-engine as an engine of papermill, `ploomber-alone`, for which nothing is asked, its own command.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from shaped import site, write_inventory, write_notebook

from cargo_sandbox.paths import cache_folder

# With what it imports and this project does not bring; without what it only names (pip would bring other versions).
PLOOMBER = (
    "ploomber-engine==0.0.33", "ploomber-core==0.2.27", "posthog==7.91.1", "debuglater==1.4.4", "colorama==0.4.6",
    "backoff==2.2.1", "monotonic==1.6", "dill==0.4.1",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What is to be run, and how.

    Args:
        folder: for what is written.
        runs: how many environments there are; a batch runs for all of them.
        pause: seconds that the notebook waits in all.
        jobs: how wide a batch is.
        ploomber: folder with ploomber-engine; empty where this interpreter has it.
    """

    folder: Path
    runs: int
    pause: float
    jobs: int
    ploomber: str = ""

    def __post_init__(self) -> None:
        write_notebook(self.notebook)
        write_inventory(self.inventory, self.runs)

    @property
    def notebook(self) -> Path:
        return self.folder / "runbook.ipynb"

    @property
    def inventory(self) -> Path:
        return self.folder / f"{self.runs}-environments"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def batch(self) -> list[str]:
        """The command line of the batch."""
        command = [_program("cargo-runbook"), "batch", str(self.notebook), "--env", "*", "-p", f"pause={self.pause}"]
        command += ["-j", str(self.jobs), "--inventory", str(self.inventory), "--reports", str(self.reports), "--json"]
        return command

    def papermill(self, number: int) -> list[str]:
        """The command line of papermill for one environment."""
        target = self.folder / f"papermill-{number}.ipynb"
        return [_program("papermill"), str(self.notebook), str(target), *self._parameters(number)]

    def ploomber_alone(self, number: int) -> list[str]:
        """The same of ploomber-engine's own command."""
        command = [sys.executable, "-m", "ploomber_engine.cli", str(self.notebook)]
        return [*command, str(self.folder / f"ploomber-{number}.ipynb"), *self._parameters(number)]

    def _parameters(self, number: int) -> list[str]:
        return ["-p", "environment", site(number), "-p", "pause", str(self.pause)]


@dataclass(frozen=True)
class Took:
    """What runs took together: seconds, and seconds of CPU (user and system, with all children)."""

    seconds: float = 0.0
    cpu: float = 0.0
    runs: int = 0

    def __add__(self, other: Took) -> Took:
        return Took(self.seconds + other.seconds, self.cpu + other.cpu, self.runs + other.runs)

    @property
    def per_run(self) -> float:
        return self.seconds / self.runs

    @property
    def cpu_per_run(self) -> float:
        return self.cpu / self.runs


def measured(side: str, task: Task, runs: int) -> Took:
    """Lets a side do so many runs; what they took."""
    if side == "batch":
        shutil.rmtree(task.reports, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    SIDES[side](task, runs)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, runs)


def _batch(task: Task, runs: int) -> None:
    last = json.loads(_call(task.batch()).splitlines()[-1])
    assert (last["runs"], last["healthy"]) == (runs, runs), last


def _papermill(task: Task, runs: int) -> None:
    for number in range(runs):
        _call(task.papermill(number))


def _xargs(task: Task, runs: int) -> None:
    lines = "".join(" ".join(task.papermill(number)) + "\n" for number in range(runs))
    _call(["xargs", "-P8", "-I{}", "sh", "-c", "{}"], text=lines)


def _ploomber(task: Task, runs: int) -> None:
    # As papermill's engine, which is what a user of papermill would turn to.
    for number in range(runs):
        _call([*task.papermill(number), "--engine", "embedded"], PYTHONPATH=task.ploomber)


def _ploomber_alone(task: Task, runs: int) -> None:
    for number in range(runs):
        _call(task.ploomber_alone(number), PYTHONPATH=task.ploomber)


def ploomber_packages() -> str:
    """A folder with ploomber-engine, which is no dependency; made once below the cache folder, unless it is installed."""
    if find_spec("ploomber_engine"):
        return ""
    folder = cache_folder() / f"ploomber-{sys.implementation.cache_tag}"
    if not folder.exists():
        print("ploomber-engine: installing it for its sides (once)", file=sys.stderr)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="ploomber-", dir=folder.parent) as place:
            made = Path(place, "packages")
            _call([sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(made), *PLOOMBER])
            made.rename(folder)
    return str(folder)


SIDES: Mapping[str, Callable[[Task, int], None]] = {
    "batch": _batch,
    "papermill": _papermill,
    "xargs": _xargs,
    "ploomber": _ploomber,
    "ploomber-alone": _ploomber_alone,
}


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _call(command: list[str], text: str | None = None, **variables: str) -> str:
    # ploomber would tell its makers.
    given = {name: value for name, value in variables.items() if value}
    environment = {**os.environ, "PLOOMBER_STATS_ENABLED": "false", **given}
    done = subprocess.run(command, capture_output=True, text=True, input=text, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{done.stderr[-2000:]}")
    return done.stdout
