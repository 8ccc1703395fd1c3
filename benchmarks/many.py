"""So many runs in one batch: whether each has its true record, and how much memory all processes together took."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memory import Memory, mean_memory, watch_memory
from sides import Task

ALLOWED_MB = 700
ALLOWED_MORE = 1.02
"""Megabytes before the last runs against those before run 100."""
# So long that as many runs go on as may: with less, how many there are differs, and the memory with it.
_PAUSE = 4.0
_STRETCH = 50


def many(folder: Path, runs: int, jobs: int) -> tuple[Mapping[str, Any], bool]:
    """So many runs, each with a record, and how much memory all processes together took."""
    task = Task(folder, runs, _PAUSE, jobs)
    process = subprocess.Popen(task.batch(), stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    done: list[int] = [0]
    memory: list[Memory] = []
    watching = threading.Thread(target=watch_memory, args=(process, done, memory), daemon=True)
    watching.start()
    outcomes = []
    for line in process.stdout or ():
        outcomes.append(json.loads(line))
        done[0] = len(outcomes)
    process.wait()
    watching.join()
    last = outcomes.pop()
    count = Counter(outcome["environment"] for outcome in outcomes)
    records = {path.parent.name for path in task.reports.glob("[0-9]*/*/*/*/record.json")}
    lost = runs - len(count)
    doubled = sum(number - 1 for number in count.values())
    false = sum(outcome["status"] != "healthy" for outcome in outcomes)
    unfiled = len({outcome["record"] for outcome in outcomes} ^ records)
    # Two stretches of the same length, the second before the last runs begin to leave it alone.
    full = runs - jobs
    processes, (early, late) = mean_memory(memory, (100 - _STRETCH, 100), (full - _STRETCH, full))
    most = max((sample.mb for sample in memory), default=0.0)
    print(f"{runs} runs, {jobs} wide: {lost} lost, {doubled} doubled, {false} false, {unfiled} not filed")
    times = f"before run 100 {early:.0f} MB in the mean, before run {full} {late:.0f}, by {processes} processes each"
    print(f"{last['seconds']:.1f} s; PSS at most {most:.0f} MB; {times}")
    body = {"lost": lost, "doubled": doubled, "false": false, "unfiled": unfiled, "pss_mb": round(most)}
    good = not (lost or doubled or false or unfiled) and most < ALLOWED_MB and late <= early * ALLOWED_MORE
    more = {"pss_mb_at_100": round(early), "pss_mb_at_end": round(late), "seconds": last["seconds"]}
    return {**body, **more}, good
