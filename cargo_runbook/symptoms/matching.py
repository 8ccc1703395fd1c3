"""Where the patterns match in a text, with the line and the words that decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cargo_runbook.symptoms.cleaning import Paste
from cargo_runbook.symptoms.context import Surroundings
from cargo_runbook.symptoms.patterns import Book, Needs, Part, Pattern, first_match

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
    found = [
        match
        for pattern, literals, parts in book.candidates(paste.lower)
        for match in _of_pattern(paste, pattern, literals, parts, around)
    ]
    return sorted(found, key=lambda match: (match.place, -match.weight))


def _of_pattern(
    paste: Paste, pattern: Pattern, literals: tuple[str, ...], parts: tuple[Part, ...], around: Surroundings
) -> Iterator[Match]:
    seen: set[int] = set()
    for literal in literals:
        for place in _places(paste, literal):
            start, end = paste.line_around(place, REACH)
            if start in seen:
                continue
            seen.add(start)
            found = first_match(parts, paste.text, start, end)
            if found is None or not around.meets(pattern.needs, start, end):
                continue
            line = paste.line_of(found.start())
            yield Match(
                pattern.name,
                pattern.cause,
                pattern.weight,
                pattern.also,
                found.group().strip(),
                line,
                start,
                end,
                found.start(),
            )


def _places(paste: Paste, literal: str) -> Iterator[int]:
    """Places of a literal, at most one in a line and not all of very many."""
    lower = paste.lower
    place, count = lower.find(literal), 0
    while place >= 0:
        yield place
        count += 1
        if count == _FIRST:
            break
        place = lower.find(literal, _next(lower, place))
    if count < _FIRST:
        return
    stop = len(lower)
    for _ in range(_LAST):
        last = lower.rfind(literal, place + 1, stop)
        if last < 0:
            return
        yield last
        stop = max(lower.rfind("\n", 0, last), last - REACH)


def _next(lower: str, place: int) -> int:
    """The start of what the look at `place` did not cover."""
    end = lower.find("\n", place, place + REACH)
    return end if end >= 0 else place + REACH


def needs_replication(paste: Paste, start: int, end: int) -> bool:
    """Whether a line stands in the text of a replication or of the job service."""
    return Surroundings(paste).meets(Needs.REPLICATION, start, end)
