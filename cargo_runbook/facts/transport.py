"""What became of the connection to the registry's port, and whether the machine behind it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cargo_runbook.observations import Observation, Status
from cargo_runbook.texts import Text


class Handshake(StrEnum):
    """How the TLS handshake ended."""

    SECURE = "secure"
    UNKNOWN_CA = "unknown_ca"
    WRONG_NAME = "wrong_name"
    NOT_VALID_NOW = "not_valid_now"
    NOT_TLS = "not_tls"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    UNTOLD = "untold"


_PROBLEMS = {
    "unknown_ca": Handshake.UNKNOWN_CA,
    "self_signed": Handshake.UNKNOWN_CA,
    "wrong_name": Handshake.WRONG_NAME,
    "expired": Handshake.NOT_VALID_NOW,
    "not_yet_valid": Handshake.NOT_VALID_NOW,
    "not_tls": Handshake.NOT_TLS,
}


@dataclass(frozen=True)
class HandshakeFacts:
    """The certificate that was shown: the names in it, its issuer, and until when it is valid (ISO UTC)."""

    handshake: Handshake
    names: tuple[str, ...]
    issuer: str
    not_after: str
    address: str
    evidence: str


@dataclass(frozen=True)
class HostFacts:
    """What could be read on one Cargo host.

    `reason` is empty when SSH works; `sentence` then too. `fingerprint` is that of a refused host key.
    """

    name: str
    alive: bool
    reason: str
    sentence: Text
    evidence: str


def read_handshake(observation: Observation, address: str) -> HandshakeFacts:
    """The facts in a TLS observation; `address` is the one that was connected to."""
    data = observation.data
    if observation.answered:
        problem = str(data.get("problem", "") or "")
        trusted = bool(data.get("trusted")) and not problem
        handshake = Handshake.SECURE if trusted else _PROBLEMS.get(problem, Handshake.UNTOLD)
    elif data.get("reason") == "refused":
        handshake = Handshake.REFUSED
    elif data.get("reason") in ("reset", "not_tls"):
        handshake = Handshake.NOT_TLS
    elif observation.status in (Status.TIMEOUT, Status.UNREACHABLE):
        handshake = Handshake.NO_ANSWER
    else:
        handshake = Handshake.UNTOLD
    return HandshakeFacts(
        handshake,
        tuple(data.get("names", ())),
        str(data.get("issuer", "")),
        str(data.get("not_after", "")),
        address,
        observation.id,
    )


# Reasons that come from a machine that is there: it answered, and the answer was no.
_ALIVE = {"refused", "authentication", "host_key_unknown", "host_key_changed", "reset"}


def read_host(name: str, observations: Mapping[str, Observation]) -> HostFacts:
    """Whether a Cargo host can be looked at, by all that was asked of it over SSH (what -> observation)."""
    failed = [o for o in observations.values() if not o.answered]
    first = next(iter(observations.values()))
    if len(failed) < len(observations):
        return HostFacts(name, True, "", Text("", ""), next(o.id for o in observations.values() if o.answered))
    reason = str(failed[0].data.get("reason", "") or failed[0].status)
    return HostFacts(name, reason in _ALIVE, reason, failed[0].complaint, first.id)
