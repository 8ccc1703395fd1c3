"""Patterns of what clients print: tables in `tables/*.yml` that a person can read and add to.

A pattern is looked for in one line at a time, and only where one of its literals stands; the part of a line that is
looked at has a fixed length. So the time that it takes grows with the text and with nothing else, as long as a pattern
itself can't blow up: one that could is refused when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cargo_runbook.data import read_data
from cargo_runbook.errors import UsageError
from cargo_runbook.literals import Literals
from cargo_runbook.symptoms.parts import Part, first_match
from cargo_runbook.symptoms.regexes import alternatives, regex_problems
from cargo_runbook.texts import Text, tell

CAUSES = (
    "dns-unresolvable",
    "wrong-domain",
    "token-service",
    "not-logged-in",
    "bad-credentials",
    "permission-denied",
    "repository-or-project-missing",
    "tls-trust",
    "http-vs-https",
    "connection-refused-or-unreachable",
    "gateway-error",
    "rate-limited",
    "storage-or-upload",
    "replication-stuck",
    "replication-auth",
    "client-config",
)
UNKNOWN = "unknown"
_FIELDS = {"cause", "weight", "needs", "literals", "regex", "also", "source", "finds", "spares"}
_MANDATORY = ("cause", "weight", "regex", "source", "finds", "spares")
_TABLES = "cargo_runbook.symptoms.tables"
# How programs introduce an HTTP status; tables write `<status>503`.
_STATUS = (
    r"(?:(?<!http )status(?: code)?|code|(?<!parsing )HTTP(?:/[\d.]+)?\"?|error|response|returned|with|got|failed"
    r"|status code (?:returned )?(?:when|while|for|from) (?:\w{1,20} ){1,4}|request to \S{1,700})\"?[:=]?\s{0,2}[(\"]?"
)
# How a refusal's code stands before its reason: as clients print it, in the registry's JSON, in the registry's log.
_REFUSED = r"(?<!permission )\b(?:unauthorized|denied)(?:: |\"? ?, ?\"message\" ?: ?\"|\"? err\.message=\"?)"
# The plainest words have many forms, and which of them a program takes is chance: tables write `<failed> connect`,
# `repository <missing>`, `connection <timeout>`.
_FAILED = r"(?:fail(?:ed|s|ing)? to|(?:could|can|did) ?(?:not|n.?t)|can.t|(?:un|not )able to)"
_MISSING = (
    r"(?:(?:was |is |were |are )?not found|(?:could|can) ?(?:not|n.?t) be found|can.t be found|"
    r"do(?:es)? ?(?:not|n.?t) exist|not exist|no longer exists)"
)
# The start of a line, also behind the time that a log or a build puts before it.
_BEGINS = r"(?:(?<![^\n])|(?<=\dZ )|(?<= F )|(?<=\.\d{3} ))"
_SHORT = {
    "<begins>": _BEGINS,
    "<status>": _STATUS,
    "<refused>": _REFUSED,
    "<failed>": _FAILED,
    "<missing>": _MISSING,
    "<timeout>": r"tim(?:ed|e)[ -]?out",
}


class Needs(StrEnum):
    """What has to be near a match before it counts.

    IMAGE: words of an image operation, and the line is not another tool's; the rule. REPLICATION: words of a
    replication or of the job service. NO_OTHER_TOOL: only that the line is not another tool's. NOTHING: nothing.
    NOTHING_ELSE: that no other pattern says anything, and the text is about an image and nobody else.
    """

    NOTHING = "nothing"
    NO_OTHER_TOOL = "no-other-tool"
    IMAGE = "image"
    REPLICATION = "replication"
    NOTHING_ELSE = "nothing-else"


@dataclass(frozen=True)
class Pattern:
    """One row of a table.

    Args:
        weight: 1 to 100, how much the text says by itself; the heaviest match names the cause.
        parts: regular expressions of which any may match.
        also: causes that the same text may have, likeliest first.
        source: the thread, source file or documentation that has the text.
        finds, spares: a text that it matches, and one that looks alike and that it does not match.
    """

    name: str
    cause: str
    weight: int
    needs: Needs
    parts: tuple[Part, ...]
    also: tuple[str, ...]
    source: str
    finds: str
    spares: str

    @property
    def literals(self) -> tuple[str, ...]:
        """Lower-case texts of which one is in every match."""
        return tuple(dict.fromkeys(literal for part in self.parts for literal in part.literals))

    def search(self, text: str) -> re.Match[str] | None:
        """The first match of any part; of two at one place that of the earlier part."""
        return first_match(self.parts, text, text.lower(), 0, len(text))


class Book:
    """Patterns, and where in a text they are worth a try: where one of their literals stands."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(patterns)
        owners: dict[str, list[tuple[int, int]]] = {}
        for number, pattern in enumerate(self.patterns):
            for which, part in enumerate(pattern.parts):
                for literal in part.literals:
                    owners.setdefault(literal, []).append((number, which))
        self._owners = tuple(tuple(dict.fromkeys(own)) for own in owners.values())
        self._literals = Literals(owners)

    def places(self, lower: str) -> Iterator[tuple[tuple[tuple[int, int], ...], list[int]]]:
        """For each literal that stands in a text in small letters, whose it is, and all its places in order.

        Returns:
            Numbers of patterns, each with the number of one of its parts; and the places.
        """
        found: dict[int, list[int]] = {}
        for number, place in self._literals.places(lower):
            found.setdefault(number, []).append(place)
        return ((self._owners[number], places) for number, places in found.items())


