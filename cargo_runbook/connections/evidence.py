"""Evidence: observations with ids, asked once, written as a file that a later reader can judge again."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from cargo_runbook.connections.base import Connections
from cargo_runbook.errors import RunbookError, Stopped
from cargo_runbook.observations import Observation, Question, observation_from_json, observation_to_json
from cargo_runbook.texts import tell

FILE = "evidence.jsonl"
"""Name of the file in a record."""


class EvidenceError(RunbookError):
    """An evidence file can't be read. `file` and `line` say where."""

    def __init__(self, problem: str, *, file: str, line: int = 0) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(
            f"{place}: {problem}",
            next_step=tell(
                "Take the file from the archive again; it is never edited.",
                "请从归档中重新取得该文件；证据文件从不修改。",
            ),
        )
        self.file = file
        self.line = line


class Evidence:
    """Files each observation under an id (E1, E2, ... in the order of asking), and asks equal questions once.

    Whoever asks a question that somebody else is asking waits for that answer. Ends its connections when used as a
    context manager.

    Args:
        inner: where questions go.
        keep_ids: an answer that has an id already keeps it, as those of a record do; the others are N1, N2, ...
        stop: shared with `inner`, which ends what it is asking once it is set.
    """

    def __init__(self, inner: Connections, *, keep_ids: bool = False, stop: threading.Event | None = None) -> None:
        self._inner = inner
        self._keep_ids = keep_ids
        self._stop = stop or threading.Event()
        self._number = 0
        self._lock = threading.Lock()
        self._answers: dict[str, Future[Observation]] = {}
        self._being_asked = 0
        self._fewer = threading.Condition()

    def ask(self, question: Question) -> Observation:
        """The answer, with its id.

        Raises:
            Stopped: the look was stopped before the answer was whole; nothing is filed then.
        """
        if self._stop.is_set():
            raise Stopped
        key = question.key()
        with self._lock:
            answer = self._answers.get(key)
            mine = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
                self._number += 1
                number = self._number
        if mine:
            try:
                found = self._answered(question)
                name = found.id or f"N{number}" if self._keep_ids else f"E{number}"
                answer.set_result(replace(found, id=name))
            except BaseException as error:
                answer.set_exception(error)
                raise
        return answer.result()

    def _answered(self, question: Question) -> Observation:
        with self._fewer:
            self._being_asked += 1
        try:
            found = self._inner.ask(question)
        finally:
            with self._fewer:
                self._being_asked -= 1
                self._fewer.notify_all()
        if self._stop.is_set():
            raise Stopped
        return found

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All that was answered so far, in the order of the ids."""
        with self._lock:
            answers = list(self._answers.values())
        return tuple(answer.result() for answer in answers if answer.done() and not answer.exception())

    def get(self, name: str) -> Observation | None:
        """The observation with the id `name`; None when there is none (yet)."""
        return next((observation for observation in self.observations if observation.id == name), None)

    def number_from(self, last: int) -> None:
        """The next id follows E`last`, for a second look that is filed beside a first one."""
        self._number = last

    @property
    def last_number(self) -> int:
        """Number of the last id that was given."""
        return self._number

    def stop(self) -> None:
        """Ends what is being asked, remote processes too; whoever waits for it gets `Stopped`."""
        self._stop.set()

    def ended(self, seconds: float) -> bool:
        """After `stop`: waits until nothing is being asked any more; False when it still is after `seconds`."""
        with self._fewer:
            return self._fewer.wait_for(lambda: self._being_asked == 0, timeout=seconds)

    def go_on(self) -> None:
        """Takes questions again; those that came to no answer will be asked anew."""
        with self._lock:
            for key in [key for key, answer in self._answers.items() if not answer.done() or answer.exception()]:
                del self._answers[key]
        self._stop.clear()

    def write(self, path: Path) -> None:
        """Writes all observations to `path`, as `write_evidence` does."""
        write_evidence(self.observations, path)

    def close(self) -> None:
        """Ends the connections; the observations stay."""
        self._inner.close()

    def __enter__(self) -> Evidence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def write_evidence(observations: Iterable[Observation], path: Path) -> None:
    """Writes one observation a line as JSON; the file appears complete or not at all (mode 0600)."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}", delete=False
    ) as new:
        try:
            for observation in observations:
                body = observation_to_json(observation)
                new.write(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n")
            new.flush()
            os.fsync(new.fileno())
        except BaseException:
            Path(new.name).unlink()
            raise
    Path(new.name).replace(path)


def read_evidence(path: Path) -> tuple[Observation, ...]:
    """The observations of a file that `write_evidence` wrote.

    Raises:
        EvidenceError: the file is not there, or a line is no observation.
    """
    try:
        # No splitlines: a JSON text may hold U+2028 and others that it takes for line ends.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else tell("it is not UTF-8", "不是 UTF-8")
        raise EvidenceError(
            tell(f"the evidence can't be read: {reason}", f"无法读取证据：{reason}"), file=str(path)
        ) from error
    observations = []
    for number, line in enumerate(lines if lines != [""] else [], 1):
        try:
            observations.append(observation_from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problem = tell(f"not an observation ({error})", f"不是观察结果（{error}）")
            raise EvidenceError(problem, file=str(path), line=number) from error
    return tuple(observations)
