"""Registry tokens (JWT, RS256, libtrust `kid`) and what is asked for them, for both token services.

Standard library only: it runs inside a container that has nothing else.
Sources: distribution's docs/content/spec/auth (token, jwt, scope); libtrust's key id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_sandbox.services.signing import PrivateKey

ISSUER = "harbor-token-issuer"
AUDIENCE = "harbor-registry"
LIFETIME = 1800  # seconds

Access = dict[str, Any]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Signer:
    """Signs with a private key (PEM file), as the file has it at the time. `kid` is the libtrust id that the registry derives
    from the certificate."""

    def __init__(self, key: Path) -> None:
        self.key = key
        self._read()

    def _read(self) -> None:
        self._stamp = self.key.stat().st_mtime_ns
        self._private = PrivateKey(self.key)
        public = self._private.public_der()
        code = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode().rstrip("=")
        self.kid = ":".join(code[i : i + 4] for i in range(0, len(code), 4))

    def _skew(self) -> int:
        """Seconds by which this service's clock is wrong: the file `clock_skew` beside the key, 0 without it."""
        try:
            return int((self.key.parent / "clock_skew").read_text())
        except FileNotFoundError:
            return 0

    def token(self, subject: str, access: list[Access] | None) -> str:
        """A token for `subject` ("" is nobody) with `access` (None: no scope was asked)."""
        # Harbor reads its key for each token.
        if self.key.stat().st_mtime_ns != self._stamp:
            self._read()
        now = int(time.time()) + self._skew()
        header = {"typ": "JWT", "alg": "RS256", "kid": self.kid}
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": AUDIENCE,
            "exp": now + LIFETIME,
            "nbf": now,
            "iat": now,
            "jti": secrets.token_urlsafe(12),
            "access": access,
        }
        body = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{body}.{_base64url(self._private.sign(body.encode()))}"


@dataclass(frozen=True)
class Scope:
    """`type:name:action[,action]`; the name may hold a colon. A scope without colons has no name and no actions."""

    type: str
    name: str
    actions: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> Scope:
        kind, _, rest = text.partition(":")
        name, colon, actions = rest.rpartition(":")
        return Scope(kind, name, tuple(a for a in actions.split(",") if a)) if colon else Scope(kind, "", ())


def scopes(values: Iterable[str]) -> list[Scope]:
    """The scopes of a request's `scope` parameters; a blank separates two within one parameter."""
    return [Scope.parse(text) for value in values for text in value.split()]


def credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of a Basic Authorization header; None without one."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def reply(token: str) -> Mapping[str, Any]:
    """The body of a granted token request."""
    issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"token": token, "expires_in": LIFETIME, "issued_at": issued}
