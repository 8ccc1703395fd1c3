"""Where the patterns match in a text, with the line and the words that decided."""

from __future__ import annotations

from dataclasses import dataclass

from cargo_runbook.symptoms.cleaning import Paste
from cargo_runbook.symptoms.context import Surroundings
from cargo_runbook.symptoms.parts import first_match
from cargo_runbook.symptoms.patterns import Book, Needs, Pattern

# As much of a line as is looked at on either side of a literal: more than the longest chain of requests takes.
REACH = 1500
# A log may say the same a million times: so many places of one literal are looked at, from its start and from its end.
_FIRST, _LAST = 120, 30


@dataclass(frozen=True)
class Match:
    """A pattern that matched, or a rule about the build of a line that did.

    Args:
        words: what decided.
        line: its number in what was pasted, from 1.
        start, end: the line, or the part of a very long one.
    """

    name: str
    cause: str
    weight: float
    also: tuple[str, ...]
    words: str
    line: int
    start: int
    end: int
    place: int


def matches(paste: Paste, book: Book, *, lenient: bool = False) -> list[Match]:
    """All matches of the patterns in `book`, in the order of the text.

    Args:
        lenient: a hint is enough of what a pattern needs near it.
    """
    around = Surroundings(paste, lenient)
    found = (
        _match(paste, book.patterns[number], sorted(parts), start, end, around)
        for (number, start), (end, parts) in sorted(_tries(paste, book).items())
    )
    return sorted(filter(None, found), key=lambda match: (match.place, -match.weight))


def _tries(paste: Paste, book: Book) -> dict[tuple[int, int], tuple[int, set[int]]]:
    """What is worth a try: the number of a pattern and the start of a line, with its end and the parts whose literals it has."""
    tries: dict[tuple[int, int], tuple[int, set[int]]] = {}
    lines: dict[int, tuple[int, int]] = {}
    for owners, places in book.places(paste.lower):
        for place in _chosen(paste.lower, places):
            if place not in lines:
                lines[place] = paste.line_around(place, REACH)
            start, end = lines[place]
            for number, part in owners:
                known, parts = tries.setdefault((number, start), (end, set()))
                parts.add(part)
                if known < end:
                    tries[number, start] = (end, parts)
    return tries


def _match(
    paste: Paste, pattern: Pattern, parts: list[int], start: int, end: int, around: Surroundings
) -> Match | None:
    found = first_match([pattern.parts[part] for part in parts], paste.text, paste.lower, start, end)
    if found is None or not around.meets(pattern.needs, start, end):
        return None
    words = paste.text[found.start() : found.end()].strip()
    line, place = paste.line_of(found.start()), found.start()
    return Match(pattern.name, pattern.cause, pattern.weight, pattern.also, words, line, start, end, place)


def _chosen(lower: str, places: list[int]) -> list[int]:
    """Of the places of a literal, at most one in a line and not all of very many."""
    if len(places) < _FIRST:
        return places
    chosen: list[int] = []
    covered = 0
    for place in places:
        if place >= covered:
            chosen.append(place)
            if len(chosen) == _FIRST:
                break
            covered = _next(lower, place)
    else:
        return chosen
    late: list[int] = []
    stop = len(lower)
    for place in reversed(places):
        if place <= chosen[-1] or len(late) == _LAST:
            break
        if place < stop:
            late.append(place)
            stop = max(lower.rfind("\n", 0, place), place - REACH)
    return chosen + late


def _next(lower: str, place: int) -> int:
    """The start of what the look at `place` did not cover."""
    end = lower.find("\n", place, place + REACH)
    return end if end >= 0 else place + REACH


def needs_replication(paste: Paste, start: int, end: int) -> bool:
    """Whether a line stands in the text of a replication or of the job service."""
    return Surroundings(paste).meets(Needs.REPLICATION, start, end)
