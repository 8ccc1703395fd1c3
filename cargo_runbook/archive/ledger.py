"""The ledger of a run: what each step of a notebook came to, kept in a file beside it while the run goes on.

`ledger.jsonl` gets a line before a step and one after it, and each is on the disk before the run goes on: a good end
together with the line of what comes next. So it stays true whatever ends the runner: an error, a signal that nobody can
catch, a power cut. A lock (flock) on the file says that its runner lives: without the lock and without a last line, the
run was cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import parse
from cargo_runbook.errors import RunbookError
from cargo_runbook.texts import Text, tell

LEDGER = "ledger.jsonl"
"""Name of the file in a record."""
VERSION = 1
_sync = getattr(os, "fdatasync", os.fsync)


class StepStatus(StrEnum):
    """What became of one step (code cell). A step that never ran is `not_run`; nothing is guessed."""

    NOT_RUN = "not_run"
    RUNNING = "running"
    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KERNEL_DIED = "kernel_died"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


_GOOD = (StepStatus.OK, StepStatus.WARNED, StepStatus.SKIPPED)

STEP_WORDS: Mapping[StepStatus, Text] = {
    StepStatus.NOT_RUN: Text("not run", "未执行"),
    StepStatus.RUNNING: Text("running", "执行中"),
    StepStatus.OK: Text("ok", "完成"),
    StepStatus.WARNED: Text("ok, with warnings", "完成，有警告"),
    StepStatus.FAILED: Text("failed", "失败"),
    StepStatus.TIMED_OUT: Text("timed out", "超时"),
    StepStatus.KERNEL_DIED: Text("kernel died", "内核退出"),
    StepStatus.INTERRUPTED: Text("interrupted", "被中断"),
    StepStatus.SKIPPED: Text("skipped", "跳过"),
}


class RunState(StrEnum):
    """Whether a run goes on, came to its end (a good or a bad one), or was cut off."""

    RUNNING = "running"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


class LedgerError(RunbookError):
    """A ledger can't be written or read; `path` says which."""

    def __init__(self, path: Path, problem: Text, next_step: str = "") -> None:
        super().__init__(tell(f"the ledger {path} {problem.en}", f"运行台账 {path} {problem.zh}"), next_step=next_step)
        self.path = path


@dataclass(frozen=True)
class Step:
    """One code cell of the run. `cell` is its index in the executed notebook; times are ISO UTC, empty if none."""

    cell: int
    id: str
    status: StepStatus = StepStatus.NOT_RUN
    started: str = ""
    ended: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Account:
    """What a ledger says. `reason` tells why a run did not come to a good end; `host` and `pid` whose it was; `about`
    what else was known of it when it began.
    """

    state: RunState
    environment: str = ""
    runbook: str = ""
    steps: tuple[Step, ...] = ()
    started: str = ""
    ended: str = ""
    reason: str = ""
    host: str = ""
    pid: int = 0
    about: Mapping[str, str] = field(default_factory=dict)


