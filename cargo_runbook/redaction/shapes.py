"""Shapes of secrets: the table `redaction/shapes.yml`, read and compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from cargo_runbook.data import read_data
from cargo_runbook.literals import Literals, Made, without_case

_LONG = 16_384


@dataclass(frozen=True)
class Shape:
    """One row of the table.

    Args:
        name: what it is, for tests and documents.
        label: word in the token that replaces the secret.
        pattern: its group `secret` (or `secret2`, ...) is what gets masked; a group `key` is compared with `allow`.
        within: `pattern` is only looked for inside matches of this one.
        when: lower-case words, one of which the text must hold; spares the pattern where there is nothing to find.
        then: what stands behind one of `when` in each match; where it stands behind none, the pattern is spared too.
        lines: over how many lines a match may go, in the first of which one of `when` stands; 0 where that is not so.
        allow: lower-case keys whose values are no secrets.
    """

    name: str
    label: str
    pattern: re.Pattern[str]
    within: re.Pattern[str] | None
    when: tuple[str, ...]
    then: re.Pattern[str] | None
    lines: int
    allow: frozenset[str]


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = read_data("cargo_runbook.redaction", "shapes.yml")
    return table


def _compile(pattern: str) -> re.Pattern[str]:
    words = _table()["words"]
    # A word may use the words above it.
    for name in reversed(words):
        pattern = pattern.replace(f"<{name}>", words[name])
    return re.compile(pattern)


@cache
def shapes() -> tuple[Shape, ...]:
    """All shapes, in the order in which they are looked for."""
    return tuple(
        Shape(
            name=row["name"],
            label=row["label"],
            pattern=_compile(row["pattern"]),
            within=_compile(row["within"]) if "within" in row else None,
            when=tuple(row.get("when", ())),
            then=_compile(row["then"]) if "then" in row else None,
            lines=row.get("lines", 0),
            allow=frozenset(row.get("allow", ())),
        )
        for row in _table()["shapes"]
    )


def prepare() -> None:
    """Reads and compiles the whole table, which takes as long as twenty cells, before it is needed."""
    _when_words()
    sensitive_key("")
    sensitive_name("")


def shapes_for(text: str) -> tuple[Shape, ...]:
    """The shapes that are worth a try on a text: those of whose words it holds one, and those that have none."""
    return _remembered(text) if len(text) <= _LONG else _shapes_with(text)


@lru_cache(maxsize=2048)
def _remembered(text: str) -> tuple[Shape, ...]:
    # A record is looked through again when it is sealed, and then it has the texts that were looked at before.
    return _shapes_with(text)


def _shapes_with(text: str) -> tuple[Shape, ...]:
    words = _when_words()
    # Word -> where it ends.
    there: dict[str, list[int]] = {}
    for number, place in words.places(without_case(text)):
        word = words.texts[number]
        there.setdefault(word, []).append(place + len(word))
    if not there:
        return _without_words()
    return tuple(shape for shape in shapes() if not shape.when or _worth_a_try(shape, text, there))


def _worth_a_try(shape: Shape, text: str, there: Mapping[str, Iterable[int]]) -> bool:
    found = [there[word] for word in shape.when if word in there]
    if shape.then is None:
        return bool(found)
    then = shape.then.match
    return any(then(text, end) for ends in found for end in ends)


@cache
def _without_words() -> tuple[Shape, ...]:
    return tuple(shape for shape in shapes() if not shape.when)


@cache
def _when_words() -> Literals:
    return Literals(sorted({word for shape in shapes() for word in shape.when}), Made.FOR_FEW)


@cache
def _keys() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_compile(row["pattern"]), row["label"]) for row in _table()["keys"])


@cache
def sensitive_key(key: str) -> str:
    """The label for the values of a key that names a secret (`password`, `set-cookie`); empty for any other key."""
    return next((label for pattern, label in _keys() if pattern.fullmatch(key)), "")


@cache
def _name() -> re.Pattern[str]:
    return _compile("<name>")


@cache
def sensitive_name(name: str) -> bool:
    """Whether a variable or parameter of that name holds a secret (`password`, `harbor_token`)."""
    return _name().fullmatch(name) is not None
