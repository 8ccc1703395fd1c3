"""Regular expressions of patterns: whether one could take very long, and which literal texts every match of it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from cargo_runbook.texts import Text

# A wildcard longer than this makes every start cost as much as the rest of the line.
_LONGEST_WILDCARD = 500
_MOST_REPEATS = 1000
_SHORTEST_LITERAL = 3
# Of a choice of signs, as in `50[234]`, each makes a literal of its own, unless they are too many.
_MOST_SIGNS, _MOST_TEXTS = 8, 24
# An escaped sign and a set of signs are one token each.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def regex_problems(source: str, has_literals: bool) -> Iterator[Text]:
    """What is wrong with a regular expression, each as the end of a sentence.

    Args:
        has_literals: its literals are given beside it, and need not be found in it.
    """
    try:
        tree = parser.parse(source, re.IGNORECASE)
    except re.error as error:
        yield Text(f"is no regular expression: {error}", f"不是有效的正则表达式：{error}")
        return
    if problem := _blows_up(tree):
        yield problem
    if not has_literals and not literals_of(source):
        yield Text(
            "may match without any literal text of three signs or more; give it `literals`",
            "可能不依赖任何三个字符以上的字面文本就匹配；请给出 `literals`",
        )


def _blows_up(tree: Any, times: int = 1) -> Text | None:
    """Why matching could take very long: a repeat within a repeat, or a wildcard that runs on; None when it can't.

    Args:
        times: how often what stands around `tree` may repeat it.
    """
    for operator, argument in tree:
        inner: Iterable[Any]
        if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            most, inner = int(argument[1]), [argument[2]]
            if times > 1 and most > 1 and times * most > _MOST_REPEATS:
                return Text("repeats a repeat, which could take for ever", "在重复中嵌套重复，可能永远匹配不完")
            if argument[2][0][0] is constants.ANY and most > _LONGEST_WILDCARD:
                return Text(
                    f"has a wildcard without an end; write .{{0,{_LONGEST_WILDCARD}}} at most",
                    f"有没有上限的通配符；最多写 .{{0,{_LONGEST_WILDCARD}}}",
                )
        else:
            most, inner = 1, _subtrees(argument)
        if problem := next(filter(None, (_blows_up(sub, times * most) for sub in inner)), None):
            return problem
    return None


def _subtrees(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from _subtrees(item)


def literals_of(source: str) -> tuple[str, ...]:
    """Small-letter texts of which one is in every match of a pattern; empty when there are none of three signs."""
    found = _in_every_match(parser.parse(source, re.IGNORECASE))
    return tuple(sorted(found)) if found and min(map(len, found)) >= _SHORTEST_LITERAL else ()


def alternatives(source: str) -> tuple[str, ...]:
    """The expressions that a regular expression leaves the choice between; itself alone where there is none."""
    depth, start, found = 0, 0, []
    for token in _TOKEN.finditer(source):
        depth += (token[0] == "(") - (token[0] == ")")
        if token[0] == "|" and not depth:
            found.append(source[start : token.start()])
            start = token.end()
    return (*found, source[start:])


def _in_every_match(tree: Any) -> frozenset[str]:
    """The best of the sets of texts that a sequence gives: the one whose shortest text is longest; of two, the smaller."""
    choices: list[frozenset[str]] = []
    runs = frozenset({""})
    for operator, argument in tree:
        signs = _signs(operator, argument)
        if signs and len(runs) * len(signs) <= _MOST_TEXTS:
            runs = frozenset(run + sign for run in runs for sign in signs)
            continue
        choices.append(runs)
        runs = signs or frozenset({""})
        if operator is constants.BRANCH:
            parts = [_in_every_match(branch) for branch in argument[1]]
            choices.append(frozenset().union(*parts) if all(parts) else frozenset())
        elif operator is constants.SUBPATTERN:
            choices.append(_in_every_match(argument[-1]))
        elif operator in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[0] > 0:
            choices.append(_in_every_match(argument[2]))
    choices.append(runs)
    return max(choices, key=lambda texts: (min(map(len, texts), default=0), -len(texts)))


def _signs(operator: Any, argument: Any) -> frozenset[str]:
    """The signs that may stand there, in small letters; empty where they are many."""
    if operator is constants.LITERAL:
        return frozenset({chr(argument).lower()})
    signs: set[str] = set()
    for kind, given in argument if operator is constants.IN else ():
        if kind is constants.LITERAL:
            signs.add(chr(given).lower())
        elif kind is constants.RANGE and given[1] - given[0] < _MOST_SIGNS:
            signs |= {chr(number).lower() for number in range(given[0], given[1] + 1)}
        else:
            return frozenset()
    return frozenset(signs if len(signs) <= _MOST_SIGNS else ())
