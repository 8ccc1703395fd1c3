"""The book of a batch: `reports/batches/ID/book.jsonl`, a line for each run's begin and end, each on the disk at once.

From it alone a batch is resumed and summed up. A lock on the file says that its batch goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cargo_runbook.archive.files import utc
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import Text, tell

BATCHES, BOOK = "batches", "book.jsonl"
FAILED = "failed"
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What came of one run. `status` is healthy, fault, unknown or failed; `cells` has a verdict for each check.

    `record` is empty for a run that could not begin; `changed` says that it changed a host, or may have. `reason` is kept
    in English, and in Chinese as well where there is such a sentence.
    """

    environment: str
    runbook: str
    status: str
    record: str = ""
    path: str = ""
    root_causes: tuple[str, ...] = ()
    reason: str = ""
    reason_zh: str = ""
    head: str = ""
    replayed: str = ""
    seconds: float = 0.0
    ended: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    changed: bool = False

    @property
    def why(self) -> Text:
        """The reason for a reader."""
        return Text(self.reason, self.reason_zh or self.reason)

    def to_json(self) -> dict[str, Any]:
        """The machine interface: the line of a run."""
        return {**asdict(self), "root_causes": list(self.root_causes)}


@dataclass(frozen=True)
class Order:
    """What a batch was told to do. `runbook_sha256` is of the notebook; parameters are redacted."""

    batch: str
    runbook: str
    runbook_sha256: str
    environments: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    incident: str = ""
    replay: str = ""
    started: str = ""


@dataclass(frozen=True)
class Account:
    """What a book says: the order, the record that each begun run was to have, and what came of those that ended."""

    order: Order
    begun: Mapping[str, str]
    outcomes: Mapping[str, Outcome]
    closed: bool


def new_id(started: datetime | None = None) -> str:
    """An id for a batch: its time and a random part."""
    return f"{(started or datetime.now(UTC)).astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Book:
    """Writes the book of one batch.

    Args:
        reports: folder of all records.
        order: written as the first line where the book is new.

    Raises:
        UsageError: the folder can't be written, or the batch goes on somewhere else.
    """

    def __init__(self, reports: Path, order: Order) -> None:
        self.folder = reports.absolute() / BATCHES / order.batch
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.folder / BOOK, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise UsageError(
                tell(f"the batch {order.batch} goes on in another process", f"批次 {order.batch} 正在另一个进程中运行")
            ) from None
        except OSError as error:
            raise UsageError(
                tell(
                    f"no batch can be written below {reports}: {error.strerror}",
                    f"无法在 {reports} 下写入批次：{error.strerror}",
                ),
                next_step=tell("Name another folder with --reports.", "用 --reports 指定其他目录。"),
            ) from None
        if os.fstat(self._file).st_size == 0:
            self._write("batch", **asdict(order))

    def begin(self, environment: str, record: str) -> None:
        """A run begins, and this will be its record."""
        self._write("begin", environment=environment, record=record)

    def end(self, outcome: Outcome) -> None:
        """A run is over."""
        self._write("end", **outcome.to_json())

    def close(self) -> None:
        """All runs that were wanted are over."""
        self._write("close")

    def release(self) -> None:
        """Gives the lock up."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, entry: str, **fields: Any) -> None:
        line = json.dumps({"entry": entry, "time": utc(datetime.now(UTC)), **fields}, ensure_ascii=False) + "\n"
        content = line.encode("utf-8", "replace")
        try:
            while content:
                content = content[os.write(self._file, content) :]
            os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)
        except OSError as error:
            raise UsageError(
                tell(
                    f"the book of the batch can't be written: {error.strerror}",
                    f"无法写入批次的记录簿：{error.strerror}",
                )
            ) from None


def read_book(reports: Path, wanted: str) -> Account:
    """The book of the batch with that id, or the start of one that fits one alone.

    Raises:
        UsageError: there is none, several fit, or it can't be read.
    """
    places = sorted(
        path.parent for path in (reports / BATCHES).glob(f"*/{BOOK}") if path.parent.name.startswith(wanted)
    )
    exact = [place for place in places if place.name == wanted]
    if len(exact or places) != 1 or not wanted:
        known = ", ".join(place.name for place in places[:3])
        raise UsageError(
            tell(f"{len(places)} batches start with {wanted!r}", f"有 {len(places)} 个批次以 {wanted!r} 开头")
            if places
            else tell(f"there is no batch {wanted!r}", f"没有批次 {wanted!r}"),
            next_step=tell(f"Give more of the id: {known}", f"请给出更多位 ID：{known}")
            if places
            else tell(f"Batches are in {reports / BATCHES}.", f"批次保存在 {reports / BATCHES}。"),
        )
    return _read((exact or places)[0] / BOOK)


def batches(reports: Path) -> tuple[str, ...]:
    """Ids of all batches, the oldest first."""
    return tuple(sorted(path.parent.name for path in (reports / BATCHES).glob(f"*/{BOOK}")))


def _read(path: Path) -> Account:
    order: Order | None = None
    begun: dict[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    closed = False
    # A last line that was cut off is passed over: what it would have said was not on the disk yet.
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            body = json.loads(line)
            match body["entry"]:
                case "batch":
                    order = _made(Order, body, environments=tuple(body["environments"]))
                case "begin":
                    begun[body["environment"]], closed = body["record"], False
                case "end":
                    outcome = _made(Outcome, body, root_causes=tuple(body["root_causes"]))
                    outcomes[outcome.environment] = outcome
                case "close":
                    closed = True
        except (ValueError, KeyError, TypeError):
            raise UsageError(
                tell(f"{path}:{number} is no line of a batch's book", f"{path}:{number} 不是批次记录簿的有效行")
            ) from None
    if order is None:
        raise UsageError(
            tell(
                f"{path} is no book of a batch: it does not say what was to be done",
                f"{path} 不是批次的记录簿：其中没有写明要执行什么",
            )
        )
    return Account(order, begun, outcomes, closed)


def _made(kind: type[T], body: Mapping[str, Any], **changed: Any) -> T:
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in body.items() if name in known} | changed)
