"""A pasted text as it can be read: without colours and escapes, each place with the line that it stands in.

What is pasted comes out of terminals, JSON logs, syslog and chat windows. So escape codes may stand there in full, as
`#033[1m` or `\\u001b[1m`; quotes and line ends may be escaped once or several times; and a narrow terminal may have
cut a word in two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

# A run of backslashes is looked at once, from its start: from every sign of it would take for ever.
# In full, as rsyslog and cat -v write it, and as JSON and C do.
_COLOUR = re.compile(
    r"(?:\x1b|#033|\^\[(?=\[\d)|(?<!\\)\\+(?:u001[bB]|x1[bB]|0?33)|␛|�(?=\[\d))\[[0-9;?]{0,20}[A-Za-z]"
    r"|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b[()][A-Z0-9]|\x1b[=>78]"
)
_COLOUR_SIGNS = ("\x1b", "#033", "^[[", "\\u001", "\\x1", "\\033", "\\33", "␛", "�[")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060\ufeff]+")
_NEWLINE = re.compile("\n")
_QUOTE = re.compile(r"(?<!\\)\\+([\"'])")
_LINE_END = re.compile(
    r"(?<!\\)\\+[rnt](?=[^A-Za-z]|[A-Z]|(?:errors|denied|unauthorized|error|failed|time|level)\b)|#01[25]"
)
_UNICODE = re.compile(r"(?<!\\)\\+u([0-9a-fA-F]{4})")
_ENTITY = re.compile(r"&(?:quot|lt|gt|amp|apos|#34|#39|#x27);")
_ENTITIES = {"quot": '"', "lt": "<", "gt": ">", "amp": "&", "apos": "'", "#34": '"', "#39": "'", "#x27": "'"}
_TYPOGRAPHIC = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "「": '"', "」": '"', "\u00a0": " "})
# What Chinese input writes in the place of a sign, with the blank that is drawn into it.
_FULL_WIDTH = re.compile(r"[\uff01-\uff5e\u3002\u3010\u3011] ?")
_WITH_A_BLANK = frozenset(":,;!?")
# What people write in the place of a name: <my registry>. The blanks in it would part the name.
_PLACEHOLDER = re.compile(r"<[A-Za-z]\w{0,30}(?: [\w']{1,30}){1,6}>")
_VARIABLE = b"0123456789abcdef"
_OF_A_KIND = 3
LONGEST_PASTE = 65536
"""Longer texts are logs: no terminal has cut them, and their lines are their own."""
# A line that a terminal has cut is nearly as wide as it; a new statement begins with a time, a level, a layer or a prompt.
_NARROWEST = 50
_CUT_LINES = 2
# A text that is cut off tells at least so much of its last words, and more than half of them.
_SHORTEST_END, _LONGEST_END = 8, 64
# A request of which the address stands on the next line.
_OPENS = re.compile(r"\b(?:Get|Head|Post|Put|Patch|Delete) \"\s{0,3}$", re.IGNORECASE)
_FRESH = re.compile(
    r"\s*(?:[$#>*\[{<(-]|[0-9a-f]{12}: |\d{4}[-/]\d\d|\d\d:\d\d|[A-Z][a-z]{2} +\d|[IWEF]\d{4} "
    r"|(?:time|level|error|warning|fatal|caused)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Paste:
    """A cleaned text. `text` and `lower` have the same places.

    Args:
        numbers: for each line of `text` its number in what was pasted; empty where no line was left out.
    """

    text: str
    lower: str
    numbers: tuple[int, ...] = ()

    @cached_property
    def _ends(self) -> list[int]:
        return [match.start() for match in _NEWLINE.finditer(self.text)]

    def line_of(self, place: int) -> int:
        """Number of the line, from 1, that holds `place`."""
        line = bisect_right(self._ends, place - 1) if place else 0
        return self.numbers[line] if self.numbers else line + 1

    def line_around(self, place: int, reach: int) -> tuple[int, int]:
        """Start and end of the line that holds `place`, cut to `reach` signs on either side."""
        start = self.text.rfind("\n", max(0, place - reach), place) + 1 or max(0, place - reach)
        end = self.text.find("\n", place, place + reach)
        return start, end if end >= 0 else min(len(self.text), place + reach)


def clean(raw: str) -> Paste:
    """`raw` without what only a terminal or a log shipper put there; line numbers stay as they were pasted."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw
    # Of a whole log in one string the line ends are the log's.
    lines = "\n" in text.strip() or len(text) > LONGEST_PASTE
    if any(sign in text for sign in _COLOUR_SIGNS):
        text = _COLOUR.sub("", text)
    if "\\" in text or "#01" in text:
        text = _QUOTE.sub(r"\1", text)
        text = _UNICODE.sub(_sign, text)
        text = _LINE_END.sub(lambda m: " " if lines or m[0][-1] in "rt5" else "\n", text)
    if "&" in text:
        text = _ENTITY.sub(lambda m: _ENTITIES[m.group()[1:-1]], text)
    if "<" in text:
        text = _PLACEHOLDER.sub(lambda m: m.group().replace(" ", "_"), text)
    if not text.isascii():
        text = _FULL_WIDTH.sub(_half_width, text.translate(_TYPOGRAPHIC))
    text = _CONTROL.sub("", text)
    made = _paste(text)
    return made if lines or "\n" not in text.strip() else Paste(made.text, made.lower, (1,) * (text.count("\n") + 1))


