"""A secret that can't be printed by accident, and the one redactor that everything written goes through."""

from __future__ import annotations

import hmac
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, NoReturn

from cargo_runbook.literals import whole
from cargo_runbook.redaction.data import says_nothing, sensitive_item
from cargo_runbook.redaction.forms import Forms, without_colours
from cargo_runbook.redaction.held import Held
from cargo_runbook.redaction.lines import Lines
from cargo_runbook.redaction.shapes import Shape, shapes_for

KEY_VARIABLE = "CARGO_RUNBOOK_REDACTION_KEY"
"""The runner's key for the tokens of one run, so that its kernel names equal secrets equally. It is never written."""
BY_VALUE = "known by value"
_NUMBERS = (int, float, bool)
_PASSES = 8
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 1 << 18

# What a pattern may find in the place of a secret: a token from before (or its first word), or nothing secret at all.
_PLACEHOLDER = re.compile(r"‹secret.*|‹[\w ]+›|\*+|\$\{\w+\}|null|None|true|false|~|\{\{.*\}\}", re.DOTALL)


HELD = Held()


class Secret:
    """A value that only `reveal()` gives away. It is not a str: no formatting, logging or JSON shows it. From then on
    every redactor of this process knows the value.

    >>> print(Secret("hunter2"))
    ‹secret›
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        HELD.add(value)

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


@dataclass
class Masked:
    """What stands for one secret, how often it was put there by this redactor, and why."""

    token: str
    label: str
    reasons: set[str] = field(default_factory=set)
    count: int = 0


class Redactor:
    """Replaces secrets in text and in JSON-like data by tokens such as `‹secret 1 password›`.

    It knows secrets by value (all that a `Secret` ever held in this process) and by shape (`redaction/shapes.yml`). Equal
    secrets get equal tokens, so that two places can still be compared: the numbers hold for the process, or with a
    key for all that have the same one. Names that a diagnosis needs (domains, realms, user names) stay. Redacting
    twice changes nothing more. Safe to share between threads.

    Args:
        key: of the run (default: CARGO_RUNBOOK_REDACTION_KEY); tokens then have six hex digits in place of a number.
    """

    def __init__(self, key: str = "") -> None:
        self._key = (key or os.environ.get(KEY_VARIABLE, "")).encode()
        self._held = HELD
        self._lock = threading.RLock()
        self._tokens: dict[bytes, str] = {}
        self._labels: dict[str, str] = {}
        self._forms = Forms()
        self._seen = 0
        self._masked: dict[str, Masked] = {}
        # Texts in which nothing was found with what is known now: a record is looked through again when it is sealed.
        self._clean: set[str] = set()

    def register(self, secret: Secret, label: str = "password", *, username: str = "") -> str:
        """Gives `secret` a label; it is known by value in its plain, base64, hex, quoted and escaped forms.

        Args:
            label: word that stands in the token.
            username: also the base64 of `username:secret` (RFC 7617) is recognised.

        Returns:
            The token that stands for it from now on.
        """
        value = secret.reveal()
        if not value:
            return ""
        with self._lock:
            self._labels.setdefault(value, label)
            self._forms.add(value, username=username)
            self._clean = set()
        return self._token(value, label)

    def redact(self, text: str) -> str:
        """`text` without secrets, and with U+FFFD for halves of characters, which no file can hold. Colours (ANSI) stay, but
        where they stand in the way of finding one."""
        self._learn()
        # The set of before: one that was replaced meanwhile, since something new is known, is told nothing that counts.
        known_clean = self._clean
        if text in known_clean:
            return text
        redacted = self._redact_bare(text)
        if redacted == text and len(text) <= _LONGEST_REMEMBERED and len(known_clean) < _REMEMBERED:
            known_clean.add(text)
        return redacted

    def _redact_bare(self, text: str) -> str:
        clean = self._redact(text)
        bare = without_colours(clean)
        if bare == clean:
            return clean
        masked = self._redact(bare)
        return clean if masked == bare else masked

    def redact_values(self, text: str) -> str:
        """`text` without the secrets that are known by value, for what no shape fits: program code, pictures."""
        self._learn()
        return self._forms.replace(text, self._known)

    def redact_data(self, data: Any) -> Any:
        """The same for JSON-like data: every text in it, and whole texts under keys that name a secret, or a Secret."""
        if isinstance(data, str):
            return self.redact(data)
        if data is None or type(data) in _NUMBERS:
            return data
        # A dict is a Mapping too, but found out in a tenth of the time.
        if isinstance(data, (dict, Mapping)):
            return self._redact_fields(data)
        if isinstance(data, (list, tuple)):
            return [self.redact_data(item) for item in data]
        return self.register(data) if isinstance(data, Secret) else data

    def _redact_fields(self, data: Mapping[Any, Any]) -> dict[Any, Any]:
        clean = {}
        for key, value in data.items():
            plain = type(key) is str and says_nothing(key)
            clean[key if plain else self._key_of(key)] = (
                self.redact_data(value) if plain else self._redact_item(data, key, value)
            )
        return clean

    def held_back(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a secret that is known by value."""
        self._learn()
        return self._forms.begun(text)

    def holds_value(self, text: str) -> bool:
        """Whether a secret that is known by value stands in `text`; everyday words don't count, they may be names."""
        self._learn()
        return self._forms.distinct_in(text)

    @property
    def masked(self) -> tuple[Masked, ...]:
        """What was masked so far, by token."""
        with self._lock:
            return tuple(sorted(self._masked.values(), key=lambda masked: masked.token))

    def mask(self, value: str, label: str, reason: str) -> str:
        """The token for a text that is a secret as a whole."""
        return value if not value or _PLACEHOLDER.fullmatch(value) else self._masked_as(value, label, reason)

    def _masked_as(self, value: str, label: str, reason: str) -> str:
        token = self._token(value, self._labels.get(value, label))
        with self._lock:
            masked = self._masked.setdefault(token, Masked(token, self._labels.get(value, label)))
            masked.reasons.add(reason)
            masked.count += 1
        return token

    def _redact(self, text: str) -> str:
        text = whole(self.redact_values(text))
        # Again until nothing is found: what one secret's match reached over may hold another.
        for _ in range(_PASSES):
            lines = Lines(text)
            for shape in shapes_for(text):
                lines = self._redact_shape(shape, lines)
            if lines.text == text:
                break
            text = lines.text
        return text

    def _key_of(self, key: Any) -> Any:
        # An identifier is a name even when somebody's password is the same word.
        return whole(self.redact_values(key)) if isinstance(key, str) and not key.isidentifier() else key

    def _redact_item(self, around: Mapping[Any, Any], key: Any, value: Any) -> Any:
        if str(key).lower() == "set-cookie":
            # The cookie's name and attributes say what it is for; its value alone is the secret.
            return [self._cookie(v) for v in value] if isinstance(value, list | tuple) else self._cookie(value)
        label = sensitive_item(around, str(key), value) if not isinstance(value, Secret) else ""
        if label and isinstance(value, str):
            return self.mask(value, label, f"field {key}")
        if label and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return [self.mask(item, label, f"field {key}") for item in value]
        return self.redact_data(value)

    def _cookie(self, value: Any) -> Any:
        header = "Set-Cookie: "
        return self.redact(header + value).removeprefix(header) if isinstance(value, str) else value

    def _redact_shape(self, shape: Shape, lines: Lines) -> Lines:
        replace = partial(self._replace, shape)
        inner = shape.pattern
        if shape.within is not None:
            clean = shape.within.sub(lambda m: inner.sub(replace, m.group()), lines.text)
        elif shape.lines:
            clean = lines.sub(inner, shape.when, shape.lines, replace, shape.then)
        else:
            clean = inner.sub(replace, lines.text)
        return lines if clean == lines.text else Lines(clean)

    def _replace(self, shape: Shape, match: re.Match[str]) -> str:
        groups = match.groupdict()
        if (groups.get("key") or "").lower() in shape.allow:
            return match.group()
        for name, value in groups.items():
            if name.startswith("secret") and value:
                start, end = match.start(name) - match.start(), match.end(name) - match.start()
                whole = match.group()
                return whole[:start] + self.mask(value, shape.label, shape.name) + whole[end:]
        return match.group()

    def _known(self, value: str) -> str:
        return self._masked_as(value, "password", BY_VALUE)

    def _learn(self) -> None:
        """Takes over what was held since the last time."""
        if self._seen == len(self._held.values):
            return
        with self._lock, self._held.lock:
            new = list(self._held.values)[self._seen :]
            self._seen = len(self._held.values)
            self._forms.add(*filter(None, new))
            self._clean = set()

    def _token(self, value: str, label: str) -> str:
        raw = value.encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key or self._held.salt, raw, sha256).digest()
        with self._lock:
            token = self._tokens.get(digest)
            if token is None:
                name = digest.hex()[:6] if self._key else str(self._held.number(digest))
                token = self._tokens[digest] = f"‹secret {name} {label}›"
            return token
