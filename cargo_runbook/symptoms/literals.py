"""Many texts looked for at once, in one pass (Aho and Corasick, 1975)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ahocorasick_rs import AhoCorasick, Implementation

# Half of a pair, as broken escapes leave it, stands in no text that the automaton takes.
_SURROGATE = re.compile("[\ud800-\udfff]")


class Literals:
    """Finds texts, each known by its number."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self._automaton = AhoCorasick(self.texts, implementation=Implementation.ContiguousNFA)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Number and place of each that stands in `text`, also of those that overlap, by where they end."""
        known = text if text.isascii() else _SURROGATE.sub("?", text)
        found = self._automaton.find_matches_as_indexes(known, overlapping=True)
        return ((number, place) for number, place, _ in found)
