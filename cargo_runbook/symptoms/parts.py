"""One regular expression of a pattern, and the first match of several."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cargo_runbook.symptoms.regexes import literals_of

# What stands for itself in a regular expression of which the rest is turned into small letters.
_LETTER = re.compile(r"\\.|\(\?P|.", re.DOTALL)
# An expression that tells large letters from small ones, or names signs by number, is tried on the text as it is.
_AS_IT_IS = re.compile(r"\(\?-i|\\[xuUN]")


@dataclass(frozen=True)
class Part:
    """One regular expression; `literals` are lower-case texts of which one is in every match. They are found before it is
    tried.

    Args:
        regex: for the text in small letters, which takes a third of the time of one that ignores case.
        exact: it is for the text as it is.
    """

    regex: re.Pattern[str]
    literals: tuple[str, ...]
    exact: bool = False

    @classmethod
    def of(cls, source: str, literals: tuple[str, ...] = ()) -> Part:
        """A part that ignores case, unless its source says otherwise."""
        exact = _AS_IT_IS.search(source) is not None
        small = _LETTER.sub(lambda found: found[0] if len(found[0]) > 1 else found[0].lower(), source)
        regex = re.compile(source, re.IGNORECASE) if exact else re.compile(small)
        return cls(regex, literals or literals_of(source), exact)


def first_match(parts: Iterable[Part], text: str, lower: str, start: int, end: int) -> re.Match[str] | None:
    """The match that begins first; of two at one place that of the earlier part, as in an expression with alternatives.

    Args:
        lower: the text in small letters, each at its place.
    """
    best: re.Match[str] | None = None
    for part in parts:
        found = part.regex.search(text if part.exact else lower, start, end)
        if found is not None and (best is None or found.start() < best.start()):
            best = found
    return best