class Ledger:
    """Writes the ledger of one run. Every call returns when its line is on the disk.

    Args:
        folder: the draft of the record.
        environment, runbook: whose run it is.
        redact: what each reason passes before it is written.
        about: what a record needs beside it, should nobody be left to tell (domain, incident and so on).

    Raises:
        LedgerError: from each call that can't write, so that no step runs that is not accounted for.
    """

    def __init__(
        self,
        folder: Path,
        environment: str = "",
        runbook: str = "",
        redact: Callable[[str], str] = str,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.path = folder / LEDGER
        self._told = {"environment": environment, "runbook": runbook, "about": dict(about or {})}
        self._redact = redact
        try:
            # Not inherited by kernels (PEP 446): the lock must end with this process, whatever it leaves behind.
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for place in (folder, folder.parent):
                _sync_folder(place)
        except OSError as error:
            raise self._failed(error) from None

    def run(self, steps: Sequence[tuple[int, str]]) -> None:
        """The run begins, with these steps: index of the cell and its id."""
        listed = [{"cell": cell, "id": name} for cell, name in steps]
        runner = {"host": socket.gethostname(), "pid": os.getpid()}
        self._write("run", version=VERSION, **self._told, **runner, steps=listed)

    def begin(self, cell: int) -> None:
        """A step is about to be run."""
        self._write("begin", cell=cell)

    def end(self, cell: int, status: StepStatus, reason: str = "") -> None:
        """A step came to this."""
        # What follows a good end is put on the disk before it is done, and this with it: half as many waits for the disk.
        at_once = status not in _GOOD
        self._write("end", at_once, cell=cell, status=status, **({"reason": self._redact(reason)} if reason else {}))

    def close(self, reason: str = "") -> None:
        """The run is over; `reason` is empty for one that came to a good end. The lock is kept until `release`."""
        self._write("close", **({"reason": self._redact(reason)} if reason else {}))

    def release(self) -> None:
        """Gives the lock up; to be called when the record is sealed, or won't be. No harm when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, entry: str, at_once: bool = True, /, **fields: Any) -> None:
        line = json.dumps({"entry": entry, "time": _now(), **fields}, ensure_ascii=False) + "\n"
        try:
            _write_all(self._file, line.encode("utf-8", "replace"))
            if at_once:
                _sync(self._file)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> LedgerError:
        problem = Text(f"can't be written: {error.strerror}", f"无法写入：{error.strerror}")
        step = tell("Make room or name another --reports.", "请腾出空间，或用 --reports 指定其他目录。")
        return LedgerError(self.path, problem, step)


def read_account(folder: Path, *, held: bool = False) -> Account:
    """What the ledger in a draft or in a record says of its run.

    Steps that had begun when the runner was cut off are `interrupted`; those of a run that goes on are `running`.

    Args:
        held: the caller holds the lock, so that no runner does.

    Raises:
        LedgerError: there is no ledger, or it holds no ledger's lines. (A last line that was cut off is passed over:
            what it would have said was not on the disk yet.)
    """
    path = folder / LEDGER
    try:
        with path.open("rb") as file:
            # First the lock, then the lines: the other way round, a run that ends between the two looks cut off.
            alive = not held and not _lock_is_free(file.fileno())
            lines = file.read().split(b"\n")[:-1]
    except OSError as error:
        raise LedgerError(path, Text(f"can't be read: {error.strerror}", f"无法读取：{error.strerror}")) from None
    account = _account(path, lines)
    if account.state is RunState.ENDED:
        return account
    state = RunState.RUNNING if alive else RunState.INTERRUPTED
    if alive:
        return replace(account, state=state)
    cut = (replace(s, status=StepStatus.INTERRUPTED) if s.status is StepStatus.RUNNING else s for s in account.steps)
    return replace(account, state=state, steps=tuple(cut), reason="the runner was cut off before the run's end")


def account_to_json(account: Account) -> dict[str, Any]:
    """The machine interface of an account."""
    return {**vars(account), "steps": [vars(step) for step in account.steps]}


def _account(path: Path, lines: Sequence[bytes]) -> Account:
    account, steps = Account(RunState.INTERRUPTED), {}
    for entry in _entries(path, lines):
        match entry:
            case {"entry": "run", "time": str(time), "steps": list(listed)}:
                told = {name: str(entry.get(name) or "") for name in ("environment", "runbook", "host")}
                account = replace(account, started=time, pid=int(entry.get("pid") or 0))
                about = {str(name): str(value) for name, value in dict(entry.get("about") or {}).items()}
                account = replace(account, environment=told["environment"], runbook=told["runbook"], host=told["host"])
                account = replace(account, about=about)
                steps = {int(step["cell"]): Step(int(step["cell"]), str(step["id"])) for step in listed}
            case {"entry": "begin", "time": str(time), "cell": int(cell)} if cell in steps:
                steps[cell] = replace(steps[cell], status=StepStatus.RUNNING, started=time)
            case {"entry": "end", "time": str(time), "cell": int(cell), "status": str(status)} if cell in steps:
                reason = str(entry.get("reason") or "")
                steps[cell] = replace(steps[cell], status=StepStatus(status), ended=time, reason=reason)
            case {"entry": "close", "time": str(time)}:
                account = replace(account, state=RunState.ENDED, ended=time, reason=str(entry.get("reason") or ""))
            case _:
                raise LedgerError(path, Text("has a line that says nothing a ledger says", "中有一行不是台账的内容"))
    return replace(account, steps=tuple(steps.values()))


def _entries(path: Path, lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            yield parse(line)
        except ValueError:
            problem = Text(f"can't be read: line {number} is not JSON", f"无法读取：第 {number} 行不是 JSON")
            raise LedgerError(path, problem) from None


def _lock_is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
