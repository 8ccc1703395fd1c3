"""A text by its lines, so that a pattern which matches within few of them is tried on those that hold its words alone.

The pages of a record are long, and a pattern that begins with nothing particular is tried at each of their characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate

_SHORT = 1000
"""Up to so many characters the whole text is looked through as fast."""


class Lines:
    """A text in which shapes are looked for one after the other; it stays as it is.

    Args:
        text: any text; lines end with a line feed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._there: dict[tuple[str, ...], list[int]] = {}

    def sub(
        self, pattern: re.Pattern[str], words: tuple[str, ...], most: int, replace: Callable[[re.Match[str]], str]
    ) -> str:
        """`pattern.sub(replace, text)`, for a pattern whose match begins in a line with one of `words` (lower case) and
        goes over `most` lines at most."""
        if len(self.text) <= _SHORT:
            return pattern.sub(replace, self.text)
        changed: list[str] = []
        done = 0
        for first, last in self._places(words, most):
            piece = "\n".join(self._lines[first:last])
            clean = pattern.sub(replace, piece)
            if clean != piece:
                changed += [*self._lines[done:first], clean]
                done = last
        return "\n".join([*changed, *self._lines[done:]]) if changed else self.text

    def _places(self, words: tuple[str, ...], most: int) -> Iterator[tuple[int, int]]:
        """Runs of lines to look through: the first, and the one behind the last."""
        if words not in self._there:
            self._there[words] = sorted({number for word in words for number in self._with(word)})
        first = last = 0
        for number in self._there[words]:
            if number >= last:
                if last:
                    yield first, last
                first = number
            last = number + most
        if last:
            yield first, last

    def _with(self, word: str) -> Iterator[int]:
        place = self._lower.find(word)
        while place >= 0:
            number = bisect_right(self._starts, place) - 1
            yield number
            # The same line once is enough.
            place = self._lower.find(word, self._starts[number + 1]) if number + 1 < len(self._starts) else -1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _lower(self) -> str:
        # Some letters become two: places in it count for lines alone, of which there are as many.
        return self.text.lower()

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line of the lower-case text begins."""
        return [0, *accumulate(len(line) + 1 for line in self._lower.split("\n")[:-1])]
