"""All facts along the path of a pull, as the rules read them. None means: not asked, because of something before."""

from __future__ import annotations

from dataclasses import dataclass

from cargo_runbook.facts.containers import Container
from cargo_runbook.facts.names import NameFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.registry_config import TokenAuth
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.facts.token_service import TokenServiceFacts
from cargo_runbook.facts.transport import HandshakeFacts, HostFacts


@dataclass(frozen=True)
class HostSettings:
    """What one Cargo host is configured with, and what runs there.

    `key_ids`: the keys that the registry trusts. `checked_domains`: those that tengine's health check asks for.
    """

    host: str
    auth: TokenAuth | None
    evidence: str
    key_ids: tuple[str, ...]
    keys_evidence: str
    containers: tuple[Container, ...] = ()
    containers_evidence: str = ""
    checked_domains: tuple[str, ...] = ()
    checked_evidence: str = ""


@dataclass(frozen=True)
class LoginFacts:
    """How the token service answers an account's credentials; `status` 0 when they were not sent or not answered."""

    username: str
    kind: str
    status: int
    reason: str
    token: TokenFacts | None
    evidence: str
    saved: bool = False
    """Whether the credentials are those that docker has saved on the operator."""


@dataclass(frozen=True)
class PathFacts:
    """The facts of one environment.

    `repository` and `tag` are the image that the account should be able to pull; `addresses` those that the domain
    may resolve to (empty: not known); `token_port` is where the inventory says that the token service listens (0: it does
    not say). `looked_at` is the one of several hosts that all from `handshake` on was asked of.
    """

    domain: str
    port: int
    repository: str
    tag: str
    has_token_service: bool
    addresses: tuple[str, ...] = ()
    token_port: int = 0
    looked_at: str = ""
    names: NameFacts | None = None
    hosts: tuple[HostFacts, ...] = ()
    handshake: HandshakeFacts | None = None
    challenge: ChallengeFacts | None = None
    realm_names: NameFacts | None = None
    settings: tuple[HostSettings, ...] = ()
    token_service: TokenServiceFacts | None = None
    logins: tuple[LoginFacts, ...] = ()
    token: TokenFacts | None = None
    token_account: str = ""
    manifest: ManifestFacts | None = None

    @property
    def unreached(self) -> bool:
        """Whether the registry gave no answer that anything behind it could be judged by.

        A certificate that is not trusted is an answer: what lies behind it was left unasked on purpose.
        """
        return self.challenge is None or (not self.challenge.status and self.challenge.reason != "tls")

    @property
    def authority(self) -> str:
        return self.domain if self.port == 443 else f"{self.domain}:{self.port}"