def _half_width(match: re.Match[str]) -> str:
    sign = {"\u3002": ". ", "\u3010": "[", "\u3011": "]"}.get(match[0][0]) or chr(ord(match[0][0]) - 0xFEE0)
    return f"{sign} " if sign in _WITH_A_BLANK else sign + match[0][1:]


def _sign(escape: re.Match[str]) -> str:
    number = int(escape[1], 16)
    # A half of a pair is no sign by itself, and a line end that was escaped is none of the paste's.
    return " " if number < 32 or 0xD800 <= number < 0xE000 else chr(number)


def _paste(text: str) -> Paste:
    lower = text.lower()
    if len(lower) != len(text):
        # A few letters of other scripts grow when they are made small, and the places would no longer agree.
        text = "".join(sign if len(sign.lower()) == 1 else "?" for sign in text)
        lower = text.lower()
    return Paste(text, lower)


def condensed(paste: Paste) -> Paste:
    """The text with every kind of line a few times only: a log says the same a hundred thousand times.

    Lines are of one kind when they differ in nothing but digits and the letters of hexadecimal numbers.
    """
    kinds = paste.lower.encode("utf-8", "replace").translate(None, _VARIABLE).split(b"\n")
    lines = paste.text.split("\n")
    count = Counter[bytes]()
    kept: set[int] = set()
    last: dict[bytes, int] = {}
    for number, kind in enumerate(kinds):
        count[kind] += 1
        last[kind] = number
        if count[kind] <= _OF_A_KIND:
            kept.add(number)
    if len(kept) == len(lines):
        return paste
    order = sorted(kept.union(last.values()))
    made = _paste("\n".join(lines[number] for number in order))
    return Paste(made.text, made.lower, tuple(number + 1 for number in order))


def rejoined(paste: Paste) -> Paste | None:
    """The text with the lines put together that a terminal cut in the middle, all at its width; None if there are none."""
    lines = paste.text.split("\n")
    width = max(map(len, lines))
    if width < _NARROWEST:
        return None
    return _joined(paste, "", lambda line: len(line) == width)


def is_cut(paste: Paste) -> bool:
    """Whether a terminal cut lines in the middle of words: two lines or more that are as wide as any."""
    lines = paste.text.split("\n")
    width = max(map(len, lines))
    cut = [
        a
        for a, b in pairwise(lines)
        if len(a) == width and a[-1:].isalnum() and b[:1].isalnum() and not _FRESH.match(b)
    ]
    return width >= _NARROWEST and len(cut) >= _CUT_LINES


