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
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cargo_runbook.data import read_data
from cargo_runbook.errors import UsageError

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
# A wildcard longer than this makes every start cost as much as the rest of the line.
_LONGEST_WILDCARD = 500
_MOST_REPEATS = 1000
_PIECE = 4
_TABLES = "cargo_runbook.symptoms.tables"
_SHORTEST_LITERAL = 3
# How programs introduce an HTTP status; tables write `<status>503`.
_STATUS = (
    r"(?:(?<!http )status(?: code)?|code|(?<!parsing )HTTP(?:/[\d.]+)?\"?|error|response|returned|with|got|failed"
    r"|status code (?:returned )?(?:when|while|for|from) (?:\w{1,20} ){1,4}|request to \S{1,700})[:=]?\s{0,2}[(\"]?"
)


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
        literals: lower-case texts of which one is in every match; they are found before the pattern is tried.
        also: causes that the same text may have, likeliest first.
        source: the thread, source file or documentation that has the text.
        finds, spares: a text that it matches, and one that looks alike and that it does not match.
    """

    name: str
    cause: str
    weight: int
    needs: Needs
    literals: tuple[str, ...]
    regex: re.Pattern[str]
    also: tuple[str, ...]
    source: str
    finds: str
    spares: str


class Book:
    """Patterns, and which of them are worth a try in a text.

    A text is cut into all its pieces of four signs once; a pattern whose literals begin with none of them can't match.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(patterns)
        self._by_piece: dict[str, list[tuple[int, str]]] = {}
        self._short: list[tuple[int, str]] = []
        for number, pattern in enumerate(self.patterns):
            for literal in pattern.literals:
                if len(literal) >= _PIECE:
                    self._by_piece.setdefault(literal[:_PIECE], []).append((number, literal))
                else:
                    self._short.append((number, literal))

    def candidates(self, lower: str) -> list[tuple[Pattern, tuple[str, ...]]]:
        """The patterns of which literals stand in a text in small letters, each with those literals."""
        pieces = set(map("".join, zip(lower, lower[1:], lower[2:], lower[3:], strict=False)))
        present: dict[int, list[str]] = {}
        for piece in self._by_piece.keys() & pieces:
            for number, literal in self._by_piece[piece]:
                if literal in lower:
                    present.setdefault(number, []).append(literal)
        for number, literal in self._short:
            if literal in lower:
                present.setdefault(number, []).append(literal)
        return [(self.patterns[number], tuple(literals)) for number, literals in sorted(present.items())]


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
        raise UsageError(f"{file} is no YAML", seen=str(error).replace("\n", " ")) from error
    return _patterns(table, file)


def _patterns(table: Any, file: str) -> tuple[Pattern, ...]:
    if not isinstance(table, Mapping):
        raise UsageError(f"{file} holds no patterns", next_step="docs/symptoms.md shows how a pattern is written.")
    return tuple(_pattern(str(name), row, file) for name, row in table.items())


def _pattern(name: str, row: Any, file: str) -> Pattern:
    if problem := next(_problems(row), ""):
        raise UsageError(
            f'{file}: the pattern "{name}" {problem}', next_step="docs/symptoms.md shows how a pattern is written."
        )
    regex = re.compile(_source(row), re.IGNORECASE)
    literals = tuple(str(word).lower() for word in row.get("literals") or _literals(_source(row)))
    pattern = Pattern(
        name=name,
        cause=row["cause"],
        weight=row["weight"],
        needs=Needs(row.get("needs", "image")),
        literals=literals,
        regex=regex,
        also=tuple(row.get("also", ())),
        source=row["source"],
        finds=row["finds"],
        spares=row["spares"],
    )
    if not (regex.search(row["finds"]) and any(word in row["finds"].lower() for word in literals)):
        raise UsageError(f'{file}: the pattern "{name}" does not find its own positive example', seen=row["finds"])
    if regex.search(row["spares"]):
        raise UsageError(f'{file}: the pattern "{name}" finds its negative example too', seen=row["spares"])
    return pattern


def _source(row: Mapping[str, Any]) -> str:
    """The regular expression of a row: one, or a list of which any may match; `<status>` stands before an HTTP status."""
    given = row["regex"]
    joined = "|".join(str(part) for part in given) if isinstance(given, list) else str(given)
    return joined.replace("<status>", _STATUS)


def _problems(row: Any) -> Iterator[str]:
    if not isinstance(row, Mapping):
        yield "is no list of fields"
        return
    for key in _MANDATORY:
        if not row.get(key):
            yield f"has no {key}"
    for key in row:
        if key not in _FIELDS:
            yield f"has a field {key!r} that is not known"
    for cause in (row["cause"], *row.get("also", ())):
        if cause not in CAUSES:
            yield f"names the cause {cause!r}; there are: {', '.join(CAUSES)}"
    if row.get("needs", "image") not in set(Needs):
        yield f"needs {row['needs']!r}; there are: {', '.join(Needs)}"
    if not isinstance(row["weight"], int) or not 1 <= row["weight"] <= 100:
        yield "has a weight that is no number from 1 to 100"
    yield from _regex_problems(_source(row), bool(row.get("literals")))


def _regex_problems(source: str, has_literals: bool) -> Iterator[str]:
    try:
        tree = parser.parse(source, re.IGNORECASE)
    except re.error as error:
        yield f"is no regular expression: {error}"
        return
    if problem := _blows_up(tree):
        yield problem
    if not has_literals and not _literals(source):
        yield "may match without any literal text of three signs or more; give it `literals`"


def _blows_up(tree: Any, times: int = 1) -> str:
    """Why matching could take very long: a repeat within a repeat, or a wildcard that runs on; empty when it can't.

    Args:
        times: how often what stands around `tree` may repeat it.
    """
    for operator, argument in tree:
        inner: Iterable[Any]
        if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            most, inner = int(argument[1]), [argument[2]]
            if times > 1 and most > 1 and times * most > _MOST_REPEATS:
                return "repeats a repeat, which could take for ever"
            if argument[2][0][0] is constants.ANY and most > _LONGEST_WILDCARD:
                return f"has a wildcard without an end; write .{{0,{_LONGEST_WILDCARD}}} at most"
        else:
            most, inner = 1, _subtrees(argument)
        if problem := next(filter(None, (_blows_up(sub, times * most) for sub in inner)), ""):
            return problem
    return ""


def _subtrees(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from _subtrees(item)


def _literals(source: str) -> tuple[str, ...]:
    """Small-letter texts of which one is in every match of a pattern; empty when there are none of three signs."""
    found = _in_every_match(parser.parse(source, re.IGNORECASE))
    return tuple(sorted(found)) if found and min(map(len, found)) >= _SHORTEST_LITERAL else ()


def _in_every_match(tree: Any) -> frozenset[str]:
    """The best of the sets of texts that a sequence gives: the one whose shortest text is longest."""
    choices: list[frozenset[str]] = []
    run = ""
    for operator, argument in tree:
        if operator is constants.LITERAL:
            run += chr(argument).lower()
            continue
        choices.append(frozenset({run}))
        run = ""
        if operator is constants.BRANCH:
            parts = [_in_every_match(branch) for branch in argument[1]]
            choices.append(frozenset().union(*parts) if all(parts) else frozenset())
        elif operator is constants.SUBPATTERN:
            choices.append(_in_every_match(argument[-1]))
        elif operator in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[0] > 0:
            choices.append(_in_every_match(argument[2]))
    choices.append(frozenset({run}))
    return max(choices, key=lambda texts: min(map(len, texts), default=0))
