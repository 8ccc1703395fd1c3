"""The causes of a text, ranked, with the words that decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cargo_runbook.symptoms.cleaning import (
    LONGEST_PASTE,
    Paste,
    chained,
    clean,
    completed,
    condensed,
    is_cut,
    refilled,
    rejoined,
    unfolded,
    unwrapped,
)
from cargo_runbook.symptoms.context import without_wrappers, words
from cargo_runbook.symptoms.matching import Match, matches
from cargo_runbook.symptoms.patterns import UNKNOWN, Book, shipped_book
from cargo_runbook.symptoms.rules import adjusted, structural

# Below this a match says too little to name a cause.
_ENOUGH = 30
# Each further cause that a text may also have is believed this much less than the one before it.
_FADING = 0.8
# What counts by a hint alone is believed this much of what it says.
_BY_A_HINT = 0.7
_LONGEST_EVIDENCE = 200


@dataclass(frozen=True)
class Candidate:
    """A cause with how much speaks for it (0 to 1) and the words that do; `line` is 0 where no line names it."""

    cause: str
    score: float
    evidence: tuple[str, ...]
    line: int
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One error of a paste that holds several: its line, the line's text, and what it says."""

    line: int
    cause: str
    text: str
    start: int


@dataclass(frozen=True)
class Explanation:
    """What a text says. `candidates` is never empty: the first one is the answer, `unknown` where nothing is said."""

    candidates: tuple[Candidate, ...]
    statements: tuple[Statement, ...]
    paste: Paste

    @property
    def cause(self) -> str:
        return self.candidates[0].cause


def explain(text: str, book: Book | None = None) -> Explanation:
    """The causes that `text` names, likeliest first.

    Args:
        text: what was pasted: any length, several errors, colours and escapes included.
        book: patterns to use; by default those that come with the program.
    """
    chosen = book or shipped_book()
    paste = without_wrappers(clean(text))
    if len(text) > LONGEST_PASTE:
        paste = condensed(paste)
    short = len(text) <= LONGEST_PASTE
    paste = completed(paste, words().endings) or paste
    if short and is_cut(paste):
        paste = rejoined(paste) or paste
    found = _found(paste, chosen) or (_found(paste, chosen, lenient=True) if short else [])
    if short and "\n" in paste.text:
        # What is read out of lines put together counts only if it says more than the lines as they are.
        heaviest = _heaviest(found)
        for other in filter(None, (rejoined(paste), refilled(paste), chained(paste), unfolded(paste))):
            if _heaviest(again := _found(other, chosen)) > heaviest:
                paste, found, heaviest = other, again, _heaviest(again)
        for other in unwrapped(paste) if not found else ():
            if again := _found(other, chosen):
                paste, found = other, again
                break
    return Explanation(_ranked(found), _statements(paste, found), paste)


def _found(paste: Paste, book: Book, *, lenient: bool = False) -> list[Match]:
    found = [adjusted(paste, match) for match in structural(paste, matches(paste, book, lenient=lenient))]
    enough = [match for match in found if match.weight >= _ENOUGH]
    return [replace(match, weight=match.weight * _BY_A_HINT) for match in enough] if lenient else enough


def _heaviest(found: list[Match]) -> float:
    return max((match.weight for match in found), default=0.0)


def _ranked(found: list[Match]) -> tuple[Candidate, ...]:
    if not found:
        return (Candidate(UNKNOWN, 0.0, (), 0),)
    scores: dict[str, float] = {}
    for match in found:
        # Of equals the later one wins: the last line is what the command ended with.
        scores[match.cause] = max(scores.get(match.cause, 0.0), match.weight / 100)
    last = {match.cause: match.place for match in found}
    top = max(found, key=lambda match: (match.weight, match.place))
    fade = top.weight / 100
    for cause in top.also:
        fade *= _FADING
        scores[cause] = max(scores.get(cause, 0.0), fade)
    order = sorted(scores, key=lambda cause: (-scores[cause], -last.get(cause, -1)))
    return tuple(_candidate(cause, scores[cause], found, top) for cause in order)


def _candidate(cause: str, score: float, found: list[Match], top: Match) -> Candidate:
    own = sorted((match for match in found if match.cause == cause), key=lambda match: -match.weight) or [top]
    evidence = tuple(dict.fromkeys(match.words[:_LONGEST_EVIDENCE] for match in own))[:3]
    return Candidate(cause, round(score, 3), evidence, own[0].line, tuple(dict.fromkeys(m.name for m in own)))


def _statements(paste: Paste, found: list[Match]) -> tuple[Statement, ...]:
    best: dict[int, Match] = {}
    for match in found:
        if match.line not in best or match.weight > best[match.line].weight:
            best[match.line] = match
    return tuple(
        Statement(line, match.cause, paste.text[match.start : match.end].strip(), match.start)
        for line, match in sorted(best.items())
    )