@cache
def shipped_book() -> Book:
    """The patterns that come with the program, ready for use."""
    return Book(shipped())


@cache
def shipped() -> tuple[Pattern, ...]:
    """The patterns that come with the program."""
    names = sorted(entry.name for entry in files(_TABLES).iterdir() if entry.name.endswith(".yml"))
    return tuple(pattern for name in names for pattern in _patterns(read_data(_TABLES, name), name))


def read_patterns(text: str, file: str) -> tuple[Pattern, ...]:
    """The patterns of one table, in its order.

    Raises:
        UsageError: the table can't be used; the sentence names the file, the pattern and what is wrong with it.
    """
    try:
        table = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise UsageError(
            tell(f"{file} is no YAML", f"{file} 不是有效的 YAML"), seen=str(error).replace("\n", " ")
        ) from error
    return _patterns(table, file)


def _patterns(table: Any, file: str) -> tuple[Pattern, ...]:
    if not isinstance(table, Mapping):
        raise UsageError(tell(f"{file} holds no patterns", f"{file} 中没有模式"), next_step=_how())
    return tuple(_pattern(str(name), row, file) for name, row in table.items())


def _pattern(name: str, row: Any, file: str) -> Pattern:
    if problem := next(_problems(row), None):
        raise UsageError(
            tell(f'{file}: the pattern "{name}" {problem.en}', f"{file}：模式 “{name}” {problem.zh}"), next_step=_how()
        )
    given = tuple(str(word).lower() for word in row.get("literals") or ())
    parts = tuple(Part.of(each, given) for each in _tried(row))
    pattern = Pattern(
        name=name,
        cause=row["cause"],
        weight=row["weight"],
        needs=Needs(row.get("needs", "image")),
        parts=parts,
        also=tuple(row.get("also", ())),
        source=row["source"],
        finds=row["finds"],
        spares=row["spares"],
    )
    if not (pattern.search(row["finds"]) and any(word in row["finds"].lower() for word in pattern.literals)):
        raise UsageError(
            tell(
                f'{file}: the pattern "{name}" does not find its own positive example',
                f"{file}：模式 “{name}” 匹配不到自己的正例",
            ),
            seen=row["finds"],
        )
    if pattern.search(row["spares"]):
        raise UsageError(
            tell(
                f'{file}: the pattern "{name}" finds its negative example too',
                f"{file}：模式 “{name}” 也匹配了自己的反例",
            ),
            seen=row["spares"],
        )
    return pattern


def _how() -> str:
    return tell("docs/symptoms.md shows how a pattern is written.", "模式的写法见 docs/symptoms.md。")


def _tried(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The regular expressions of a row, each tried where a literal of its own stands; one, where literals are given for all."""
    if row.get("literals"):
        return ("|".join(_sources(row)),)
    return tuple(each for source in _sources(row) for each in alternatives(source))


def _sources(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What is given, one or a list of which any may match, with what `_SHORT` stands for."""
    given = row["regex"]
    parts = [str(part) for part in given] if isinstance(given, list) else [str(given)]
    for short, meant in _SHORT.items():
        parts = [part.replace(short, meant) for part in parts]
    return tuple(parts)


def _problems(row: Any) -> Iterator[Text]:
    if not isinstance(row, Mapping):
        yield Text("is no list of fields", "不是字段列表")
        return
    for key in _MANDATORY:
        if not row.get(key):
            yield Text(f"has no {key}", f"缺少 {key}")
    for key in row:
        if key not in _FIELDS:
            yield Text(f"has a field {key!r} that is not known", f"有未知字段 {key!r}")
    for cause in (row["cause"], *row.get("also", ())):
        if cause not in CAUSES:
            yield Text(
                f"names the cause {cause!r}; there are: {', '.join(CAUSES)}",
                f"的原因 {cause!r} 不存在；可选：{'、'.join(CAUSES)}",
            )
    if row.get("needs", "image") not in set(Needs):
        yield Text(
            f"needs {row['needs']!r}; there are: {', '.join(Needs)}",
            f"的 needs 不能是 {row['needs']!r}；可选：{'、'.join(Needs)}",
        )
    if not isinstance(row["weight"], int) or not 1 <= row["weight"] <= 100:
        yield Text("has a weight that is no number from 1 to 100", "的 weight 不是 1 到 100 的整数")
    for source in _tried(row):
        yield from regex_problems(source, bool(row.get("literals")))
