"""A game day: something is broken without saying what, and the engineer's verdict is scored against the truth.

What is broken is kept encoded and only for root: somebody who looks for the cause does not stumble over it in a file, in
`status`, or in the process list. It is no secret from somebody who wants to cheat.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cargo_runbook.errors import UsageError
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.texts import tell
from cargo_sandbox.client import run_client
from cargo_sandbox.faults.catalog import Fault, fault, faults
from cargo_sandbox.faults.engine import FaultEngine
from cargo_sandbox.material.files import write
from cargo_sandbox.paths import StateFolder

FREE = 120.0
"""Seconds that cost nothing."""
STEP = 30.0
"""Each further so many seconds cost a point, down to half of what the verdict is worth."""
RIGHT, PARTLY, WRONG = "right", "partly", "wrong"
_WORTH = {RIGHT: 100, PARTLY: 50, WRONG: 0}


@dataclass(frozen=True)
class Drill:
    """A drill that goes on. `command` is empty where the client is a script; `started` is the computer's clock."""

    seed: int
    fault: str
    environment: str
    command: tuple[str, ...]
    symptom: str
    started: float


@dataclass(frozen=True)
class Result:
    """A drill that is over. `verdict` is right, partly or wrong; `answer` is empty when the truth was asked for."""

    seed: int
    fault: str
    truth: tuple[str, ...]
    answer: tuple[str, ...]
    verdict: str
    seconds: float
    points: int


def judge(answer: Sequence[str], truth: Sequence[str]) -> str:
    """How a verdict compares with the root causes."""
    named, real = set(answer), set(truth)
    return RIGHT if named == real else PARTLY if named & real else WRONG


def points_for(verdict: str, seconds: float) -> int:
    """What a verdict after `seconds` is worth."""
    worth = _WORTH[verdict]
    late = int(max(0.0, seconds - FREE) // STEP)
    return max(worth - late, worth // 2)


def candidates(*, cluster: bool) -> tuple[Fault, ...]:
    """The faults that a drill can take: those with a root cause that can be named, and that hurt."""
    return tuple(
        each for each in faults() if each.expected_root_causes and not each.harmless and (cluster or not each.needs)
    )


class GameDay:
    """The drills of one sandbox."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._engine = FaultEngine(state)

    @property
    def _file(self) -> Path:
        return self._state.path / "exercise"

    @property
    def _past(self) -> Path:
        return self._state.path / "exercises"

    def current(self) -> Drill | None:
        """The drill that goes on; None when none does."""
        try:
            body = json.loads(base64.b64decode(self._file.read_bytes()))
        except (FileNotFoundError, PermissionError):
            return None
        return Drill(**{**body, "command": tuple(body["command"])})

    def past(self) -> tuple[Result, ...]:
        """The drills of this sandbox that are over, the oldest first."""
        try:
            lines = self._past.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        bodies = [json.loads(line) for line in lines]
        return tuple(Result(**{**b, "truth": tuple(b["truth"]), "answer": tuple(b["answer"])}) for b in bodies)

    def start(self, seed: int | None = None) -> Drill:
        """Breaks something, and lets the client run into it.

        Raises:
            UsageError: a drill goes on, or something is broken already.
            SandboxUnavailable, SandboxFailed: see FaultEngine.break_.
        """
        if self.current() is not None:
            raise UsageError(
                tell("a drill goes on", "演练正在进行"),
                next_step=tell(
                    "Answer it: cargo-runbook sandbox drill --answer CODE   (or give up: --reveal)",
                    "提交判断：cargo-runbook sandbox drill --answer 代码   （放弃：--reveal）",
                ),
            )
        if self._engine.broken():
            raise UsageError(
                tell("something is broken already, so the drill would not be fair", "已经有故障存在，演练将不公平"),
                next_step=tell(
                    "Heal it first: cargo-runbook sandbox heal --all", "请先恢复：cargo-runbook sandbox heal --all"
                ),
            )
        number = secrets.randbelow(1_000_000) if seed is None else seed
        choice = random.Random(number)  # noqa: S311 - a game
        chosen = choice.choice(candidates(cluster=self._state.cluster is not None))
        self._engine.break_(chosen.name)
        printed = run_client(self._state, chosen.client)
        # A script would tell what was thought of; what it prints is what one gets to see.
        command = () if chosen.client.command[0] == "bash" else chosen.client.command
        drill = Drill(number, chosen.name, chosen.environment, command, printed, time.time())
        write(self._file, base64.b64encode(json.dumps(asdict(drill)).encode()), mode=0o600)
        return drill

    def answer(self, codes: Sequence[str]) -> Result:
        """Takes the verdict, scores it, and heals what was broken. No codes: the truth is asked for.

        Raises:
            UsageError: no drill goes on, or there is no such code; the drill then goes on.
            SandboxFailed: healing failed.
        """
        drill = self.current()
        if drill is None:
            raise UsageError(
                tell("no drill goes on", "没有正在进行的演练"),
                next_step=tell("Begin one: cargo-runbook sandbox drill", "开始演练：cargo-runbook sandbox drill"),
            )
        named = tuple(dict.fromkeys(code.upper() for code in codes))
        unknown = [code for code in named if code not in catalog()]
        if unknown:
            raise UsageError(
                tell(
                    f"there is no finding code {unknown[0]}; the drill goes on",
                    f"没有诊断代码 {unknown[0]}；演练继续进行",
                ),
                next_step=tell("`cargo-runbook codes` lists them.", "用 `cargo-runbook codes` 查看全部代码。"),
            )
        truth = fault(drill.fault).expected_root_causes
        seconds = max(0.0, time.time() - drill.started)
        verdict = judge(named, truth)
        points = points_for(verdict, seconds)
        result = Result(drill.seed, drill.fault, truth, named, verdict, round(seconds, 1), points)
        lines = [json.dumps(asdict(each)) for each in (*self.past(), result)]
        write(self._past, "".join(f"{line}\n" for line in lines), mode=0o600)
        self._file.unlink()
        self._engine.heal_all()
        return result


def is_going_on(state: StateFolder) -> bool:
    """Whether what is broken is to be kept back."""
    return GameDay(state).current() is not None
