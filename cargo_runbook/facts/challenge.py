"""The registry's challenge: `WWW-Authenticate`, parsed by its grammar (RFC 9110 section 11.6.1).

The realm is an address chosen by the server that was asked. It is hostile input: it is taken apart here and
compared, and nothing is sent to it because of what it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word for a word
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_SCHEME = re.compile(rf"\s*({_TOKEN})(?=\s|$|,)")


@dataclass(frozen=True)
class Challenge:
    """One challenge: its scheme in lower case, and its parameters with names in lower case."""

    scheme: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Realm:
    """The token endpoint that a Bearer challenge names. `port` is 443 for https and 80 for http when none is given."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        default = {"https": 443, "http": 80}.get(self.scheme)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default else f"{host}:{self.port}"


def read_challenges(values: Sequence[str]) -> tuple[Challenge, ...]:
    """All challenges of all `WWW-Authenticate` headers; several may stand in one header, parted by commas."""
    challenges = []
    for value in values:
        position = 0
        while match := _SCHEME.match(value, position):
            scheme, position = match.group(1).lower(), match.end()
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(value, position):
                quoted, word = parameter.group(2), parameter.group(3)
                parameters[parameter.group(1).lower()] = re.sub(r"\\(.)", r"\1", quoted) if word is None else word
                position = parameter.end()
                comma = re.compile(r"\s*,").match(value, position)
                if comma:
                    position = comma.end()
            challenges.append(Challenge(scheme, parameters))
            comma = re.compile(r"[\s,]*").match(value, position)
            position = comma.end() if comma else position
    return tuple(challenges)


def read_realm(text: str) -> Realm | None:
    """The realm taken apart; None when it is no http(s) URL with a host, or carries a user or a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        return None
    if port is None:
        port = 443 if scheme == "https" else 80
    return Realm(text, scheme, parts.hostname.lower().rstrip("."), port)


def bearer_of(challenges: tuple[Challenge, ...]) -> Challenge | None:
    """The first Bearer challenge."""
    return next((c for c in challenges if c.scheme == "bearer"), None)
