"""Shapes of secrets: the table `redaction/shapes.yml`, read and compiled once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cargo_runbook.data import read_data


@dataclass(frozen=True)
class Shape:
    """One row of the table.

    Args:
        name: what it is, for tests and documents.
        label: word in the token that replaces the secret.
        pattern: its group `secret` (or `secret2`, ...) is what gets masked; a group `key` is compared with `allow`.
        within: `pattern` is only looked for inside matches of this one.
        when: lower-case words, one of which the text must hold; spares the pattern where there is nothing to find.
        allow: lower-case keys whose values are no secrets.
    """

    name: str
    label: str
    pattern: re.Pattern[str]
    within: re.Pattern[str] | None
    when: tuple[str, ...]
    allow: frozenset[str]

    def applies_to(self, lower: str) -> bool:
        """Whether the pattern is worth a try on a text, given in lower case."""
        return not self.when or any(word in lower for word in self.when)


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
            allow=frozenset(row.get("allow", ())),
        )
        for row in _table()["shapes"]
    )


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
