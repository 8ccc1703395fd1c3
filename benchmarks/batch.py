"""A batch against what people would use instead, on the same notebook and in one go; and its memory and growth.

    python benchmarks/batch.py [--json] [--runs 96] [--rounds 1] [--only wait,cpu] [--sides papermill,xargs,ploomber,...]
    python benchmarks/batch.py --many 400 -j 16       none lost, none doubled, no false status; memory (PSS)
    python benchmarks/batch.py --growth               time per run at 24 and at 384 runs

The notebook has the shape of a runbook: parameters, imports (pandas, paramiko, dnspython, httpx, ipywidgets), twelve
cells that show a small frame, a verdict at the end. `wait` sleeps 0.6 s in all, as a look at hosts waits; `cpu` does not.

`ploomber` is ploomber-engine as an engine of papermill; `ploomber-alone`, for which nothing is asked, its own command.
The slow sides run fewer runs (`--slow-runs`), and their time is scaled to `--runs`; this is said with each figure. Beside
times there is the CPU that each side took (user and system, with all children): on a machine where others work it says
more than times do. The last line with `--json` is data.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from memory import Memory, mean_memory, watch_memory

WANTED = {
    "wait": {"papermill": 32.0, "xargs": 14.0, "ploomber": 24.0},
    "cpu": {"papermill": 27.0, "xargs": 12.0, "ploomber": 20.0},
}
PAUSES = {"wait": 0.6, "cpu": 0.0}
ALLOWED_MB = 700
ALLOWED_GROWTH = 1.15
# So long that as many runs go on as may: with less, how many there are differs, and the memory with it.
_PAUSE_OF_MANY = 4.0
_STRETCH = 50
PARAMETERS = 'environment = "cargo"\npause = 0.0'
IMPORTS = """\
import json
import os
import time
from pathlib import Path

import dns.resolver
import httpx
import ipywidgets
import pandas as pd
import paramiko
"""
STEP = """\
time.sleep(pause / 12)
look = pd.DataFrame(
    {
        "host": [f"host-{n:02d}.{environment}.example.com" for n in range(24)],
        "vantage": ["operator", "cargo host", "node", "container"] * 6,
        "seconds": [0.01 * n * STEP for n in range(24)],
        "status": ["ok", "fault", "unknown"] * 8,
        "answer": [f"203.0.113.{n}" for n in range(24)],
    }
)
slowest = look.groupby(["vantage", "status"], as_index=False).seconds.max()
counts = look.pivot_table(index="vantage", columns="status", values="host", aggfunc="count").reset_index()
look.merge(slowest, on=["vantage", "status"], suffixes=("", "_most")).merge(counts, on="vantage").sort_values("seconds")
"""
CONCLUDE = """\
verdict = {"environment": environment, "domain": "", "status": "healthy", "root_causes": [], "findings": [],
           "refuted": [], "untested": [], "replayed": "", "started": "", "seconds": 0.0}
if draft := os.environ.get("CARGO_RUNBOOK_RECORD"):
    Path(draft, "verdict.json").write_text(json.dumps(verdict))
"""
ENVIRONMENT = """\
stage: test
domain: {name}.example.com
image: library/tiny:1
hosts:
  - name: {name}-1
    address: 198.51.{high}.{low}
accounts:
  - username: admin
    kind: admin
    password: env:NOT_ASKED_FOR
name_servers:
  - 192.0.2.53
