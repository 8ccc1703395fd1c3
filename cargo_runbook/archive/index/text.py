"""What of a record can be searched as text, and how a search text becomes a query of SQLite's FTS5.

FTS5 splits at spaces and punctuation, and Chinese has none between words: so each of its characters stands as a word of
its own, and a Chinese word is looked for as characters that follow one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cargo_runbook.archive.files import parse
from cargo_runbook.archive.record import EVIDENCE, NOTE_FILE, VERDICT

LONGEST = 300_000
"""Characters of one record that are searchable: ten times what a usual run leaves, so that no single one fills the index."""
# CJK ideographs with their extensions and kana; what Harbor, docker and kubectl print is Latin.
_CJK = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_GAPS = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]) (?=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")  # fmt: skip # noqa: E501
_NOTHING_FOUND = ("ok", "skipped")


def split(text: str) -> str:
    """`text` with a space around each Chinese character.

    >>> split("使用错误的域名 CRG201")
    '使 用 错 误 的 域 名 CRG201'
    """
    return " ".join(_CJK.sub(r" \1 ", text).split())


def joined(text: str) -> str:
    """The inverse of `split`, for showing."""
    return _GAPS.sub("", text)


def query(text: str) -> str:
    """A query of FTS5 for records that hold every word of `text`; words in quotes stand together, `word*` begins one.

    Empty when there is no word in it.
    """
    terms = []
    for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', text):
        begins = not quoted and plain.endswith("*")
        word = split(quoted or plain.rstrip("*")).replace('"', " ")
        if re.search(r"\w", word):
            terms.append(f'"{word}"{"*" if begins else ""}')
    return " AND ".join(terms)


def searchable(folder: Path, header: Mapping[str, Any]) -> str:
    """The text of a record: its header, what was found, what was asked and answered, and what was changed.

    What is said twice stands once; what was found comes first, so that an excerpt shows that.
    """
    parts = [str(header.get(name, "")) for name in ("record", "domain", "operator", "machine", "reason", "incident")]
    parameters = header.get("parameters")
    parts += [f"{name} {value}" for name, value in parameters.items()] if isinstance(parameters, dict) else []
    parts += _found(folder)
    parts.append(_note(folder))
    parts += _changed(folder)
    parts += _evidence(folder)
    lines = dict.fromkeys(line for part in parts for line in part.split("\n"))
    return split("\n".join(line for line in lines if line)[:LONGEST])


def _note(folder: Path) -> str:
    try:
        return str(parse((folder / NOTE_FILE).read_bytes())["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _found(folder: Path) -> Iterator[str]:
    try:
        findings = parse((folder / VERDICT).read_bytes()).get("findings", ())
    except (OSError, ValueError, AttributeError):
        return
    for finding in _objects(findings):
        if str(finding.get("status")) not in _NOTHING_FOUND:
            yield from (str(finding.get(name, "")) for name in _SAID)
            for link in _objects(finding.get("chain")):
                yield from (str(link.get(name, "")) for name in ("consequence", "consequence_zh"))


def _objects(found: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; what a damaged or a hostile record has in their place is passed over."""
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, dict))


_SAID = ("code", "title", "title_zh", "summary", "summary_zh", "section", "vantage")


def _evidence(folder: Path) -> Iterator[str]:
    """First what hosts and programs complained of, then every question with its answer."""
    try:
        lines = (folder / EVIDENCE).read_bytes().split(b"\n")
    except OSError:
        return
    seen = [body for line in lines if line and isinstance(body := _json(line), dict)]
    yield from (str(body.get("error", "")) for body in seen)
    for body in seen:
        yield from _asked(body.get("question"))
        yield str(body.get("output", ""))
        yield from _texts(body.get("data"))


def _asked(question: object) -> Iterator[str]:
    """The words of a question: command, URL, name."""
    if isinstance(question, dict):
        for name in _WORDS:
            words = question.get(name, "")
            yield " ".join(map(str, words)) if isinstance(words, list) else str(words)


def _texts(data: object) -> Iterator[str]:
    """Headers and what else was read out of an answer, a line each; certificates stand in their own words."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == "headers" or isinstance(value, dict):
                yield from _texts(value)
            elif name not in _OF_NO_USE and value:
                yield f"{name} {' '.join(map(str, value)) if isinstance(value, list) else value}"


_WORDS = ("argv", "args", "url", "name", "server", "address", "server_name", "account", "body")
_OF_NO_USE = ("certificate", "argv", "date")


def _changed(folder: Path) -> Iterator[str]:
    """Plans and journals of changes."""
    for path in sorted((folder / "changes").glob("*/*.json*")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        for line in [text] if path.suffix == ".json" else text.split("\n"):
            yield from _strings(_json(line.encode()))


def _strings(body: object) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict | list):
        for item in body.values() if isinstance(body, dict) else body:
            yield from _strings(item)


def _json(line: bytes) -> object:
    try:
        return parse(line)
    except ValueError:
        return None
