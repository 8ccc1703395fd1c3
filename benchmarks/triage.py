"""The triage of many environments on a running sandbox: a batch against a loop of papermill, with equal results.

    python benchmarks/triage.py [--name SANDBOX] [--environments 24] [--loop-runs 24] [--json]

The installations of the sandbox are put into an inventory under many names; break some before, so that there is something
to find (`cargo-runbook sandbox break wrong-domain`). Both sides run `runbooks/00_triage.ipynb` on operator. The loop may
run fewer environments (`--loop-runs`); its time is then scaled, and this is said.
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


def main() -> None:
    """Runs both sides; exit code 1 when the batch is not fast enough or the results differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--name", default="default")
    parser.add_argument("--environments", type=int, default=24)
    parser.add_argument("--loop-runs", type=int, default=24)
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
        theirs, their_results = loop(state, folder, names[: options.loop_runs])
        ours, our_results = batch(state, folder, options)
    theirs *= len(names) / len(their_results)
    scaled = f", scaled from {len(their_results)} runs" if len(their_results) < len(names) else ""
    equal = all(our_results[name] == result for name, result in their_results.items()) and len(our_results) == len(
        names
    )
    ratio = theirs / ours
    print(f"{len(names)} environments: papermill loop {theirs:.1f} s{scaled}, batch {ours:.1f} s, ratio {ratio:.1f}")
    print(f"results {'equal' if equal else 'DIFFER'}; wanted: at least {ALLOWED_RATIO} times faster, equal results")
    if options.json:
        body = {"papermill": round(theirs, 2), "batch": round(ours, 2), "ratio": round(ratio, 2), "equal": equal}
        print(json.dumps({**body, "environments": len(names), "loop_runs": len(their_results)}))
    sys.exit(0 if equal and ratio >= ALLOWED_RATIO else 1)


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


def loop(state: StateFolder, folder: Path, names: list[str]) -> tuple[float, dict[str, list[str]]]:
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


def batch(state: StateFolder, folder: Path, options: argparse.Namespace) -> tuple[float, dict[str, list[str]]]:
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
