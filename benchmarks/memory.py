"""How much memory a command takes with all processes that it starts, moment by moment; for benchmarks.

PSS: what processes share is counted once.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

_LOOKED_EVERY = 0.25


@dataclass(frozen=True)
class Memory:
    """What all processes took at one moment, or in the mean: megabytes (PSS), and how many they were."""

    runs: int
    mb: float
    processes: float

    def __str__(self) -> str:
        return f"{self.mb:.0f} MB in the mean by {self.processes:.1f} processes"


def mean_memory(samples: list[Memory], after: int, until: int) -> Memory:
    """The mean of what was seen after so many runs and until so many."""
    # The most of some moments would say how many kernels there were by chance in one of them.
    found = [sample for sample in samples if after < sample.runs <= until] or [Memory(until, 0.0, 0.0)]
    return Memory(until, fmean(sample.mb for sample in found), fmean(sample.processes for sample in found))


def watch_memory(process: subprocess.Popen[str], done: list[int], memory: list[Memory]) -> None:
    """Adds to `memory` until the process ends; `done` says how many runs are."""
    while process.poll() is None:
        family = _family(process.pid)
        memory.append(Memory(done[0], sum(map(_pss, family)) / 1024, len(family)))
        time.sleep(_LOOKED_EVERY)


def _family(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    family, look = [root], [root]
    while look:
        children = parents.get(look.pop(), [])
        family += children
        look += children
    return family


def _pss(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0.0)
