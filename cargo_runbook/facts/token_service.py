"""Which token service answers, and what the Cargo host says that it should be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cargo_runbook.facts.hosts_file import HostsEntry, read_hosts, token_service_entries
from cargo_runbook.observations import Observation


class Issuer(StrEnum):
    """Who answered at the token endpoint."""

    BUILT_IN = "built-in"
    CARGO_TOKEN = "cargo-token"  # noqa: S105 - a name
    BROKEN = "broken"
    UNTOLD = "untold"


@dataclass(frozen=True)
class TokenServiceFacts:
    """`entries`: the `cargo-admin` lines of each tengine's hosts file (host name, line). `health`: HTTP status of
    the token service that the inventory names, on its own health path; 0 when it did not answer."""

    issuer: Issuer
    evidence: str
    entries: tuple[tuple[str, HostsEntry], ...]
    entries_evidence: tuple[str, ...]
    health: int
    health_evidence: str


def read_issuer(observation: Observation) -> Issuer:
    """Who answers a request with the unknown service name `probe`.

    Harbor's own token service refuses it with 400 `Unable to handle service: probe` (recorded from Harbor 1.4.1);
    cargo-token does not look at the service name.
    """
    if not observation.answered:
        return Issuer.UNTOLD
    status = int(observation.data.get("status", 0))
    if status == 400 and "Unable to handle service" in observation.output:
        return Issuer.BUILT_IN
    if status >= 500 or status == 404:
        return Issuer.BROKEN
    if status in (200, 401):
        return Issuer.CARGO_TOKEN
    return Issuer.UNTOLD


def read_token_service(
    probe: Observation, tengines: dict[str, Observation], health: Observation | None
) -> TokenServiceFacts:
    """The facts about the token service. `tengines` has the hosts file of the front container of each host."""
    entries = tuple(
        (host, entry)
        for host, observation in tengines.items()
        if observation.answered and observation.exit_code == 0
        for entry in token_service_entries(read_hosts(observation.output))
    )
    answered = [o.id for o in tengines.values() if o.answered]
    return TokenServiceFacts(
        issuer=read_issuer(probe),
        evidence=probe.id,
        entries=entries,
        entries_evidence=tuple(answered),
        health=int(health.data.get("status", 0)) if health is not None and health.answered else 0,
        health_evidence=health.id if health is not None else "",
    )
