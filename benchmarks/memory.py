"""How much memory a command takes with all processes that it starts, moment by moment; for benchmarks.

PSS: what processes share is counted once.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, mode

_LOOKED_EVERY = 0.25


@dataclass(frozen=True)
class Memory:
    """What all processes took at one moment: megabytes (PSS), how many they were, and how many runs were done."""

    runs: int
    mb: float
    processes: int


def mean_memory(samples: list[Memory], *stretches: tuple[int, int]) -> tuple[int, list[float]]:
    """What was taken in each stretch of runs, in the mean: after so many runs and until so many.

    Only moments count at which as many processes were there as most often: how many kernels there are differs by chance, and
    each has its 17 MB.

    Returns:
        How many processes that is, and the megabytes of each stretch.
    """
    found = [[sample for sample in samples if after < sample.runs <= until] for after, until in stretches]
    counts = [sample.processes for each in found for sample in each]
    usual = mode(counts) if counts else 0
    alike = [[sample.mb for sample in each if sample.processes == usual] for each in found]
    if not all(alike):
        sys.exit(f"memory: no two stretches {stretches} with as many processes were seen; run more, 400 say")
    return usual, [fmean(each) for each in alike]


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
