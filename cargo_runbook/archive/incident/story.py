"""The story of an incident: what its records and notes say, in the order of time, and what they leave open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from cargo_runbook.archive.files import utc
from cargo_runbook.archive.incident.questions import clock_questions, open_questions
from cargo_runbook.archive.incident.words import Cause, Event, Impact, Place, Question, Run, Story, place_of
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.seal import check_record
from cargo_runbook.archive.reading.cells import cells_of_steps
from cargo_runbook.archive.reading.records import read_diagnosis, read_evidence_of, read_note, read_record
from cargo_runbook.archive.record import FIX, NOTE, NOTEBOOK, RUN, Record
from cargo_runbook.archive.sealing.changes import Change, changes_of
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import Health
from cargo_runbook.texts import Text, tell


def tell_story(reports: Path, incident: str) -> Story:
    """The story of the incident with that id.

    Raises:
        UsageError: there is no record of it.
    """
    with Index(reports) as index:
        rows = index.find(Filter(incident=incident, notes=True))
    if not rows:
        raise UsageError(
            tell(f"there is no record of an incident {incident!r}", f"没有事件 {incident!r} 的记录"),
            next_step=tell(
                f"Runs belong to it by: cargo-runbook run ... --incident {incident}",
                f"运行时加 --incident 即归入该事件：cargo-runbook run ... --incident {incident}",
            ),
        )
    records, unread = [], []
    for row in rows:
        try:
            records.append(read_record(row.path))
        except RunbookError as error:
            unread.append(Question(error.in_full(), Place(row.record, row.path)))
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
    where = partial(place_of, records=records)
    questions = (*unread, *open_questions(judged, impacts, changes, where), *clock_questions(runs))
    ordered = tuple(sorted(events, key=lambda event: event.at))
    return Story(incident, ordered, impacts, causes, changes, tuple(dict.fromkeys(questions)), tuple(records), changed)


def _read(record: Record) -> Run:
    try:
        diagnosis = read_diagnosis(record)
    except RunbookError:
        diagnosis = None
    return Run(record, diagnosis, cells_of_steps(record.path / NOTEBOOK))


def _causes(runs: Sequence[Run]) -> Iterator[Cause]:
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


def _impacts(runs: Sequence[Run]) -> Iterator[Impact]:
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


def _events_of_runs(runs: Sequence[Run], causes: Iterable[Cause]) -> Iterator[Event]:
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
        place = Place(record.header.record, record.path, record.head, note=True)
        yield Event(at or record.header.started, "", Text(said, said), place)


def _events_of_changes(changes: Iterable[Change], records: Sequence[Record]) -> Iterator[Event]:
    for change in changes:
        place = place_of(change, records)
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