def refilled(paste: Paste) -> Paste | None:
    """The text with the lines put together that were parted between two words, since the next one did not fit; None if there are none."""
    # A word that is longer than the width stands out over it.
    width = max((len(line) for line in map(str.rstrip, paste.text.split("\n")) if " " in line.lstrip()), default=0)
    if width < _NARROWEST:
        return None

    def more(before: str, line: str) -> str | None:
        before, word = before.rstrip(), line.split(maxsplit=1)[0] if line.strip() else ""
        if not word or not before or max(len(before), len(word)) < _NARROWEST or _FRESH.match(line):
            return None
        if len(before) + 1 + len(word) <= width:
            return None
        return " " + line.lstrip()

    return _rejoined(paste, more)


def completed(paste: Paste, endings: tuple[str, ...]) -> Paste | None:
    """The text with its last words written out, where it is cut off within one of `endings`; None where it is not."""
    text = paste.text.rstrip()
    end = text[-_LONGEST_END:].lower()
    rests = _rests(endings)
    for kept in range(min(len(end), _LONGEST_END), _SHORTEST_END - 1, -1):
        rest = rests.get(end[-kept:])
        if rest and not end[:-kept][-1:].isalnum():
            made = _paste(text + rest)
            return Paste(made.text, made.lower, paste.numbers)
    return None


@cache
def _rests(endings: tuple[str, ...]) -> dict[str, str]:
    """What of an ending is told, to what is left of it."""
    return {
        ending[:kept]: ending[kept:]
        for ending in reversed(endings)
        for kept in range(max(_SHORTEST_END, len(ending) // 2 + 1), len(ending))
        # A single word that is whole begins many endings.
        if ending[kept] != " " or " " in ending[:kept]
    }


def chained(paste: Paste) -> Paste | None:
    """The text with the lines put together of which one ends in a colon, or opens a quote: the next is what it wraps; None if
    there are none."""
    parts: list[str] = []
    numbers: list[int] = []
    wraps: str | None = None
    for number, line in enumerate(paste.text.split("\n"), 1):
        if wraps is not None and not line.strip():
            continue
        if wraps is not None and not _FRESH.match(line):
            parts[-1] = parts[-1].rstrip() + wraps + line.lstrip()
        else:
            parts.append(line)
            numbers.append(paste.numbers[number - 1] if paste.numbers else number)
        wraps = " " if line.rstrip().endswith(":") else "" if _OPENS.search(line) else None
    made = _paste("\n".join(parts))
    return Paste(made.text, made.lower, tuple(numbers)) if len(parts) < paste.text.count("\n") + 1 else None


def unfolded(paste: Paste) -> Paste | None:
    """The text with every object that was printed over several lines on one; None if there are none."""
    return _rejoined(paste, lambda before, line: line.strip() if _goes_on(before, line) else None)


def _goes_on(before: str, line: str) -> bool:
    inside = before.rstrip().endswith(("{", "[", ",", "}", "]"))
    return inside and line.lstrip().startswith(('"', "{", "[", "}", "]"))


def unwrapped(paste: Paste) -> tuple[Paste, ...]:
    """The text as it may have been before long lines were cut anywhere: in a word, or between words."""
    made = (_joined(paste, glue, lambda line: len(line) >= _NARROWEST) for glue in ("", " "))
    return tuple(other for other in made if other is not None)


def _joined(paste: Paste, glue: str, cut: Callable[[str], bool]) -> Paste | None:
    def more(before: str, line: str) -> str | None:
        if not (cut(before) and line.strip()) or _FRESH.match(line):
            return None
        return glue + (line.lstrip() if glue else line)

    return _rejoined(paste, more)


def _rejoined(paste: Paste, more: Callable[[str, str], str | None]) -> Paste | None:
    """Each line put behind the one before it where `more(before, line)` gives what to put there; None if nowhere."""
    lines = paste.text.split("\n")
    parts, numbers = [lines[0]], [1]
    for number, (before, line) in enumerate(pairwise(lines), 2):
        added = more(before, line)
        if added is None:
            parts.append(line)
            numbers.append(number)
        else:
            parts[-1] += added
    if len(parts) == len(lines):
        return None
    made = _paste("\n".join(parts))
    return Paste(made.text, made.lower, tuple(paste.numbers[n - 1] if paste.numbers else n for n in numbers))
