"""What stands on each page, read from the archive anew for each request: the pages never say what was true before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from cargo_runbook.archive.incident.story import tell_story
from cargo_runbook.archive.index import Filter, Index, Row, moment
from cargo_runbook.archive.keeping.seal import Problem, check_record
from cargo_runbook.archive.keeping.verify import verify_all
from cargo_runbook.archive.places import CHAIN
from cargo_runbook.archive.reading.compare import compare, last_good
from cargo_runbook.archive.reading.records import UnreadableRecord, find_record, read_record
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.chain import Entry, lines
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.errors import UsageError
from cargo_runbook.pages.rendering import render
from cargo_runbook.texts import Language, Text

ON_A_PAGE = 50
_DIGITS = 6


def listed(reports: Path, say: Language, asked: Mapping[str, str], wanted_page: str) -> str:
    """The list, newest first, a page of it. A filter that says nothing sensible is told, and nothing is shown."""
    number = max(1, int(wanted_page)) if wanted_page.isdecimal() and len(wanted_page) <= _DIGITS else 1
    rows: Sequence[Row] = ()
    problem = ""
    try:
        wanted = Filter(
            environments=(asked["env"],) if asked["env"] else (),
            runbook=asked["runbook"],
            code=asked["code"],
            status=asked["status"],
            since=moment(asked["since"]) if asked["since"] else "",
            until=moment(asked["until"]) if asked["until"] else "",
            incident=asked["incident"],
            text=asked["q"],
            pruned=True,
        )
        with Index(reports) as index:
            rows = index.find(wanted, limit=number * ON_A_PAGE + 1)[::-1]
    except UsageError as error:
        problem = error.in_full().say(say)
    shown, more = rows[(number - 1) * ON_A_PAGE : number * ON_A_PAGE], len(rows) > number * ON_A_PAGE

    def at(page_number: int) -> str:
        return "/?" + urlencode({**{k: v for k, v in asked.items() if v}, "page": page_number})

    return render(
        "list", say, rows=shown, asked=asked, problem=problem, number=number,
        newer=at(number - 1) if number > 1 else "", older=at(number + 1) if more else "",
    )  # fmt: skip


def record_page(reports: Path, say: Language, wanted: str) -> str:
    """One record: verified now, with ways to the last healthy run and to its incident."""
    record = _found(reports, wanted)
    good = last_good(reports, record)
    bar = render("bar", say, record=record, problems=problems_of(record), good=good)
    try:
        return page(record, say, bar=bar)
    except UnreadableRecord as error:
        # What was changed can't be read any more; that it was changed is what has to be seen.
        return render("damaged", say, bar=bar, text=error.in_full().say(say))


def _found(reports: Path, wanted: str) -> Record:
    """The record with that id. A path is none: what is shown lies in this archive."""
    return find_record(reports, wanted.rpartition("/")[2] or "-")


def problems_of(record: Record) -> Sequence[Problem]:
    """What is not as it was sealed, against the chain that the record lies in (its own, or that of its bundle)."""
    if not record.sealed:
        return ()
    name = record.header.record
    # Of a hundred thousand lines one is wanted: only those that name it are read.
    named = (line for _, line in lines(record.path.parents[3]) if name.encode() in line)
    entry = next((entry for entry in map(Entry.of, named) if entry.record == name), None)
    if entry is None:
        return (Problem(name, CHAIN, Text("the chain does not have it", "链中没有该记录")),)
    return tuple(check_record(record.path, entry))


def compared(reports: Path, say: Language, one: str, other: str) -> str:
    """Two records against each other; without the second, the last healthy run before the first."""
    found = _found(reports, one)
    if other:
        against = _found(reports, other)
    else:
        row = last_good(reports, found)
        if row is None:
            raise UsageError(
                Text(
                    f"there is no healthy run of {found.header.runbook} for {found.header.environment} before it",
                    f"之前没有 {found.header.environment} 的 {found.header.runbook} 正常记录",
                ).say(say)
            )
        against = read_record(row.path)
    return render("compare", say, result=compare(found, against))


def incident(reports: Path, say: Language, name: str) -> str:
    """The story of an incident: impact, causes, what was done, timeline, open questions."""
    return render("incident", say, story=tell_story(reports, name))


def archive_state(reports: Path, say: Language, head: str) -> str:
    """Whether all records are as they were sealed, now."""
    return render("verify", say, result=verify_all(reports, head=head.strip()), head=head.strip())
