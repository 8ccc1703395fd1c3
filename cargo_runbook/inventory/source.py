"""Text of an environment file -> plain data and the line of every key.

Every scalar stays the text that was written (`1.10`, `007`, `yes`); the model decides what it means. Only an empty
value is None. So no value changes on the way, and no YAML tag can make an object.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from cargo_runbook.texts import Text, tell

MAX_BYTES = 1_000_000
MAX_NODES = 10_000
MAX_DEPTH = 20

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: line (from 1, 0 for the whole file), key in dotted form, sentence, what to do.

    Sentences are in the reader's language.
    """

    line: int
    key: str
    sentence: str
    next_step: str = ""


@dataclass
class Source:
    """Plain data of a file, the line of each place in it, and what is wrong with its form.

    `readable` is False when no data could be read at all.
    """

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    readable: bool = False

    def line(self, place: Place) -> int:
        """Line of a place; of the nearest place above it when it stands nowhere itself."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)

    def dotted_lines(self) -> Mapping[str, int]:
        """The lines by dotted key."""
        return {dotted(place): line for place, line in self.lines.items() if place}


def dotted(place: Place) -> str:
    """`("hosts", 0, "name")` -> `hosts[0].name`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_source(text: str) -> Source:
    """Read the text of an environment file. Never raises: what is wrong stands in `problems`, without any value."""
    source = Source()
    if len(text) > MAX_BYTES:
        sentence = tell(f"the file is longer than {MAX_BYTES} characters", f"文件超过 {MAX_BYTES} 个字符")
        source.problems.append(Problem(0, "", sentence))
        return source
    try:
        root = _composed(text)
    except RecursionError:
        source.problems.append(Problem(0, "", tell("the file is nested too deeply", "文件嵌套过深")))
        return source
    except _NotYaml as error:
        source.problems.append(_not_yaml(text, error.found))
        return source
    if root is None:
        source.problems.append(
            Problem(
                0,
                "",
                tell("the file is empty", "文件为空"),
                tell("cargo-runbook env init writes an example", "用 cargo-runbook env init 生成示例"),
            )
        )
    elif root.id != "mapping":
        sentence = tell(
            'the file must consist of keys with values, as in "domain: ..."', "文件须由键和值组成，例如 “domain: ...”"
        )
        source.problems.append(Problem(_line(root), "", sentence))
    else:
        data = _Reader(source).read(root, ())
        source.data = data if isinstance(data, dict) else {}
        source.readable = True
    return source


class _NotYaml(Exception):
    """`found` is the parser's error."""

    def __init__(self, found: Exception) -> None:
        super().__init__(str(found))
        self.found = found


def _composed(text: str) -> Any:
    """The tree of nodes, of whichever library; None for an empty file.

    libyaml reads what is well formed, twenty times as fast as ruamel.yaml; whatever it does not take is read by that one,
    whose errors have the words and the place.

    Raises:
        _NotYaml: it is no YAML.
        RecursionError: it is nested too deeply.
    """
    # YAML 1.1, which libyaml reads, ends lines there as well.
    if yaml.__with_libyaml__ and not any(character in text for character in "\x85\u2028\u2029"):
        with suppress(yaml.YAMLError, ValueError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    # Late: it takes as long to import as many files to be read.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        # The composer lets errors of its own escape on odd directives and escapes; all of them mean "not YAML".
        raise _NotYaml(error) from error


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes = 0

    def read(self, node: Any, place: Place) -> Any:
        self._nodes += 1
        self._source.lines.setdefault(place, _line(node))
        if self._nodes > MAX_NODES or len(place) > MAX_DEPTH:
            # An alias can hold its own parent, or double what it holds at every level.
            if self._nodes == MAX_NODES + 1 or len(place) == MAX_DEPTH + 1:
                self._complain(
                    node, place, Text("the file holds too much, or refers to itself", "文件内容过多，或引用了自身")
                )
            self._nodes = MAX_NODES + 1
            return None
        if not str(node.tag).startswith("tag:yaml.org,2002:") or ":python" in str(node.tag):
            said = Text(
                "tags (a value that begins with !) have no meaning here; quote the value",
                "标签（以 ! 开头的值）在此无意义；请给该值加引号",
            )
            self._complain(node, place, said)
            return None
        if node.id == "mapping":
            return self._mapping(node, place)
        if node.id == "sequence":
            return [self.read(item, (*place, index)) for index, item in enumerate(node.value)]
        return None if str(node.tag) == "tag:yaml.org,2002:null" else str(node.value)

    def _mapping(self, node: Any, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if key.id != "scalar":
                self._complain(key, place, Text("a key must be a word", "键须为一个词"))
                continue
            name = str(key.value)
            here = (*place, name)
            if name in data or here in self._source.lines:
                first = self._source.lines[here]
                said = Text(
                    f"{dotted(here)} stands twice (first in line {first})",
                    f"{dotted(here)} 重复（首次在第 {first} 行）",
                )
                self._complain(key, here, said)
                continue
            self._source.lines[here] = _line(key)
            data[name] = self.read(value, here)
        return data

    def _complain(self, node: Any, place: Place, said: Text) -> None:
        self._source.problems.append(Problem(_line(node), dotted(place), tell(said.en, said.zh)))


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _not_yaml(text: str, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = int(mark.line) + 1 if mark is not None else 0
    lines = text.splitlines()
    if 0 < line <= len(lines) and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]:
        return Problem(line, "", tell("a tab stands where YAML wants spaces", "YAML 要求空格的位置出现了制表符"))
    problem = str(getattr(error, "problem", None) or "")
    if "undefined alias" in problem:
        # The parser's own words would quote the value.
        problem = tell("a value that begins with * must be quoted", "以 * 开头的值须加引号")
    elif not problem or not _quotes_punctuation_only(problem):
        problem = tell("it can't be read from here on", "从此处起无法读取")
    return Problem(line, "", tell(f"this is not YAML: {problem}", f"不是有效的 YAML：{problem}"))


def _quotes_punctuation_only(problem: str) -> bool:
    quoted = problem.split("'")[1::2]
    return all(part.startswith("<") or not any(character.isalnum() for character in part) for part in quoted)
