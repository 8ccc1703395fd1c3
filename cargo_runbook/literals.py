"""Many texts looked for at once, in one pass (Aho and Corasick, 1975), and halves of characters, which no such pass takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from ahocorasick_rs import AhoCorasick, Implementation

_HALF = re.compile("[\ud800-\udfff]")
# Patterns that ignore case take these for letters of ASCII.
_LIKE_ASCII = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}


class Made(Enum):
    """What the automaton is made for."""

    TO_CHANGE = Implementation.NoncontiguousNFA
    """Texts that change: it is made in no time."""
    TO_STAY = Implementation.ContiguousNFA
    """Many texts, used often."""
    FOR_FEW = Implementation.DFA
    """Few texts, used all the time: fastest, and largest."""


class Literals:
    """Finds texts, each known by its number. One with half of a character in it may be found where another half stands.

    Args:
        texts: what is looked for; none is empty.
        made: what for.
    """

    def __init__(self, texts: Iterable[str], made: Made = Made.TO_STAY) -> None:
        self.texts = tuple(texts)
        self._automaton = AhoCorasick(map(whole, self.texts), implementation=made.value)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Number and place of each that stands in `text`, also of those that overlap, by where they end."""
        found = self._automaton.find_matches_as_indexes(whole(text), overlapping=True)
        return ((number, place) for number, place, _ in found)

    def present(self, text: str) -> set[int]:
        """Numbers of those that stand in `text`."""
        return {number for number, _ in self.places(text)}


def whole(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair, which broken escapes leave and UTF-8 can't hold (RFC 3629)."""
    try:
        # By far the fastest way to find out.
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub("\ufffd", text)
    return text


def without_case(text: str) -> str:
    """`text` with the letters of ASCII in lower case, as patterns that ignore case see them; each character stays where it
    is."""
    if text.isascii():
        return text.lower()
    for letter, ascii_letter in _LIKE_ASCII.items():
        text = text.replace(letter, ascii_letter)
    # Bytes know no letters but those of ASCII, which halves the time.
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
