"""A text by its lines, so that a pattern which matches within few of them is tried on those that hold its words alone.

The pages of a record are long, and a pattern that begins with nothing particular is tried at each of their characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate

from cargo_runbook.literals import without_case

_SHORT = 1000
"""Up to so many characters the whole text is looked through as fast."""


class Lines:
    """A text in which shapes are looked for one after the other; it stays as it is.

    Args:
        text: any text; lines end with a line feed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._there: dict[tuple[tuple[str, ...], re.Pattern[str] | None], list[int]] = {}

    def sub(
        self,
        pattern: re.Pattern[str],
        words: tuple[str, ...],
        most: int,
        replace: Callable[[re.Match[str]], str],
        then: re.Pattern[str] | None = None,
    ) -> str:
        """`pattern.sub(replace, text)`, for a pattern whose match begins in a line with one of `words` (lower case), with
        `then` behind it, and goes over `most` lines at most."""
        if len(self.text) <= _SHORT:
            return pattern.sub(replace, self.text)
        changed: list[str] = []
        done = 0
        for first, last in self._places(words, then, most):
            piece = "\n".join(self._lines[first:last])
            clean = pattern.sub(replace, piece)
            if clean != piece:
                changed += [*self._lines[done:first], clean]
                done = last
        return "\n".join([*changed, *self._lines[done:]]) if changed else self.text

    def _places(self, words: tuple[str, ...], then: re.Pattern[str] | None, most: int) -> Iterator[tuple[int, int]]:
        """Runs of lines to look through: the first, and the one behind the last."""
        key = words, then
        if key not in self._there:
            self._there[key] = sorted({number for word in words for number in self._with(word, then)})
        first = last = 0
        for number in self._there[key]:
            if number >= last:
                if last:
                    yield first, last
                first = number
            last = number + most
        if last:
            yield first, last

    def _with(self, word: str, then: re.Pattern[str] | None) -> Iterator[int]:
        place = self._lower.find(word)
        while place >= 0:
            if then and not then.match(self.text, place + len(word)):
                place = self._lower.find(word, place + 1)
                continue
            number = bisect_right(self._starts, place) - 1
            yield number
            # The same line once is enough.
            place = self._lower.find(word, self._starts[number + 1]) if number + 1 < len(self._starts) else -1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _lower(self) -> str:
        return without_case(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *accumulate(len(line) + 1 for line in self._lines[:-1])]
