"""`cargo-runbook demo`: the main job on real input, from a working registry to a record of what broke it.

Where the sandbox can run, everything here is real. Elsewhere the same runbook runs on evidence that was recorded
from the sandbox, and every page says so.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Protocol

from cargo_runbook.cli.console import message, tell
from cargo_runbook.connections import read_evidence
from cargo_runbook.errors import RunFailed
from cargo_runbook.findings import Diagnosis, Health, diagnosis_from_json
from cargo_runbook.observations import Observation
from cargo_runbook.recordings import HEALTHY, REPLAY_VARIABLE, Recording, load_recording
from cargo_runbook.views.terminal import show, verdict_card, verdict_table
from cargo_sandbox import lab
from cargo_sandbox.client import last_line, run_client
from cargo_sandbox.faults.catalog import Client, fault
from cargo_sandbox.faults.engine import FaultEngine
from cargo_sandbox.machines import operator_shell
from cargo_sandbox.paths import StateFolder, state_folder
from cargo_sandbox.progress import shown_progress
from cargo_sandbox.requirements import can_run
from cargo_sandbox.topology import site

NAME = "demo"
FAULT = "wrong-domain"
RUNBOOK = "00_triage"
ENVIRONMENTS = ("cargo", "devops")
DOMAIN = site(ENVIRONMENTS[0]).domain
PULL = ("docker", "pull", f"{DOMAIN}/library/tiny:1")
BROKEN = fault(FAULT).client


@dataclass(frozen=True)
class Shown:
    """A command as one would type it, and what it printed last."""

    command: str
    printed: str


class Ground(Protocol):
    """Where the demo takes place."""

    def start(self) -> str:
        """Begin; gives a line about what is there."""

    def pull(self) -> Shown:
        """The client, while all is well."""

    def break_it(self) -> Shown:
        """Inject the fault; the client's own words about it."""

    def runbook(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs the runbook there."""

    def stop(self) -> None:
        """Clean up; may be called at any time."""


class Practice:
    """The sandbox, started for the demo under a name of its own."""

    def __init__(self) -> None:
        self._state: StateFolder = state_folder(NAME)

    def start(self) -> str:
        lab.down(self._state)
        with shown_progress() as progress:
            lab.up(self._state, progress)
        return tell(
            "three Cargo installations, a master, a DNS server, and you on operator", "三套 Cargo、master、DNS 和操作机"
        )

    def pull(self) -> Shown:
        return self._client(Client(command=PULL, text=""))

    def break_it(self) -> Shown:
        FaultEngine(self._state).break_(FAULT)
        return self._client(BROKEN)

    def runbook(self, arguments: Sequence[str]) -> list[str]:
        return operator_shell.command_line(self._state, ["cargo-runbook", *arguments])

    def stop(self) -> None:
        lab.down(self._state)

    def _client(self, client: Client) -> Shown:
        return Shown(shlex.join(client.command), last_line(run_client(self._state, client)))


class Replay:
    """Recorded evidence of the sandbox, for computers on which it can't run."""

    def start(self) -> str:
        self._healthy, self._broken = load_recording(HEALTHY), load_recording(FAULT)
        return self._broken.banner

    def pull(self) -> Shown:
        return self._recorded(self._healthy, PULL)

    def break_it(self) -> Shown:
        return self._recorded(self._broken, BROKEN.command)

    def runbook(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "cargo_runbook", *arguments, "--replay", FAULT]

    def stop(self) -> None:
        """Nothing was started."""

    def _recorded(self, recording: Recording, argv: Sequence[str]) -> Shown:
        command = shlex.join(argv)
        return Shown(command, last_line(recording.client[command]))


def demo(*, replay: bool) -> None:
    """Run the demo, on recorded evidence when `replay` is set or the sandbox can't run here.

    Raises:
        RunFailed: it did not show what it should.
    """
    missing = can_run()
    if missing and not replay:
        message(
            tell("The sandbox can't run here: it needs ", "此处无法运行练习环境，缺少：") + ", ".join(missing) + "."
        )
        message(tell("The same runbook runs on recorded evidence instead.", "改用录制的证据执行同一个 runbook。"))
    ground: Ground = Replay() if missing or replay else Practice()
    with _cleaned(ground):
        _show(ground)


@contextmanager
def _cleaned(ground: Ground) -> Iterator[None]:
    try:
        yield
    finally:
        ground.stop()


def _show(ground: Ground) -> None:
    began = time.monotonic()
    packages = len({d.metadata["Name"].lower() for d in distributions()})
    _step(1, tell("environment", "环境"), tell(f"{packages} Python packages ready", f"{packages} 个 Python 包就绪"))
    _step(2, tell("sandbox", "练习环境"), ground.start())
    pull = ground.pull()
    _step(3, tell("healthy", "正常"), f"$ {pull.command}", f"  {pull.printed}")
    broken = ground.break_it()
    _step(
        4,
        tell("break", "故障"),
        tell(f"{FAULT} on cargo", f"在 cargo 上注入 {FAULT}"),
        f"$ {broken.command}",
        f"  {broken.printed}",
    )
    _step(5, RUNBOOK, tell("runs over both environments", "在两个环境上执行"))
    records = _run(ground)
    diagnoses = [_read(record) for record in records]
    print()
    show(verdict_table([diagnosis for diagnosis, _ in diagnoses]))
    for diagnosis, evidence in diagnoses:
        if diagnosis.status is not Health.HEALTHY:
            print()
            show(verdict_card(diagnosis, evidence))
    print()
    first, *rest = [_near(record) for record in records]
    _step(6, tell("records", "记录"), first, *rest)
    print()
    print(_next(time.monotonic() - began))
    _expected([diagnosis for diagnosis, _ in diagnoses])


def _step(number: int, title: str, first: str, *rest: str) -> None:
    # Flushed, because the progress of what comes next goes to standard error.
    print(f"[{number}/6] {title:<12} {first}", flush=True)
    for line in rest:
        print(f"{' ' * 19}{line}", flush=True)


def _near(path: Path) -> str:
    """The path as one would type it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _run(ground: Ground) -> list[Path]:
    environments = [word for name in ENVIRONMENTS for word in ("--env", name)]
    # Progress of the run goes to standard error, which is ours: a bar on a terminal, lines elsewhere.
    done = subprocess.run(
        ground.runbook(["run", RUNBOOK, *environments, "--json"]), stdout=subprocess.PIPE, check=False
    )
    try:
        records = [Path(entry["path"]) for entry in json.loads(done.stdout)]
    except (ValueError, KeyError, TypeError):
        records = []
    if len(records) != len(ENVIRONMENTS):
        raise RunFailed(
            tell("the runbook did not leave its records", "runbook 没有留下记录"),
            seen=tell(f"exit code {done.returncode}", f"退出码 {done.returncode}"),
        )
    return records


def _read(record: Path) -> tuple[Diagnosis, tuple[Observation, ...]]:
    diagnosis = diagnosis_from_json(json.loads((record / "verdict.json").read_text(encoding="utf-8")))
    return diagnosis, tuple(read_evidence(record / "evidence.jsonl"))


def _next(seconds: float) -> str:
    beside_python = Path(sys.prefix) / "bin" / "cargo-runbook"
    program = "cargo-runbook" if shutil.which("cargo-runbook") else _near(beside_python)
    steps = [
        (f"{program} records list", tell("the records that there are", "查看已有记录")),
        (f"{program} codes CRG201", tell("what the code means", "代码的含义")),
    ]
    walk = tell("step through it in JupyterLab", "在 JupyterLab 中逐步执行")
    if can_run():
        steps.append((f"{REPLAY_VARIABLE}={FAULT} {program} notebook", walk))
    else:
        steps.append((f"{program} sandbox up", tell("practise yourself", "自己练习")))
        steps.append((f"{program} sandbox notebook", walk))
    width = max(len(command) for command, _ in steps) + 4
    head = tell(f"Done in {seconds:.0f} s. Next:", f"用时 {seconds:.0f} 秒。接下来：")
    return "\n".join([head, *(f"  {command:<{width}}{what}" for command, what in steps)])


def _expected(diagnoses: Sequence[Diagnosis]) -> None:
    """A demo that did not show what it should must not pass for one that did."""
    shown = {d.environment: d.root_causes for d in diagnoses}
    if shown != {"cargo": ("CRG201",), "devops": ()} or diagnoses[-1].status is not Health.HEALTHY:
        raise RunFailed(
            tell("the demo did not end as it should", "演示结果与预期不符"),
            seen=str(shown),
            next_step=tell("Look at the records above.", "请查看上面的记录。"),
        )
