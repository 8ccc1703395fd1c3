"""What of a record can be searched as text, and how a search text becomes a query of SQLite's FTS5.

FTS5 splits at spaces and punctuation, and Chinese has none between words: so each of its characters stands as a word of
its own, and a Chinese word is looked for as characters that follow one another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cargo_runbook.archive.record import EVIDENCE, NOTE_FILE, VERDICT

LONGEST = 8_000
"""Characters of one record that are searchable: enough for what was found, not for all that was seen."""
_ERRORS = 40
_ERROR_LENGTH = 300
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
    """The text of a record: its header, what was found, and what hosts and programs complained of."""
    parts = [str(header.get(name, "")) for name in ("record", "domain", "operator", "machine", "reason", "incident")]
    parts += [f"{name} {value}" for name, value in dict(header.get("parameters") or {}).items()]
    parts += _found(folder)
    parts.append(_note(folder))
    parts += dict.fromkeys(_complaints(folder))
    return split("\n".join(part for part in parts if part)[:LONGEST])


def _note(folder: Path) -> str:
    try:
        return str(json.loads((folder / NOTE_FILE).read_bytes())["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _found(folder: Path) -> Iterator[str]:
    try:
        findings = json.loads((folder / VERDICT).read_bytes()).get("findings", ())
    except (OSError, ValueError, AttributeError):
        return
    for finding in findings:
        if finding.get("status") not in _NOTHING_FOUND:
            yield from (str(finding.get(name, "")) for name in _SAID)
            for link in finding.get("chain", ()):
                yield from (str(link.get(name, "")) for name in ("consequence", "consequence_zh"))


_SAID = ("code", "title", "title_zh", "summary", "summary_zh", "section", "vantage")


def _complaints(folder: Path) -> Iterable[str]:
    try:
        lines = (folder / EVIDENCE).read_bytes().split(b"\n")
    except OSError:
        return []
    # Most observations have none, and reading all of them as JSON would take most of the time.
    told = [line for line in lines if line and b'"error": ""' not in line]
    errors = []
    for line in told[:_ERRORS]:
        try:
            errors.append(str(json.loads(line).get("error", ""))[:_ERROR_LENGTH])
        except (ValueError, AttributeError):
            continue
    return errors
