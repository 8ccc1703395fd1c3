"""The log of a replication job of Harbor 1.x: attempts, what each did, and where it failed.

Every retry writes into the same log, so the last attempt is the one that tells how things are. The texts are those
of Harbor 1.3 to 1.7 (`src/jobservice/replication`, from 1.5 `src/replication`); a line of any other kind is kept
and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from cargo_runbook.facts.harbor.go_error import GoError, origin, read_go_error
from cargo_runbook.observations import Observation


class Operation(StrEnum):
    """What a job was doing when it failed."""

    SOURCE_CLIENT = "connecting to the source registry"
    DESTINATION_CLIENT = "connecting to the destination registry"
    LIST_TAGS = "listing tags at the source"
    CREATE_PROJECT = "creating the project"
    PULL_MANIFEST = "pulling the manifest from the source"
    CHECK_BLOB = "checking for a layer"
    PULL_BLOB = "pulling a layer from the source"
    PUSH_BLOB = "pushing a layer"
    PUSH_MANIFEST = "pushing the manifest"
    OTHER = "something else"


class Side(StrEnum):
    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True)
class Failure:
    """The error that ended an attempt. `gap` is the time in seconds since the line before it, None when untold."""

    operation: Operation
    side: Side
    error: GoError
    url: str = ""
    project: str = ""
    user: str = ""
    image: str = ""
    source_line: str = ""
    gap: float | None = None

    @property
    def is_network(self) -> bool:
        return self.error.is_network


@dataclass(frozen=True)
class Attempt:
    """One try of a job. `sent` counts layers and manifests that were pushed, `present` those that were there already.

    `created` is False when the destination said that the project exists (409), True when Harbor took it for created.
    """

    started: datetime | None = None
    repository: str = ""
    source: str = ""
    destination: str = ""
    user: str = ""
    insecure: bool | None = None
    failure: Failure | None = None
    waits_for_retry: bool = False
    completed: bool = False
    created: bool | None = None
    sent: int = 0
    present: int = 0
    last_message: str = ""


@dataclass(frozen=True)
class JobLog:
    """A job's log. `status` is the HTTP status it came with (0: no answer); without attempts `said` is what came."""

    status: int
    attempts: tuple[Attempt, ...]
    truncated: bool
    said: str
    evidence: str

    @property
    def last(self) -> Attempt | None:
        """The latest attempt; None when there is none, or when it may stand in a part that is missing.

        An HTTP status ends a job, so nothing comes after an attempt that ended so.
        """
        if not self.attempts:
            return None
        failure = self.attempts[-1].failure
        ended = failure is not None and not failure.is_network
        return self.attempts[-1] if ended or not self.truncated else None


@dataclass(frozen=True)
class _Line:
    time: datetime | None
    level: str
    place: str
    message: str


_LINE = re.compile(
    r"^(?:(?P<time>\d{4}-\d\d-\d\d[T ]\S+)\s+)?\[(?P<level>DEBUG|INFO|WARNING|ERROR|FATAL)\]\s*"
    r"(?:\[(?P<place>[^\]]+:\d+)\]:?\s*)?(?P<message>.*)$"
)
_TRUNCATED = re.compile(r"\.\.\.\s?TRUNCATED\b.*\Z", re.DOTALL)
_WHILE = "an error occurred while "
_AT = r"(?P<url>\S+?)"
# "distination" is how Harbor 1.5 writes it.
_REGISTRY = r"(?:the )?d[ie]stination registry"
_FAILURES = tuple(
    (operation, side, re.compile(pattern, re.DOTALL))
    for operation, side, pattern in (
        (
            Operation.CREATE_PROJECT,
            Side.DESTINATION,
            rf"{_WHILE}creating project (?P<project>.+?) on (?:{_REGISTRY}|{_AT} with user (?P<user>.*?)) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.CREATE_PROJECT,
            Side.SOURCE,
            rf"failed to get project (?P<project>.+?) from {_AT} ?:(?:\s(?P<error>.*)|$)",
        ),
        (Operation.SOURCE_CLIENT, Side.SOURCE, rf"{_WHILE}creating source repository client ?:(?:\s(?P<error>.*)|$)"),
        (
            Operation.DESTINATION_CLIENT,
            Side.DESTINATION,
            rf"{_WHILE}creating destination repository client ?:(?:\s(?P<error>.*)|$)",
        ),
        (Operation.LIST_TAGS, Side.SOURCE, rf"{_WHILE}listing tags for source repository ?:(?:\s(?P<error>.*)|$)"),
        (
            Operation.PULL_MANIFEST,
            Side.SOURCE,
            rf"{_WHILE}pulling manifest of (?P<image>.+?) from (?:(?:the )?source registry|{_AT}) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.PULL_BLOB,
            Side.SOURCE,
            rf"{_WHILE}pulling blob \S+ of (?P<image>.+?) from (?:(?:the )?source registry|{_AT}) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.CHECK_BLOB,
            Side.DESTINATION,
            rf"{_WHILE}checking existence of (?:blob \S+|manifest) of (?P<image>.+?) on (?:{_REGISTRY}|{_AT}) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.PUSH_BLOB,
            Side.DESTINATION,
            rf"{_WHILE}pushing blob \S+ of (?P<image>.+?) (?:to|on) (?:{_REGISTRY}|{_AT}) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.PUSH_MANIFEST,
            Side.DESTINATION,
            rf"{_WHILE}pushing manifest of (?P<image>.+?) (?:to|on) (?:{_REGISTRY}|{_AT}) ?:(?:\s(?P<error>.*)|$)",
        ),
        (
            Operation.OTHER,
            Side.DESTINATION,
            rf"{_WHILE}.+? (?:on|to|from) (?P<url>https?://\S+?) ?:(?:\s(?P<error>.*)|$)",
        ),
        (Operation.OTHER, Side.DESTINATION, rf"{_WHILE}(?P<error>.*)"),
    )
)