"""


@dataclass(frozen=True)
class Took:
    """What one side took: seconds and seconds of CPU for each run, and how many runs that was measured with."""

    seconds: float
    cpu: float
    runs: int


def main() -> None:
    """Runs what the options say; exit code 1 when a bound is missed."""
    options = _options()
    # pip has compiled all that the other sides import; an editable install and PYTHONDONTWRITEBYTECODE leave this out.
    compileall.compile_dir(Path(__file__).resolve().parent.parent / "cargo_runbook", quiet=1)
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        folder = Path(name)
        if options.many:
            body, good = many(folder, options)
        elif options.growth:
            body, good = growth(folder, options)
        else:
            body, good = side_by_side(folder, options)
    if options.json:
        print(json.dumps(body))
    sys.exit(0 if good else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=96)
    parser.add_argument(
        "--slow-runs", type=int, default=8, help="runs of papermill and ploomber-engine (xargs: thrice)"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="wait,cpu")
    parser.add_argument("--sides", default="papermill,xargs,ploomber,ploomber-alone")
    parser.add_argument("--ploomber", default="", help="folder with ploomber-engine (pip install --target)")
    parser.add_argument("-j", "--jobs", type=int, default=16)
    parser.add_argument("--many", type=int, default=0, metavar="RUNS")
    parser.add_argument("--growth", action="store_true")
    return parser.parse_args()


# --- side by side


def side_by_side(folder: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any], bool]:
    """Ratios of time per run, each side against the batch, and the same of CPU."""
    ratios: dict[str, dict[str, float]] = {}
    cpu: dict[str, dict[str, float]] = {}
    notebook = write_notebook(folder)
    inventory = write_inventory(folder, options.runs)
    for kind in options.only.split(","):
        taken: dict[str, list[Took]] = {}
        for _ in range(options.rounds):
            for side in ("batch", *options.sides.split(",")):
                runs = {"batch": options.runs, "xargs": 3 * options.slow_runs}.get(side, options.slow_runs)
                run = partial(SIDES[side], notebook, inventory, folder, PAUSES[kind], runs, options)
                took = _measured(run, runs)
                taken.setdefault(side, []).append(took)
                scaled = "" if runs == options.runs else f", from {runs} runs scaled to {options.runs}"
                print(
                    f"{kind}: {side:<9} {took.seconds:.3f} s a run, {took.cpu:.3f} s of CPU; "
                    f"{took.seconds * options.runs:.1f} s for {options.runs}{scaled}"
                )
        best = {side: min(each, key=lambda t: t.seconds) for side, each in taken.items()}
        least = {side: min(t.cpu for t in each) for side, each in taken.items()}
        others = [side for side in best if side != "batch"]
        ratios[kind] = {side: round(best[side].seconds / best["batch"].seconds, 1) for side in others}
        cpu[kind] = {side: round(least[side] / least["batch"], 1) for side in others}
        for side in others:
            wanted = WANTED[kind].get(side, 0.0)
            asked = f" (wanted {wanted})" if wanted else ""
            print(f"{kind}: {side}: {ratios[kind][side]} times{asked}, CPU {cpu[kind][side]} times")
    good = all(ratios[kind][side] >= WANTED[kind].get(side, 0.0) for kind in ratios for side in ratios[kind])
    return {**ratios, "cpu_used": cpu, "runs": options.runs, "slow_runs": options.slow_runs}, good


def _measured(run: Callable[[], None], runs: int) -> Took:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    run()
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds / runs, cpu / runs, runs)


def _papermill(notebook: Path, _: Path, folder: Path, pause: float, runs: int, options: argparse.Namespace) -> None:
    for number in range(runs):
        _call(_papermill_command(notebook, folder, pause, number))


def _xargs(notebook: Path, _: Path, folder: Path, pause: float, runs: int, options: argparse.Namespace) -> None:
    lines = [" ".join(_papermill_command(notebook, folder, pause, number)) for number in range(runs)]
    _call(["xargs", "-P8", "-I{}", "sh", "-c", "{}"], text="\n".join(lines) + "\n")


def _papermill_command(notebook: Path, folder: Path, pause: float, number: int) -> list[str]:
    target = str(folder / f"papermill-{number}.ipynb")
    return [
        _program("papermill"), str(notebook), target, "-p", "environment", _name(number), "-p", "pause", str(pause)
    ]  # fmt: skip


def _ploomber(notebook: Path, _: Path, folder: Path, pause: float, runs: int, options: argparse.Namespace) -> None:
    # As papermill's engine, which is what a user of papermill would turn to.
    for number in range(runs):
        command = [*_papermill_command(notebook, folder, pause, number), "--engine", "embedded"]
        _call(command, PYTHONPATH=options.ploomber)


def _ploomber_alone(
    notebook: Path, _: Path, folder: Path, pause: float, runs: int, options: argparse.Namespace
) -> None:
    for number in range(runs):
        target = str(folder / f"ploomber-{number}.ipynb")
        command = [sys.executable, "-m", "ploomber_engine.cli", str(notebook), target]
        command += ["-p", "environment", _name(number), "-p", "pause", str(pause)]
        _call(command, PYTHONPATH=options.ploomber)


def _batch(notebook: Path, inventory: Path, folder: Path, pause: float, runs: int, options: argparse.Namespace) -> None:
    reports = folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    printed = _call(batch_command(notebook, inventory, reports, pause, options.jobs))
    last = json.loads(printed.splitlines()[-1])
    assert (last["runs"], last["healthy"]) == (runs, runs), last


def batch_command(notebook: Path, inventory: Path, reports: Path, pause: float, jobs: int) -> list[str]:
    """The command line of a batch over the whole inventory."""
    command = [_program("cargo-runbook"), "batch", str(notebook), "--env", "*", "-p", f"pause={pause}", "-j", str(jobs)]
    return [*command, "--inventory", str(inventory), "--reports", str(reports), "--json"]


SIDES: Mapping[str, Callable[..., None]] = {
    "batch": _batch,
    "papermill": _papermill,
    "xargs": _xargs,
    "ploomber": _ploomber,
    "ploomber-alone": _ploomber_alone,
}


# --- many runs: truth and memory


def many(folder: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any], bool]:
    """So many runs, each with a record, and how much memory all processes together took."""
    notebook, inventory = write_notebook(folder), write_inventory(folder, options.many)
    reports = folder / "reports"
    command = batch_command(notebook, inventory, reports, _PAUSE_OF_MANY, options.jobs)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
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
    records = {path.parent.name for path in reports.glob("[0-9]*/*/*/*/record.json")}
    lost = options.many - len(count)
    doubled = sum(number - 1 for number in count.values())
    false = sum(outcome["status"] != "healthy" for outcome in outcomes)
    unfiled = len({outcome["record"] for outcome in outcomes} ^ records)
    # Two stretches of the same length, the second before the last runs begin to leave it alone.
    full = options.many - options.jobs
    early, late = mean_memory(memory, 100 - _STRETCH, 100), mean_memory(memory, full - _STRETCH, full)
    most = max((sample.mb for sample in memory), default=0.0)
    print(
        f"{options.many} runs, {options.jobs} wide: {lost} lost, {doubled} doubled, {false} false, {unfiled} not filed"
    )
    print(f"{last['seconds']:.1f} s; PSS at most {most:.0f} MB; before run 100 {early}; before run {full} {late}")
    body = {"lost": lost, "doubled": doubled, "false": false, "unfiled": unfiled, "pss_mb": round(most)}
    good = not (lost or doubled or false or unfiled) and most < ALLOWED_MB and late.mb <= early.mb * 1.05
    more = {"pss_mb_at_100": round(early.mb), "pss_mb_at_end": round(late.mb), "seconds": last["seconds"]}
    return {**body, **more}, good


# --- growth


def growth(folder: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any], bool]:
    """Time per run in a small and in a large batch."""
    notebook = write_notebook(folder)
    per_run = {}
    for runs in (24, 384):
        inventory = write_inventory(folder / str(runs), runs)
        took = _measured(partial(_batch, notebook, inventory, folder, 0.0, runs, options), runs)
        per_run[runs] = took
        print(f"{runs} runs: {took.seconds:.3f} s a run, {took.cpu:.3f} s of CPU")
    ratio = per_run[384].seconds / per_run[24].seconds
    print(f"ratio {ratio:.2f}, CPU {per_run[384].cpu / per_run[24].cpu:.2f} (wanted: at most {ALLOWED_GROWTH})")
    return {"growth": round(ratio, 3)}, ratio <= ALLOWED_GROWTH


# --- what they share


def write_notebook(folder: Path) -> Path:
    """The notebook of the benchmark."""
    sources = [PARAMETERS, IMPORTS, *(STEP.replace("STEP", str(step)) for step in range(1, 13)), CONCLUDE]
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [] if number else ["parameters"]},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    path = folder / "runbook.ipynb"
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def write_inventory(folder: Path, count: int) -> Path:
    """An inventory of so many environments, each with a host of its own."""
    inventory = folder / "environments"
    inventory.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = ENVIRONMENT.format(name=_name(number), high=100 + number // 250, low=number % 250 + 1)
        (inventory / f"{_name(number)}.yaml").write_text(text, encoding="utf-8")
    return inventory


def _name(number: int) -> str:
    return f"site-{number:03d}"


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _call(command: list[str], text: str | None = None, **variables: str) -> str:
    environment = {**os.environ, **{name: value for name, value in variables.items() if value}}
    done = subprocess.run(command, capture_output=True, text=True, input=text, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
