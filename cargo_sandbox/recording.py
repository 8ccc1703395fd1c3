"""Making the shipped recordings (`make recordings`): evidence of every state of the sandbox, for the replay.

For the healthy sandbox and for each fault alone: both environments are looked at from operator by the very code
that looks at real ones, and the real docker client's words are kept. Nothing is written by hand. The evidence has
passed the redactor before it gets here; credentials are not part of it.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.concerns import CONCERNS
from cargo_runbook.errors import RunFailed
from cargo_runbook.investigation import open_investigation
from cargo_runbook.observations import observation_to_json
from cargo_runbook.recordings import HEALTHY, recordings_folder
from cargo_runbook.texts import tell
from cargo_sandbox.client import run_client
from cargo_sandbox.faults.catalog import Client, Fault, faults
from cargo_sandbox.faults.engine import FaultEngine
from cargo_sandbox.machines import operator_shell
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.topology import SITES

HEALTHY_CLIENT = Client(command=("docker", "pull", f"{SITES[0].domain}/library/tiny:1"), text="")

Progress = Callable[[str], None]


def record_all(state: StateFolder, progress: Progress, names: Sequence[str] = ()) -> list[Path]:
    """Record every state of a running sandbox in which nothing is broken; the folders are returned.

    Args:
        names: only these faults (or `healthy`); default all that the sandbox can have.

    Raises:
        SandboxUnavailable, SandboxFailed: the sandbox does not run, or a fault does not take effect.
        RunFailed: an environment could not be looked at.
    """
    engine = FaultEngine(state)
    made = []
    if not names or HEALTHY in names:
        made.append(_record(state, HEALTHY, HEALTHY_CLIENT, None))
        progress(HEALTHY)
    for fault in faults():
        if (names and fault.name not in names) or (fault.needs == "cluster" and state.cluster is None):
            continue
        engine.break_(fault.name)
        try:
            made.append(_record(state, fault.name, fault.client, fault))
        finally:
            engine.heal(fault.name)
        progress(fault.name)
    return made


def _record(state: StateFolder, name: str, client: Client, fault: Fault | None) -> Path:
    target = recordings_folder() / name
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=recordings_folder()) as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        for site in SITES:
            (folder / f"{site.name}.jsonl").write_text(_look(state, site.name), encoding="utf-8")
            shutil.copyfile(state.inventory / f"{site.name}.yml", folder / f"{site.name}.yml")
        shutil.copyfile(state.inventory / "ca.crt", folder / "ca.crt")
        body = {
            "recorded": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "title": fault.title.en if fault else "Nothing is broken",
            "title_zh": fault.title.zh if fault else "一切正常",
            "environments": [fault.environment, *fault.also] if fault and not fault.harmless else [],
            "expected_root_causes": list(fault.expected_root_causes) if fault else [],
            "elsewhere": fault.elsewhere if fault else {},
            "concerns": sorted(CONCERNS),
            "client": {shlex.join(client.command): run_client(state, client)},
        }
        text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
        (folder / "recording.json").write_text(text, encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return target


def _look(state: StateFolder, environment: str) -> str:
    argv = [sys.executable, "-m", "cargo_sandbox.recording", environment]
    command = operator_shell.command_line(state, argv)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise RunFailed(
            tell(f"{environment} could not be looked at", f"无法检查 {environment}"),
            vantage="operator",
            seen=done.stderr.strip(),
        )
    return done.stdout


def main(arguments: Sequence[str]) -> None:
    """On operator: look at one environment and print the evidence, a line an observation."""
    with open_investigation(arguments[0], replay="") as investigation:
        investigation.diagnose()
        for observation in investigation.evidence:
            print(json.dumps(observation_to_json(observation), ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