def read_job_log(observation: Observation) -> JobLog:
    """The log in the answer to `GET /api/jobs/replication/{id}/log`. An answer of another status holds no log."""
    if not observation.answered:
        said = observation.error or str(observation.data.get("reason", "") or observation.status)
        return JobLog(0, (), False, said, observation.id)
    status = int(observation.data.get("status", 0) or 0)
    if status != 200:
        return JobLog(status, (), False, observation.output.strip(), observation.id)
    log = read_log_text(observation.output, observation.id)
    return replace(log, truncated=log.truncated or observation.truncated)


def read_log_text(text: str, evidence: str) -> JobLog:
    """The log in `text`, as pasted or fetched."""
    cut = _TRUNCATED.search(text)
    lines = tuple(_lines(text[: cut.start()] if cut else text))
    attempts = tuple(_read_attempt(chunk) for chunk in _attempts(lines))
    return JobLog(200, attempts, cut is not None, "" if attempts else text.strip(), evidence)


def _lines(text: str) -> Iterator[_Line]:
    head: re.Match[str] | None = None
    rest: list[str] = []
    for raw in [*text.split("\n"), None]:
        match = _LINE.match(raw.rstrip("\r")) if raw is not None else None
        if match is None and raw is not None:
            rest.append(raw.rstrip("\r"))
            continue
        if head is not None:
            message = "\n".join((head["message"], *rest))
            yield _Line(_time(head["time"]), head["level"], head["place"] or "", message)
        head, rest = match, []


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _attempts(lines: tuple[_Line, ...]) -> Iterator[list[_Line]]:
    chunk: list[_Line] = []
    for line in lines:
        begins = line.message.startswith("initializing:") or (chunk and _waits(chunk[-1]))
        if begins and chunk:
            yield chunk
            chunk = []
        chunk.append(line)
    if chunk:
        yield chunk


def _waits(line: _Line) -> bool:
    return line.message.startswith("waiting for retrying")


def _read_attempt(lines: list[_Line]) -> Attempt:
    opening = next((line.message for line in lines if line.message.startswith("initializ")), "")

    def of(key: str) -> str:
        match = re.search(
            rf"{key}: (.*?)(?:, (?:tags|source URL|destination URL|insecure|destination user):|$)", opening
        )
        return match[1].strip() if match else ""

    source, destination, user = of("source URL"), of("destination URL"), of("destination user")
    failure = None
    for before, line in zip([None, *lines], lines, strict=False):
        if line.level in ("ERROR", "FATAL"):
            gap = _gap(before.time if before else None, line.time)
            failure = _read_failure(line, source, destination, user, gap)
    messages = [line.message for line in lines]
    return Attempt(
        started=next((line.time for line in lines if line.time), None),
        repository=of("repository"),
        source=source,
        destination=destination,
        user=user,
        insecure={"true": True, "false": False}.get(of("insecure")),
        failure=failure,
        waits_for_retry=_waits(lines[-1]),
        completed=any('next state is "finished"' in m or "has been deleted" in m for m in messages),
        created=_created(messages),
        sent=sum(m.rstrip().endswith("completed") or "has been pushed to" in m for m in messages),
        present=sum("already exists in" in m or "skip manifest pushing" in m for m in messages),
        last_message=messages[-1].strip(),
    )


def _created(messages: list[str]) -> bool | None:
    for message in messages:
        if message.startswith("the status code is 409 when creating project"):
            return False
        if re.match(r"project .+ is created on ", message):
            return True
    return None


def _gap(before: datetime | None, time: datetime | None) -> float | None:
    if before is None or time is None or (before.tzinfo is None) != (time.tzinfo is None):
        return None
    return (time - before).total_seconds()


def _read_failure(line: _Line, source: str, destination: str, user: str, gap: float | None) -> Failure:
    for operation, side, pattern in _FAILURES:
        if match := pattern.fullmatch(line.message.rstrip("\n")):
            parts = match.groupdict()
            url = parts.get("url") or (source if side is Side.SOURCE else destination)
            if operation is Operation.OTHER and source and origin(url) == origin(source):
                side = Side.SOURCE
            return Failure(
                operation,
                side,
                read_go_error(parts.get("error") or ""),
                url,
                parts.get("project") or "",
                parts.get("user") or user,
                parts.get("image") or "",
                line.place,
                gap,
            )
    error = read_go_error(line.message)
    return Failure(Operation.OTHER, Side.DESTINATION, error, destination, user=user, source_line=line.place, gap=gap)
