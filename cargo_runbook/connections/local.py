"""Commands at the operator: an argv, a process group of its own, a deadline that ends the whole group."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from cargo_runbook.connections.base import Capture, Deadline, Failure, Look
from cargo_runbook.connections.docker.here import ask_here
from cargo_runbook.observations import Command, Observation, Status
from cargo_runbook.texts import Text

_PATIENCE = 0.5
"""Seconds that a process group has to end after SIGTERM, and that children may hold on to a pipe after its leader."""


@dataclass(frozen=True)
class Outcome:
    """How a local command ended. `exit_code` is None when the deadline ended it; negative for a signal."""

    exit_code: int | None
    output: bytes
    error: bytes
    truncated: bool


def ask_local(look: Look, question: Command) -> Observation:
    """Runs the command of `question`."""
    data = {"argv": list(question.argv)}
    if (told := ask_here(question.argv, look.deadline)) is not None:
        output, requests = told
        return look.observe(Status.ANSWERED, exit_code=0, output=output, data={**data, "docker_api": requests})
    try:
        outcome = run(question.argv, look.deadline)
    except Failure as failure:
        return look.failed(failure, data=data)
    return observe_outcome(look, outcome, data)


def observe_outcome(look: Look, outcome: Outcome, data: Mapping[str, object]) -> Observation:
    """The observation of a local command that ran."""
    timeout = outcome.exit_code is None
    return look.observe(
        Status.TIMEOUT if timeout else Status.ANSWERED,
        exit_code=outcome.exit_code,
        output=outcome.output,
        error=outcome.error,
        data={**data, "reason": "timeout"} if timeout else data,
        truncated=outcome.truncated,
    )


def run(
    argv: Sequence[str], deadline: Deadline, *, stdin: bytes = b"", variables: Mapping[str, str] | None = None
) -> Outcome:
    """Runs `argv` in the C locale until it ends or the deadline does.

    Args:
        stdin: its input, which never touches a disk; none by default.
        variables: added to the environment.

    Raises:
        Failure: the program was not found (`not_found`) or can't be run (`not_executable`).
    """
    given = _input(stdin)
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C", **(variables or {})},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        sentence = Text(f"the program {argv[0]} is not there", f"没有程序 {argv[0]}")
        raise Failure(Status.ERROR, "not_found", sentence) from error
    except (OSError, ValueError) as error:
        raise Failure(
            Status.ERROR,
            "not_executable",
            Text(f"the program {argv[0]} can't be run: {error}", f"无法运行程序 {argv[0]}：{error}"),
        ) from error
    finally:
        if given != subprocess.DEVNULL:
            os.close(given)
    output, complaint = Capture(), Capture()
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        at_end = _read(process, {process.stdout: output, process.stderr: complaint}, deadline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(deadline.left())
        exit_code = process.poll()
        if exit_code is None or not at_end:
            _end_group(process)
    finally:
        process.stdout.close()
        process.stderr.close()
    return Outcome(exit_code, output.content(), complaint.content(), output.overflow or complaint.overflow)


def _input(content: bytes) -> int:
    """A descriptor to read `content` from: a file in memory, because a pipe that nobody reads would block."""
    if not content:
        return subprocess.DEVNULL
    descriptor = os.memfd_create("stdin")
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _read(process: subprocess.Popen[bytes], captures: Mapping[IO[bytes], Capture], deadline: Deadline) -> bool:
    """Reads until all pipes are at their end (True), the deadline is over, or only left-over children hold them."""
    with selectors.DefaultSelector() as selector:
        for stream, capture in captures.items():
            selector.register(stream, selectors.EVENT_READ, capture)
        last: Deadline | None = None
        while selector.get_map() and not deadline.over:
            if last is None and process.poll() is not None:
                last = Deadline(_PATIENCE)
            if last is not None and last.over:
                return False
            for key, _ in selector.select(min(deadline.left(), 0.1)):
                data = os.read(key.fd, 65536)
                if data:
                    key.data.add(data)
                else:
                    selector.unregister(key.fileobj)
        return not selector.get_map()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends all that is left of the process group: nothing that was started here outlives its question."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
    process.wait()
