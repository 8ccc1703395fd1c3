"""The story of an incident: what its records and notes say, in the order of time, and what they leave open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.archive.files import utc
from cargo_runbook.archive.incident.notes import read_note
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.seal import check_record
from cargo_runbook.archive.reading.records import read_diagnosis, read_evidence_of, read_look, read_record
from cargo_runbook.archive.record import FIX, NOTE, NOTEBOOK, RUN, Record
from cargo_runbook.archive.sealing.changes import Change, changes_of
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import Diagnosis, Finding, Health, Verdict
from cargo_runbook.texts import Text

CLOCK_SECONDS = 2.0
"""From this offset on, times of a host are not to be compared with those of others."""


@dataclass(frozen=True)
class Place:
    """Where something stands: a record, its head, the cell of its notebook (from 1; 0 for none), the evidence."""

    record: str = ""
    path: Path = Path()
    head: str = ""
    cell: int = 0
    evidence: str = ""


@dataclass(frozen=True)
class Event:
    """Something at a time (ISO UTC, by the operator's clock)."""

    at: str
    environment: str
    what: Text
    place: Place


@dataclass(frozen=True)
class Cause:
    """A root cause, from the first record that has it."""

    environment: str
    finding: Finding
    chain: tuple[tuple[Text, Text, Place], ...]
    place: Place


@dataclass(frozen=True)
class Impact:
    """From when to when an environment was seen broken; `end` is empty as long as no run found it healthy after that."""

    environment: str
    begin: str
    end: str
    first: Place
    last: Place


@dataclass(frozen=True)
class Story:
    """All that is known of an incident. `changed` names records that are not as they were sealed."""

    incident: str
    events: tuple[Event, ...]
    impacts: tuple[Impact, ...]
    causes: tuple[Cause, ...]
    changes: tuple[Change, ...]
    questions: tuple[Text, ...]
    records: tuple[Record, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    record: Record
    diagnosis: Diagnosis | None
    cells: dict[str, int]

    def place(self, check: str = "", evidence: str = "") -> Place:
        record = self.record
        cell = self.cells.get(check) or self.cells.get("verdict", 0)
        return Place(record.header.record, record.path, record.head, cell, evidence)


def tell_story(reports: Path, incident: str) -> Story:
    """The story of the incident with that id.

    Raises:
        UsageError: there is no record of it.
    """
    with Index(reports) as index:
        rows = index.find(Filter(incident=incident, notes=True))
    if not rows:
        raise UsageError(
            f"there is no record of an incident {incident!r}",
            next_step=f"Runs belong to it by: cargo-runbook run ... --incident {incident}",
        )
    records, unread = [], []
    for row in rows:
        try:
            records.append(read_record(row.path))
        except RunbookError as error:
            unread.append(Text(str(error), str(error)))
    runs = [_read(record) for record in records if record.header.kind == RUN]
    fixes = [record for record in records if record.header.kind == FIX]
    notes = [record for record in records if record.header.kind == NOTE]
    changes = changes_of(reports, [*fixes, *(run.record for run in runs)])
    changed = tuple(r.header.record for r in records if r.sealed and next(check_record(r.path), None))
    causes = tuple(_causes(runs))
    # A proven fix ends with a diagnosis too.
    judged = sorted((*runs, *map(_read, fixes)), key=lambda run: run.record.header.started)
    impacts = tuple(_impacts(judged))
    events = (*_events_of_runs(runs, causes), *_events_of_notes(notes), *_events_of_changes(changes, records))
    questions = (*unread, *_questions(judged, impacts, changes), *_clocks(runs))
    ordered = tuple(sorted(events, key=lambda event: event.at))
    return Story(incident, ordered, impacts, causes, changes, tuple(dict.fromkeys(questions)), tuple(records), changed)


def _read(record: Record) -> _Run:
    try:
        diagnosis = read_diagnosis(record)
    except RunbookError:
        diagnosis = None
    return _Run(record, diagnosis, _cells(record.path / NOTEBOOK))


def _cells(path: Path) -> dict[str, int]:
    """Name of the step that a cell looks at -> number of the cell, from 1; `verdict` for the verdict's."""
    found: dict[str, int] = {}
    try:
        cells = json.loads(path.read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return found
    for number, cell in enumerate(cells, start=1):
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "code" and ".look(" in source:
            found.setdefault(source.partition(".look(")[2].strip("\"'() \n"), number)
        elif cell.get("cell_type") == "code" and ".verdict()" in source:
            found.setdefault("verdict", number)
    return found


def _causes(runs: Sequence[_Run]) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = set()
    for run in runs:
        for finding in run.diagnosis.roots() if run.diagnosis else ():
            environment = run.record.header.environment
            if (environment, finding.code) not in seen:
                seen.add((environment, finding.code))
                chain = tuple(
                    (link.rule, link.consequence, run.place(finding.check, link.observation)) for link in finding.chain
                )
                yield Cause(environment, finding, chain, run.place(finding.check))


def _impacts(runs: Sequence[_Run]) -> Iterator[Impact]:
    for environment in dict.fromkeys(run.record.header.environment for run in runs):
        own = [run for run in runs if run.record.header.environment == environment]
        broken = [run for run in own if run.record.header.status == Health.FAULT]
        if not broken:
            continue
        last = broken[-1].record.header.started
        after = [r for r in own if r.record.header.started > last and r.record.header.status == Health.HEALTHY]
        end = after[0] if after else broken[-1]
        began = broken[0].record.header.started
        yield Impact(
            environment, began, after[0].record.header.started if after else "", broken[0].place(), end.place()
        )


def _events_of_runs(runs: Sequence[_Run], causes: Iterable[Cause]) -> Iterator[Event]:
    first = {(cause.place.record, cause.finding.code) for cause in causes}
    for run in runs:
        header = run.record.header
        told = ", ".join(header.root_causes) or header.reason
        yield Event(
            header.started,
            header.environment,
            Text(f"{header.runbook}: {header.status} {told}".rstrip(), f"{header.runbook}：{header.status} {told}".rstrip()),
            run.place(),
        )  # fmt: skip
        roots = [f for f in (run.diagnosis.roots() if run.diagnosis else ()) if (header.record, f.code) in first]
        # Replayed evidence is of another day: there the time of the run counts.
        times = {
            each.id: header.started if header.replayed else utc(each.started)
            for each in (read_evidence_of(run.record) if roots else ())
        }
        for finding in roots:
            for link in finding.chain:
                if link.observation in times:
                    what = Text(f"{finding.code}: {link.rule.en} → {link.consequence.en}",
                                f"{finding.code}：{link.rule.zh} → {link.consequence.zh}")  # fmt: skip
                    place = run.place(finding.check, link.observation)
                    yield Event(times[link.observation], header.environment, what, place)


def _events_of_notes(notes: Iterable[Record]) -> Iterator[Event]:
    for record in notes:
        at, text = read_note(record.path)
        said = f"{record.header.operator}: {text}"
        yield Event(
            at or record.header.started, "", Text(said, said), Place(record.header.record, record.path, record.head)
        )


def _events_of_changes(changes: Iterable[Change], records: Iterable[Record]) -> Iterator[Event]:
    by_id = {record.header.record: record for record in records}
    for change in changes:
        record = by_id.get(change.record)
        place = Place(change.record, record.path, record.head) if record else Place()
        for at, name in change.events:
            if name in _EVENTS:
                told = _EVENTS[name].fill({"change": change.id, "code": change.code, "remedy": change.remedy,
                                           "who": change.operator or "?", "proof": change.proof or "-"})  # fmt: skip
                yield Event(at, change.environment, told, place)


_EVENTS = {
    "confirmed": Text("{who} confirmed {remedy} for {code} ({change})", "{who} 确认执行 {remedy}（{code}，{change}）"),
    "after": Text("{remedy} was done: {proof}", "{remedy} 已执行：{proof}"),
    "failed": Text("{remedy} could not be finished ({change})", "{remedy} 未能完成（{change}）"),
    "rolled back": Text("{remedy} was taken back ({change})", "{remedy} 已撤销（{change}）"),
}


def _questions(runs: Sequence[_Run], impacts: Iterable[Impact], changes: Iterable[Change]) -> Iterator[Text]:
    for impact in impacts:
        yield Text(
            f"{impact.environment} was seen broken at {impact.begin}: when did it break? Clients' complaints before that "
            "stand in no record.",
            f"{impact.environment} 在 {impact.begin} 被发现有故障：何时开始的？此前客户端的报错没有记录。",
        )
        if not impact.end:
            yield Text(f"No run has found {impact.environment} healthy since.",
                       f"此后没有运行确认 {impact.environment} 恢复正常。")  # fmt: skip
    for change in changes:
        if change.proof != "proven" and not change.undone:
            yield Text(f"The change {change.id} ({change.code}) is not proven to have mended it.",
                       f"变更 {change.id}（{change.code}）未被证明有效。")  # fmt: skip
    last = {run.record.header.environment: run for run in runs}
    for environment, run in last.items():
        header = run.record.header
        if run.diagnosis is None:
            yield Text(f"The last run for {environment} came to no verdict: {header.reason}",
                       f"{environment} 最后一次运行没有结论：{header.reason}")  # fmt: skip
            continue
        unknown = [f.code for f in run.diagnosis.findings if f.status is Verdict.UNKNOWN]
        if codes := ", ".join(dict.fromkeys((*unknown, *run.diagnosis.untested))):
            yield Text(f"On {environment} it could not be told: {codes}", f"{environment} 上无法判断：{codes}")


def _clocks(runs: Iterable[_Run]) -> Iterator[Text]:
    for run in runs:
        try:
            look = read_look(run.record) or {}
        except RunbookError:
            continue
        for place, ahead in dict(look.get("targets", {}).get("clocks", {})).items():
            if abs(ahead) > CLOCK_SECONDS:
                yield Text(f"The clock of {place} was {ahead:+.0f} s off: times in its logs are to be read with that.",
                           f"{place} 的时钟偏差 {ahead:+.0f} 秒：其日志时间须据此换算。")  # fmt: skip
