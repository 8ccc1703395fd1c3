"""Secrets in Python code: in its texts and comments, and in what it gives to a name that stands for a secret.

The code itself stays readable: `token = login(alice)` names a secret and holds none, which no pattern can tell.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Sequence
from functools import lru_cache

from cargo_runbook.redaction.shapes import sensitive_name
from cargo_runbook.secret import Redactor

# Lines that IPython hands to a shell or to a magic.
_MAGIC = re.compile(r"\s*[!%]|[^\"'#]*=\s*[!%]")
_MARK = "#:magic:"
_MARKED = re.compile(rf"(?m)^[ \t]*pass{re.escape(_MARK)}(\d+)$")
_LITERAL = re.compile(r"(?s)[A-Za-z]{0,2}(?P<quote>\"{3}|'{3}|\"|')(?P<text>.*)(?P=quote)")
_PASSED_OVER = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT)
_FSTRING_START, _FSTRING_MIDDLE = (getattr(tokenize, f"FSTRING_{part}", -1) for part in ("START", "MIDDLE"))
_REASON = "text in the code for a name that stands for a secret"


def redact_code(source: str, redactor: Redactor) -> str:
    """The source of a code cell without secrets; what is no Python is taken as plain text."""
    clean = redactor.redact_values(source)
    if clean == source and _holds_nothing(source):
        return source
    return _redacted(clean, redactor)


def _redacted(clean: str, redactor: Redactor) -> str:
    if clean.lstrip().startswith("%%"):
        return redactor.redact(clean)
    magics: list[str] = []
    lines = []
    for line in clean.split("\n"):
        if _MAGIC.match(line):
            magics.append(redactor.redact(line))
            line = f"{line[: len(line) - len(line.lstrip())]}pass{_MARK}{len(magics) - 1}"
        lines.append(line)
    try:
        masked = _masked(lines, redactor)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return redactor.redact(clean)
    return _MARKED.sub(lambda mark: magics[int(mark[1])], masked)


@lru_cache(maxsize=512)
def _holds_nothing(source: str) -> bool:
    """Whether there is no secret by its shape. The same cells are run for many environments, and are looked at twice."""
    return _redacted(source, Redactor()) == source


def _masked(lines: list[str], redactor: Redactor) -> str:
    before: list[tokenize.TokenInfo] = []
    changes: list[tuple[tokenize.TokenInfo, str]] = []
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(_MARK):
            hashes = token.string[: len(token.string) - len(token.string.lstrip("# "))]
            changes.append((token, hashes + redactor.redact(token.string.removeprefix(hashes))))
        elif token.type in (tokenize.STRING, _FSTRING_MIDDLE):
            changes.append((token, _masked_text(token, before, redactor)))
        if token.type not in _PASSED_OVER:
            before = [*before[-8:], token]
    # From the end, so that the places of what is still to come stay as they are.
    for token, new in reversed(changes):
        if new != token.string:
            _put(lines, token, new)
    return "\n".join(lines)


def _masked_text(token: tokenize.TokenInfo, before: Sequence[tokenize.TokenInfo], redactor: Redactor) -> str:
    while before and before[-1].type in (tokenize.STRING, _FSTRING_START):
        before = before[:-1]
    if not any(map(sensitive_name, _named(before))):
        return redactor.redact(token.string)
    if token.type == _FSTRING_MIDDLE:
        return redactor.mask(token.string, "password", _REASON)
    text = _text(token.string)
    masked = redactor.mask(text, "password", _REASON)
    return token.string if masked == text else f'"{masked}"'


def _named(before: Sequence[tokenize.TokenInfo]) -> list[str]:
    """The names that a text is given to: `name = "…"`, `name: str = "…"`, `f(name="…")`, `{"name": "…"}`,
    `x["name"] = "…"`, `f("name", "…")`, `Secret("…")`, `name == "…"`."""
    words = [token.string for token in before]
    match words:
        case [*_, name, ":", _, "="]:
            names = [name]
        case _:
            names = []
    match words:
        case [*_, name, "=" | "==" | "!="] if name != "]":
            names.append(name)
        case [*_, name, "]", "=" | "=="] | [*_, name, ":" | "("] | [*_, "(", name, ","]:
            names.append(name)
    return [_text(name) for name in names]


def _text(literal: str) -> str:
    """What stands between the quotes. Not by `ast`, whose parser counts wrongly when several threads use it (3.11)."""
    found = _LITERAL.fullmatch(literal)
    return found["text"] if found else literal


def _put(lines: list[str], token: tokenize.TokenInfo, new: str) -> None:
    (first, start), (last, end) = token.start, token.end
    old = "\n".join(lines[first - 1 : last])
    tail = len(lines[last - 1]) - end
    if old[start : len(old) - tail] != token.string:
        raise ValueError("the token does not stand where it says")
    lines[first - 1 : last] = (old[:start] + new + old[len(old) - tail :]).split("\n")
