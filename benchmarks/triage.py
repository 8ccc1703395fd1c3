"""The triage of many environments on a running sandbox: a batch against a loop of papermill, with equal results.

    python benchmarks/triage.py [--name SANDBOX] [--environments 24] [--loop-runs 24] [--turns 2] [--json]

The installations of the sandbox are put into an inventory under many names; break some before, so that there is something
to find (`cargo-runbook sandbox break wrong-domain`). Both sides run `runbooks/00_triage.ipynb` on operator. The loop may
run fewer environments (`--loop-runs`); its time is then scaled, and this is said. Both take turns, so that a computer which
is faster at one moment than at another is so for both: a part of the loop, a batch, another part, another batch.
"""

from __future__ import annotations

import argparse
import compileall
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cargo_sandbox.machines import operator_shell
from cargo_sandbox.paths import StateFolder, state_folder

ALLOWED_RATIO = 10.0
RUNBOOK = Path(__file__).parents[1] / "runbooks" / "00_triage.ipynb"

Results = dict[str, list[str]]
"""Root causes of each environment."""


def main() -> None:
    """Runs both sides; exit code 1 when the batch is not fast enough or the results differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", default="default")
    parser.add_argument("--environments", type=int, default=24)
    parser.add_argument("--loop-runs", type=int, default=24, help="runs of the loop in all its turns")
    parser.add_argument("--turns", type=int, default=2, help="batches, each after its part of the loop")
    parser.add_argument("-j", "--jobs", type=int, default=16)
    parser.add_argument("--per-host", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The sandbox's machines write no bytecode; both sides would compile the project anew in each process.
    compileall.compile_dir(RUNBOOK.parents[1] / "cargo_runbook", quiet=1)
    state = state_folder(options.name)
    # What operator writes is seen outside of it only below the project.
    with tempfile.TemporaryDirectory(prefix="triage-", dir=RUNBOOK.parents[1] / "reports") as name:
        folder = Path(name)
        names = many_names(state, folder / "environments", options.environments)
        theirs, ours, found, batches = in_turns(state, folder, names, options)
    theirs *= len(names) / len(found)
    scaled = f", scaled from {len(found)} runs" if len(found) < len(names) else ""
    equal = all(results.keys() == set(names) and results | found == results for results in batches)
    ratio = theirs / ours
    mean = f"the mean of {len(batches)} batches {ours:.1f} s"
    print(f"{len(names)} environments: papermill loop {theirs:.1f} s{scaled}, {mean}, ratio {ratio:.1f}")
    print(f"results {'equal' if equal else 'DIFFER'}; wanted: at least {ALLOWED_RATIO} times faster, equal results")
    if options.json:
        body = {"papermill": round(theirs, 2), "batch": round(ours, 2), "ratio": round(ratio, 2), "equal": equal}
        print(json.dumps({**body, "environments": len(names), "loop_runs": len(found)}))
    sys.exit(0 if equal and ratio >= ALLOWED_RATIO else 1)


def in_turns(
    state: StateFolder, folder: Path, names: list[str], options: argparse.Namespace
) -> tuple[float, float, Results, list[Results]]:
    """Seconds of the whole loop, and of a batch in the mean; what the loop found, and each batch."""
    theirs, ours = 0.0, 0.0
    found: Results = {}
    batches = []
    for turn in range(options.turns):
        seconds, results = loop(state, folder, names[turn : options.loop_runs : options.turns])
        theirs += seconds
        found |= results
        seconds, results = batch(state, folder, options)
        ours += seconds / options.turns
        batches.append(results)
    return theirs, ours, found, batches


def many_names(state: StateFolder, inventory: Path, count: int) -> list[str]:
    """Writes the installations in turn under so many names; gives the names, in an order that mixes them."""
    inventory.mkdir()
    for path in state.inventory.iterdir():
        if path.suffix not in (".yml", ".yaml"):
            (inventory / path.name).symlink_to(path)
    sources = sorted(path for path in state.inventory.iterdir() if path.suffix in (".yml", ".yaml"))
    names = []
    for number in range(count):
        source = sources[number % len(sources)]
        name = f"{source.stem}-{number:02d}"
        lines = [line for line in source.read_text(encoding="utf-8").splitlines() if not line.startswith("name:")]
        (inventory / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        names.append(name)
    return names


def loop(state: StateFolder, folder: Path, names: list[str]) -> tuple[float, Results]:
    """papermill, one environment after another; seconds, and the root causes of each."""
    results = {}
    began = time.monotonic()
    for name in names:
        draft = folder / "loop" / f"20260101T000000Z-{name}-00_triage-000000"
        draft.mkdir(parents=True)
        command = [_program("papermill"), str(RUNBOOK), str(draft / "notebook.ipynb"), "-p", "environment", name]
        variables = {"CARGO_RUNBOOK_INVENTORY": str(folder / "environments"), "CARGO_RUNBOOK_RECORD": str(draft)}
        _on_operator(state, command, (0,), **variables)
        results[name] = json.loads((draft / "verdict.json").read_text(encoding="utf-8"))["root_causes"]
    return time.monotonic() - began, results


def batch(state: StateFolder, folder: Path, options: argparse.Namespace) -> tuple[float, Results]:
    """The batch; seconds, and the root causes of each."""
    command = [_program("cargo-runbook"), "batch", str(RUNBOOK), "--env", "*", "-j", str(options.jobs), "--json"]
    command += ["--per-host", str(options.per_host), "--per-cluster", str(options.jobs)]
    command += ["--inventory", str(folder / "environments"), "--reports", str(folder / "reports")]
    began = time.monotonic()
    printed = _on_operator(state, command, (0, 1, 3))
    seconds = time.monotonic() - began
    return seconds, {line["environment"]: line["root_causes"] for line in map(json.loads, printed.splitlines()[:-1])}


def _on_operator(state: StateFolder, argv: list[str], wanted: tuple[int, ...], **variables: str) -> str:
    pairs = [f"{key}={value}" for key, value in variables.items()]
    done = subprocess.run(
        operator_shell.command_line(state, ["env", *pairs, *argv]), capture_output=True, text=True, check=False
    )
    if done.returncode not in wanted:
        sys.exit(f"{' '.join(argv[:3])} ... ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    main()
