"""What each host of a Cargo of several hosts answers by itself, and what the address before them answers."""

from __future__ import annotations

from dataclasses import dataclass

from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.facts.token_service import TokenServiceFacts
from cargo_runbook.facts.transport import HandshakeFacts


@dataclass(frozen=True)
class NodeFacts:
    """One host, asked at its own address. What was left out because of something before it is None."""

    host: str
    address: str
    handshake: HandshakeFacts
    challenge: ChallengeFacts
    token_service: TokenServiceFacts | None = None
    token: TokenFacts | None = None
    manifest: ManifestFacts | None = None

    @property
    def answers(self) -> bool:
        return self.challenge.answered


@dataclass(frozen=True)
class NodesFacts:
    """All hosts, none where there is only one. `front`: what came back each time that clients' address was asked."""

    nodes: tuple[NodeFacts, ...] = ()
    front: tuple[ChallengeFacts, ...] = ()
