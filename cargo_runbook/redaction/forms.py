"""The forms in which a value can stand in a text, and finding them all at once."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import threading
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from cargo_runbook.literals import Literals, Made

# Shorter values are masked only where they stand alone: masking every "1" would leave no evidence.
_SHORTEST_ANYWHERE = 4
# From this length on, the base64 of a text that merely contains the value is recognised too.
_SHORTEST_EMBEDDED = 6
# From this length on, a form is no part of a name by chance, if it is no plain word.
_SHORTEST_DISTINCT = 8
# In longer texts the beginnings of all forms are looked for at once, and then those alone that may be there.
_SHORT = 4000
_BEGINNING = 16
# So many patterns are kept; where a token stands in one answer it stands in others.
_PATTERNS = 64
_WORD = re.compile(r"[A-Za-z_-]+|\d+")
_TOKEN = r"‹secret \w+ [^›]*›"  # noqa: S105 - what stands for a secret
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,20}[@-~]")


def without_colours(text: str) -> str:
    """`text` without ANSI colours; they may stand between a name and its value, or inside a value."""
    return _COLOUR.sub("", text) if "\x1b[" in text else text


class Forms:
    """The forms of many values. Safe to read while another thread adds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, str] = {}
        self._known: dict[tuple[str, str], None] = {}
        self._distinct: tuple[str, ...] = ()
        self._finder: _Finder | None = None
        self._patterns: dict[tuple[str, ...], re.Pattern[str]] = {}

    def add(self, *values: str, username: str = "") -> None:
        """Makes values known; with a username also as HTTP's basic authentication sends them."""
        with self._lock:
            new = {form: v for v in values if (v, username) not in self._known for form in forms_of(v, username)}
            self._known.update(dict.fromkeys((value, username) for value in values))
            if new:
                # New containers: readers keep those that they have.
                self._values = {**new, **self._values}
                distinct = (form for form in new if len(form) >= _SHORTEST_DISTINCT and not _WORD.fullmatch(form))
                self._distinct = (*self._distinct, *distinct)

    def replace(self, text: str, token: Callable[[str], str]) -> str:
        """`text` with `token(value)` in place of every form of a value, the longest form first."""
        values = self._values
        present = self._present(values, text)
        if not present:
            return text
        return self._pattern(present).sub(lambda m: token(values[m[0]]) if m[0] in values else m[0], text)

    def _present(self, values: dict[str, str], text: str) -> tuple[str, ...]:
        """Those of `values` that stand in `text`."""
        if len(text) <= _SHORT or not values:
            return tuple(form for form in values if form in text)
        finder = self._finder
        if finder is None or finder.forms is not values:
            finder = self._finder = _Finder(values)
        return finder.present(text)

    def _pattern(self, present: tuple[str, ...]) -> re.Pattern[str]:
        pattern = self._patterns.get(present)
        if pattern is None:
            pattern = _alternatives(present)
            self._patterns = (
                {present: pattern} if len(self._patterns) >= _PATTERNS else {**self._patterns, present: pattern}
            )
        return pattern

    def distinct_in(self, text: str) -> bool:
        """Whether a form stands in `text` that is long enough, and no word, to be there by chance."""
        return any(form in text for form in self._distinct)

    def begun(self, text: str) -> int:
        """The length of the longest end of `text` with which a form begins, and does not end."""
        return max((_begun(form, text) for form in self._values), default=0)


class _Finder:
    """Finds those of many forms that stand in a text, in one pass over it (Aho and Corasick, 1975).

    Args:
        forms: those that are known.
    """

    def __init__(self, forms: dict[str, str]) -> None:
        self.forms = forms
        beginnings: dict[str, list[str]] = {}
        for form in forms:
            beginnings.setdefault(form[:_BEGINNING], []).append(form)
        self._beginning_so = tuple(beginnings.values())
        self._beginnings = Literals(beginnings, Made.TO_CHANGE)

    def present(self, text: str) -> tuple[str, ...]:
        """Those that are there."""
        numbers = sorted(self._beginnings.present(text))
        return tuple(form for number in numbers for form in self._beginning_so[number] if form in text)


def _begun(form: str, text: str) -> int:
    longest = min(len(form) - 1, len(text))
    tail = text[len(text) - longest :] if longest else ""
    start = tail.find(form[0]) if tail else -1
    while start >= 0:
        if form.startswith(tail[start:]):
            return len(tail) - start
        start = tail.find(form[0], start + 1)
    return 0


def _alternatives(forms: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(forms, key=len, reverse=True)
    words = [re.escape(f) if len(f) >= _SHORTEST_ANYWHERE else rf"(?<!\w){re.escape(f)}(?!\w)" for f in longest_first]
    # A token that is there already is passed over as a whole: "password" may well be somebody's password.
    return re.compile("|".join([_TOKEN, *words]))


def forms_of(value: str, username: str = "") -> set[str]:
    """Plain, URL-quoted (once and twice), JSON-, HTML-, shell- and Python-escaped, hex, and base64 forms of `value`."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    forms |= {json.dumps(form)[1:-1] for form in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])}
    forms |= {value.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")}
    forms |= {html.escape(value, quote=False), html.escape(value), shlex.quote(value).strip("'")}
    # As jinja's escaping has the quotes.
    forms |= {html.escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    quoted = {_quoted(value, safe="/"), _quoted(value, safe=""), _quoted(value, safe=" ").replace(" ", "+")}
    forms |= quoted | {_quoted(form, safe="") for form in quoted}
    forms |= set(_base64_forms(raw))
    if username:
        forms |= set(_whole(f"{username}:".encode() + raw))
    if len(value) >= _SHORTEST_EMBEDDED:
        forms |= {raw.hex(), raw.hex().upper()}
    return {form for form in forms if form}


def _quoted(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="surrogatepass")


def _base64_forms(raw: bytes) -> Iterator[str]:
    yield from _whole(raw)
    if len(raw) < _SHORTEST_EMBEDDED:
        return
    once = set(_embedded(raw))
    yield from once
    # A docker login in a Kubernetes Secret is base64 in base64.
    for form in once:
        yield from _embedded(form.encode())


def _whole(raw: bytes) -> Iterator[str]:
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        text = encode(raw).decode()
        yield text
        yield text.rstrip("=")


def _embedded(raw: bytes) -> Iterator[str]:
    """The part of a base64 text that is the same whatever stands around `raw`, at each place in a group of 3 bytes."""
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        for before in (0, 1, 2):
            whole = encode(bytes(before) + raw).decode().rstrip("=")
            first = -(-before * 8 // 6) if before else 0
            yield whole[first : (before + len(raw)) * 8 // 6]
