"""A secret that can't be printed by accident, and the one redactor that everything written goes through."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from cargo_runbook.secret_shapes import Shape, sensitive_key, shapes

# Shorter values are masked only where they stand alone: masking every "1" would leave no evidence.
_SHORTEST_ANYWHERE = 4
# From this length on, the base64 of a text that merely contains the value is recognised too.
_SHORTEST_EMBEDDED = 6

# From this length on, a form is looked for as it is: nothing that long is part of another word by chance.
_LONG = 64
# What a pattern may find in the place of a secret: a token from before (or its first word), or nothing secret at all.
_PLACEHOLDER = re.compile(r"‹secret.*|\*+|\$\{\w+\}|null|None|true|false|~|\{\{.*\}\}", re.DOTALL)


class Secret:
    """A value that only `reveal()` gives away. It is not a str: no formatting, logging or JSON shows it.

    >>> print(Secret("hunter2"))
    ‹secret›
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "‹secret›"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret can't be pickled: it would be written somewhere")


class Redactor:
    """Replaces secrets in text and in JSON-like data by tokens such as `‹secret 1 password›`.

    It knows secrets by value (`register`) and by shape (`secret_shapes.yml`). Equal secrets get equal tokens, so that
    two places can still be compared; the numbers hold for one redactor only and no value is kept but those that were
    registered. Names that a diagnosis needs (domains, realms, user names) stay. Redacting twice changes nothing more.
    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._salt = secrets.token_bytes(16)
        self._tokens: dict[bytes, str] = {}
        self._forms: dict[str, str] = {}
        self._known: re.Pattern[str] | None = None
        self._long: tuple[str, ...] = ()

    def register(self, secret: Secret, label: str = "password", *, username: str = "") -> str:
        """Makes `secret` known by value, in its plain, base64, URL-quoted and JSON-escaped forms.

        Args:
            label: word that stands in the token.
            username: also the base64 of `username:secret` (RFC 7617) is recognised.

        Returns:
            The token that stands for it from now on.
        """
        value = secret.reveal()
        if not value:
            return ""
        token = self._token(value, label)
        with self._lock:
            new = [form for form in _forms_of(value, username) if self._forms.setdefault(form, token) is token]
            # Tokens are long and many: looking for each as it is costs less than compiling all of them again.
            if any(len(form) < _LONG for form in new):
                self._known = _alternatives(form for form in self._forms if len(form) < _LONG)
            self._long = tuple(sorted((f for f in self._forms if len(f) >= _LONG), key=len, reverse=True))
        return token

    def redact(self, text: str) -> str:
        """`text` without secrets."""
        for form in self._long:
            if form in text:
                text = text.replace(form, self._forms[form])
        known = self._known
        if known is not None:
            text = known.sub(lambda m: self._forms.get(m.group(), m.group()), text)
        for shape in shapes():
            text = self._redact_shape(shape, text)
        return text

    def redact_data(self, data: Any) -> Any:
        """The same for JSON-like data: every text in it, and whole texts under keys that name a secret."""
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, Mapping):
            return {key: self._redact_item(str(key), value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.redact_data(item) for item in data]
        return data

    def _redact_item(self, key: str, value: Any) -> Any:
        label = sensitive_key(key)
        if label and isinstance(value, str):
            return self._mask(value, label)
        if label and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return [self._mask(item, label) for item in value]
        return self.redact_data(value)

    def _redact_shape(self, shape: Shape, text: str) -> str:
        if not shape.applies_to(text):
            return text
        if shape.within is None:
            return shape.pattern.sub(lambda m: self._replace(shape, m), text)
        inner = shape.pattern
        return shape.within.sub(lambda m: inner.sub(lambda n: self._replace(shape, n), m.group()), text)

    def _replace(self, shape: Shape, match: re.Match[str]) -> str:
        groups = match.groupdict()
        if (groups.get("key") or "").lower() in shape.allow:
            return match.group()
        for name, value in groups.items():
            if name.startswith("secret") and value:
                start, end = match.start(name) - match.start(), match.end(name) - match.start()
                whole = match.group()
                return whole[:start] + self._mask(value, shape.label) + whole[end:]
        return match.group()

    def _mask(self, value: str, label: str) -> str:
        if not value or _PLACEHOLDER.fullmatch(value):
            return value
        return self._forms.get(value) or self._token(value, label)

    def _token(self, value: str, label: str) -> str:
        # Only a keyed digest is kept: a redactor must not become a list of other people's passwords.
        digest = hmac.new(self._salt, value.encode("utf-8", "surrogatepass"), sha256).digest()
        with self._lock:
            return self._tokens.setdefault(digest, f"‹secret {len(self._tokens) + 1} {label}›")


def _forms_of(value: str, username: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, quote(value), quote(value, safe=""), quote_plus(value)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms |= {value.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")}
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        forms |= _with_and_without_padding(encode(raw).decode())
        if username:
            forms |= _with_and_without_padding(encode(f"{username}:".encode() + raw).decode())
        if len(value) >= _SHORTEST_EMBEDDED:
            forms |= {_embedded(raw, before, encode) for before in (0, 1, 2)}
    return {form for form in forms if form}


def _with_and_without_padding(text: str) -> set[str]:
    return {text, text.rstrip("=")}


def _embedded(raw: bytes, before: int, encode: Any) -> str:
    """The part of a base64 text that is the same whatever stands around `raw`, `before` bytes after a 3-byte border."""
    whole = encode(bytes(before) + raw).decode().rstrip("=")
    first = -(-before * 8 // 6) if before else 0
    last = (before + len(raw)) * 8 // 6
    return str(whole[first:last])


def _alternatives(forms: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(forms, key=len, reverse=True)
    words = [re.escape(f) if len(f) >= _SHORTEST_ANYWHERE else rf"(?<!\w){re.escape(f)}(?!\w)" for f in longest_first]
    # A token that is there already is passed over as a whole: "password" may well be somebody's password.
    return re.compile("|".join([r"‹secret \d+ [^›]*›", *words]))
