"""What the registry answers at /v2/ and for a manifest (distribution specification, API version check)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cargo_runbook.facts.challenge import Challenge, Realm, bearer_of, read_challenges, read_realm
from cargo_runbook.observations import Observation


@dataclass(frozen=True)
class ChallengeFacts:
    """The answer to `GET /v2/` without credentials.

    `status` is 0 when nothing came back; then `reason` says why. `realm` is None without a usable Bearer challenge.
    """

    status: int
    reason: str
    challenge: Challenge | None
    realm: Realm | None
    evidence: str
    clock: float = 0.0
    """The front's clock by its `Date` header, in seconds since 1970; 0 without one."""

    @property
    def answered(self) -> bool:
        """Whether a front answered at all; with a certificate that is not trusted, it did."""
        return bool(self.status) or self.reason == "tls"

    @property
    def service(self) -> str:
        """The service name that clients repeat to the token service."""
        return self.challenge.parameters.get("service", "") if self.challenge else ""


@dataclass(frozen=True)
class ManifestFacts:
    """The answer to a request for the test image's manifest with a token."""

    status: int
    reason: str
    evidence: str


def read_challenge(observation: Observation) -> ChallengeFacts:
    """The facts in the answer to `GET /v2/`."""
    status, reason = _status(observation)
    bearer = bearer_of(read_challenges(_values(observation, "www-authenticate")))
    realm = read_realm(bearer.parameters.get("realm", "")) if bearer else None
    return ChallengeFacts(status, reason, bearer, realm, observation.id, _clock(_values(observation, "date")))


def read_challenge_text(printed: str) -> Realm | None:
    """The realm in what `curl -i` printed of `/v2/`; None without a usable Bearer challenge."""
    values = re.findall(r"^www-authenticate:[ \t]*(.*?)[ \t\r]*$", printed, re.IGNORECASE | re.MULTILINE)
    bearer = bearer_of(read_challenges(values))
    return read_realm(bearer.parameters.get("realm", "")) if bearer else None


def read_manifest(observation: Observation) -> ManifestFacts:
    """The facts in the answer for a manifest."""
    return ManifestFacts(*_status(observation), observation.id)


def _clock(values: Sequence[str]) -> float:
    try:
        return parsedate_to_datetime(values[0]).timestamp() if values else 0.0
    except ValueError:
        return 0.0


def _status(observation: Observation) -> tuple[int, str]:
    if observation.answered:
        return int(observation.data.get("status", 0)), ""
    return 0, str(observation.data.get("reason", "") or observation.status)


def _values(observation: Observation, header: str) -> Sequence[str]:
    value = (observation.data.get("headers") or {}).get(header, ())
    return (value,) if isinstance(value, str) else tuple(value)
