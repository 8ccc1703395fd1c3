"""Which token service answers, and what the Cargo host says that it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Which token service answers, and those that could.

    `entries`: the `cargo-admin` lines of each tengine's hosts file (host name, line). `health`: HTTP status of the
    token service that the inventory names, on its own health path; 0 when it did not answer. `answers`: the same of
    each address in `entries`, asked from the Cargo host: (host, address) -> (status, evidence); status 0 for no
    answer, -1 when it could not be asked.
    """

    issuer: Issuer
    evidence: str
    entries: tuple[tuple[str, HostsEntry], ...]
    entries_evidence: tuple[str, ...]
    health: int
    health_evidence: str
    answers: Mapping[tuple[str, str], tuple[int, str]] = field(default_factory=dict)


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


def read_entries(tengines: Mapping[str, Observation]) -> tuple[tuple[str, HostsEntry], ...]:
    """The `cargo-admin` lines in the hosts file of each host's front container."""
    return tuple(
        (host, entry)
        for host, observation in tengines.items()
        if observation.answered and observation.exit_code == 0
        for entry in token_service_entries(read_hosts(observation.output))
    )


_STATUS_LINE = re.compile(r"^HTTP/\d(?:\.\d)? (\d{3})", re.MULTILINE)


def read_answer(observation: Observation) -> int:
    """The HTTP status in what `curl -i` printed; 0 when nobody answered, -1 when it could not be asked."""
    if not observation.answered or observation.exit_code in (126, 127):
        return -1
    status = _STATUS_LINE.search(observation.output)
    return int(status.group(1)) if status else 0


def read_token_service(
    probe: Observation,
    tengines: Mapping[str, Observation],
    health: Observation | None,
    answers: Mapping[tuple[str, str], Observation],
) -> TokenServiceFacts:
    """The facts about the token service.

    Args:
        tengines: the hosts file of the front container of each host.
        answers: the health path of each address in those, asked from that host.
    """
    entries = read_entries(tengines)
    answered = [o.id for o in tengines.values() if o.answered]
    return TokenServiceFacts(
        issuer=read_issuer(probe),
        evidence=probe.id,
        entries=entries,
        entries_evidence=tuple(answered),
        health=int(health.data.get("status", 0)) if health is not None and health.answered else 0,
        health_evidence=health.id if health is not None else "",
        answers={place: (read_answer(o), o.id) for place, o in answers.items()},
    )
