"""A batch against what people would use instead, on the same notebook and in one go; and its memory and growth.

    python benchmarks/batch.py [--json] [--runs 96] [--turns 6] [--only wait,cpu] [--sides papermill,xargs,ploomber,...]
    python benchmarks/batch.py --many 400 -j 16       none lost, none doubled, no false status; memory (PSS)
    python benchmarks/batch.py --growth               time per run at 24 and at 384 runs

The notebook has the shape of a runbook (`shaped.py`). `wait` sleeps 0.6 s in all, as a look at hosts waits; `cpu` does not.

All sides (`sides.py`) take turns, each second time the other way round, and what counts is what a side took in all of them: a
computer that is faster at one moment than at another is so for all. The slow sides run fewer runs, and their time is scaled
to `--runs`; this is said with each figure. Beside times there is the CPU that each side took: on a machine where others work
it says more than times do. The last line with `--json` is data.
"""

from __future__ import annotations

import argparse
import compileall
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from many import many
from sides import SIDES, Task, Took, measured, ploomber_packages

WANTED = {
    "wait": {"papermill": 32.0, "xargs": 14.0, "ploomber": 24.0},
    "cpu": {"papermill": 27.0, "xargs": 12.0, "ploomber": 20.0},
}
PAUSES = {"wait": 0.6, "cpu": 0.0}
ALLOWED_GROWTH = 1.15


def main() -> None:
    """Runs what the options say; exit code 1 when a bound is missed."""
    options = _options()
    # pip has compiled all that the other sides import; an editable install and PYTHONDONTWRITEBYTECODE leave this out.
    compileall.compile_dir(Path(__file__).resolve().parent.parent / "cargo_runbook", quiet=1)
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        folder = Path(name)
        if options.many:
            body, good = many(folder, options.many, options.jobs)
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
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument(
        "--slow-runs",
        type=int,
        default=2,
        help="runs of papermill and ploomber-engine in a turn (xargs: eight at least)",
    )
    parser.add_argument("--only", type=_some_of(PAUSES), default="wait,cpu")
    parser.add_argument("--sides", type=_some_of(SIDES), default="papermill,xargs,ploomber,ploomber-alone")
    parser.add_argument("--ploomber", default="", help="folder with ploomber-engine (default: made once, see sides.py)")
    parser.add_argument("-j", "--jobs", type=int, default=16)
    parser.add_argument("--many", type=int, default=0, metavar="RUNS")
    parser.add_argument("--growth", action="store_true")
    return parser.parse_args()


def _some_of(known: Mapping[str, Any]) -> Callable[[str], tuple[str, ...]]:
    def some(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}, but {', '.join(known)}")
        return names

    return some


def side_by_side(folder: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any], bool]:
    """Ratios of time per run, each side against the batch, and the same of CPU."""
    ratios: dict[str, dict[str, float]] = {}
    cpu: dict[str, dict[str, float]] = {}
    ploomber = options.ploomber or (ploomber_packages() if any("ploomber" in side for side in options.sides) else "")
    for kind in options.only:
        task = Task(folder, options.runs, PAUSES[kind], options.jobs, ploomber)
        taken = in_turns(kind, task, options)
        ours = taken.pop("batch")
        ratios[kind] = {side: round(took.per_run / ours.per_run, 1) for side, took in taken.items()}
        cpu[kind] = {side: round(took.cpu_per_run / ours.cpu_per_run, 1) for side, took in taken.items()}
        for side, ratio in ratios[kind].items():
            wanted = WANTED[kind].get(side, 0.0)
            asked = f" (wanted {wanted})" if wanted else ""
            print(f"{kind}: {side}: {ratio} times{asked}, CPU {cpu[kind][side]} times")
    good = all(ratios[kind][side] >= WANTED[kind].get(side, 0.0) for kind in ratios for side in ratios[kind])
    return {**ratios, "cpu_used": cpu, "runs": options.runs, "turns": options.turns}, good


def in_turns(kind: str, task: Task, options: argparse.Namespace) -> dict[str, Took]:
    """What each side took in all its turns."""
    sides = [side for side in SIDES if side == "batch" or side in options.sides]
    few = {"batch": options.runs, "xargs": max(8, 3 * options.slow_runs)}
    taken = dict.fromkeys(sides, Took())
    for turn in range(options.turns):
        told = []
        for side in sides if turn % 2 == 0 else sides[::-1]:
            took = measured(side, task, few.get(side, options.slow_runs))
            taken[side] += took
            told.append(f"{side} {took.per_run:.3f}")
        print(f"{kind}: turn {turn + 1}, s a run: {', '.join(told)}", flush=True)
    for side, took in taken.items():
        scaled = "" if side == "batch" else f", scaled from {took.runs} runs"
        print(
            f"{kind}: {side:<14} {took.per_run:.3f} s a run, {took.cpu_per_run:.3f} s of CPU; "
            f"{took.per_run * options.runs:.1f} s for {options.runs}{scaled}"
        )
    return taken


def growth(folder: Path, options: argparse.Namespace) -> tuple[Mapping[str, Any], bool]:
    """Time per run in a small and in a large batch."""
    per_run = {}
    for runs in (24, 384):
        took = per_run[runs] = measured("batch", Task(folder, runs, 0.0, options.jobs), runs)
        print(f"{runs} runs: {took.per_run:.3f} s a run, {took.cpu_per_run:.3f} s of CPU")
    small, large = per_run[24], per_run[384]
    ratio = large.per_run / small.per_run
    print(f"ratio {ratio:.2f}, CPU {large.cpu_per_run / small.cpu_per_run:.2f} (wanted: at most {ALLOWED_GROWTH})")
    return {"growth": round(ratio, 3)}, ratio <= ALLOWED_GROWTH


if __name__ == "__main__":
    main()
