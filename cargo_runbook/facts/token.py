"""A registry token: what its claims grant (distribution specification, `spec/auth/token` and `spec/auth/jwt`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.observations import Observation


@dataclass(frozen=True)
class TokenFacts:
    """A token as it was decoded where it was received; the token itself is never kept.

    `reference` stands for the token in later questions. `access` maps `type:name` to the granted actions.
    """

    reference: str
    key_id: str
    issuer: str
    audience: tuple[str, ...]
    subject: str
    access: Mapping[str, frozenset[str]]
    evidence: str
    issued: float = 0.0
    """`iat` in seconds since 1970; 0 when the token has none."""
    expires: float = 0.0
    """`exp`, likewise."""

    def grants(self, repository: str, action: str) -> bool:
        """Whether `action` on `repository` is granted; `*` grants everything (registry v2.6.2, auth/token)."""
        granted = self.access.get(f"repository:{repository}", frozenset())
        return action in granted or "*" in granted


def read_token(observation: Observation) -> TokenFacts | None:
    """The token in the answer of a token service; None when the answer holds none."""
    token: Any = observation.data.get("token")
    if not isinstance(token, Mapping):
        return None
    header, claims = token.get("header") or {}, token.get("claims") or {}
    audience = claims.get("aud", ())
    return TokenFacts(
        reference=str(token.get("ref", "")),
        key_id=str(header.get("kid", "")),
        issuer=str(claims.get("iss", "")),
        audience=(audience,) if isinstance(audience, str) else tuple(str(a) for a in audience),
        subject=str(claims.get("sub", "")),
        access=_read_access(claims.get("access")),
        evidence=observation.id,
        issued=_seconds(claims.get("iat")),
        expires=_seconds(claims.get("exp")),
    )


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _read_access(entries: Any) -> Mapping[str, frozenset[str]]:
    # Harbor 1.4 writes `"access": null` when no scope was asked.
    access: dict[str, frozenset[str]] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping):
            key = f"{entry.get('type', '')}:{entry.get('name', '')}"
            access[key] = access.get(key, frozenset()) | frozenset(str(a) for a in entry.get("actions") or ())
    return access
