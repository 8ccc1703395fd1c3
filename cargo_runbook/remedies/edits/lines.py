"""Lines with their ends kept, so that tabs, Windows line ends and a missing last newline survive."""

from __future__ import annotations

import re
from collections.abc import Callable

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")


def lines_of(text: str) -> list[str]:
    """The lines with their ends; joined they are the text. Only \\n ends a line (a \\r before it belongs to the end)."""
    return _LINE.findall(text)


def ending_of(text: str) -> str:
    """The line end that a new line should have: that of the first line, \\n without one."""
    first = lines_of(text)[:1]
    return "\r\n" if first and first[0].endswith("\r\n") else "\n"


def with_line(text: str, line: str, at: int | None = None) -> str:
    """`text` with one more line (given without its end) before line `at` (from 0), or at the end."""
    lines, end = lines_of(text), ending_of(text)
    if at is None or at >= len(lines):
        if lines and not lines[-1].endswith("\n"):
            # The last line had no end: the new last one has none either.
            return f"{text}{end}{line}"
        return f"{text}{line}{end}"
    lines.insert(at, f"{line}{end}")
    return "".join(lines)


def changed_lines(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` made to each line without its end."""
    done = []
    for line in lines_of(text):
        body = line.rstrip("\n")
        body, end = (body[:-1], "\r\n") if body.endswith("\r") and line.endswith("\n") else (body, line[len(body) :])
        done.append(change(body) + end)
    return "".join(done)
