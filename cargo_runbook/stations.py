"""The stations of a pull in one environment: each is asked once, by the first one that needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from cargo_runbook.connections import Evidence
from cargo_runbook.errors import HostKeyError
from cargo_runbook.facts.names import NameFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.token_service import TokenServiceFacts
from cargo_runbook.facts.transport import HandshakeFacts
from cargo_runbook.inventory.models import Environment, Host
from cargo_runbook.once import Answers, once
from cargo_runbook.probes.hosts import HostProbe, look_at_hosts
from cargo_runbook.probes.names import look_up
from cargo_runbook.probes.nodes import host_to_look_at
from cargo_runbook.probes.registry import DEFAULT_SERVICE, TokenProbe, ask_challenge, ask_manifest, log_in, shake_hands
from cargo_runbook.probes.scene import Wanted
from cargo_runbook.probes.token_service import ask_token_service
from cargo_runbook.texts import tell


class Stations(Answers):
    """The path of a pull of the image that is wanted.

    Equal questions that two threads come to at the same time are asked once: Evidence sees to that.
    """

    def __init__(self, environment: Environment, connections: Evidence, wanted: Wanted) -> None:
        super().__init__()
        self._environment = environment
        self._connections = connections
        self._wanted = wanted
        self._asked_for = PathFacts(
            domain=environment.domain,
            port=environment.port,
            repository=wanted.repository,
            tag=wanted.tag,
            has_token_service=environment.token_service is not None,
            token_port=environment.token_service.port if environment.token_service else 0,
            addresses=environment.addresses or tuple(h.address for h in environment.hosts if _is_address(h.address)),
        )

    @property
    def connect_to(self) -> str:
        """Where to connect to for the rest of the path; empty for what the domain resolves to.

        A name that does not resolve is gone around. Of several hosts one is looked at: which one the address before
        them would take this time is not known, and a verdict must not change with it.
        """
        host = None if self._leads_elsewhere else self.host
        if host is not None:
            return host.address
        return "" if self.names.resolves else self.front

    @property
    def front(self) -> str:
        """The address of the inventory, where the domain leads nowhere or elsewhere; else empty."""
        if self.names.resolves and not self._leads_elsewhere:
            return ""
        return next(iter(self._environment.addresses), self._environment.hosts[0].address)

    @property
    def _leads_elsewhere(self) -> bool:
        known, found = self._asked_for.addresses, self.names.addresses
        return bool(known and found) and not set(known) & set(found)

    @once
    def host(self) -> Host | None:
        """The one of several hosts at which the path is looked at; None where there is one, or none answers."""
        if len(self._environment.hosts) < 2:
            return None
        return host_to_look_at(self._connections.ask, self._environment)

    @once
    def names(self) -> NameFacts:
        return look_up(self._connections.ask, self._environment, self._environment.domain)

    @once
    def hosts(self) -> HostProbe:
        """What stands on the Cargo hosts.

        Raises:
            HostKeyError: a host shows another key than known_hosts has.
        """
        probe = look_at_hosts(self._connections.ask, self._environment)
        for host in probe.hosts:
            if host.reason == "host_key_changed":
                seen = self._connections.get(host.evidence)
                data = seen.data if seen else {}
                raise HostKeyError(
                    host.name,
                    fingerprint=str(data.get("fingerprint", "?")),
                    known=str(data.get("known_fingerprint", "?")),
                    vantage="operator",
                    next_step=tell(
                        "If the host was reinstalled, compare the new fingerprint with its console, "
                        "then replace its line in known_hosts.",
                        "如果该主机重装过，请与其控制台显示的指纹核对，然后替换 known_hosts 中的对应行。",
                    ),
                )
        return probe

    @once
    def handshake(self) -> HandshakeFacts:
        return shake_hands(self._connections.ask, self._environment, self.connect_to)

    @once
    def challenge(self) -> ChallengeFacts:
        return ask_challenge(self._connections.ask, self._environment, self.connect_to)

    @once
    def realm_names(self) -> NameFacts | None:
        realm = self.challenge.realm
        if realm is None or realm.host == self._environment.domain.lower():
            return None
        return look_up(self._connections.ask, self._environment, realm.host)

    @once
    def token_service(self) -> TokenServiceFacts:
        return ask_token_service(self._connections.ask, self._environment, self.connect_to, lambda: self.hosts.tengines)

    @once
    def tokens(self) -> TokenProbe | None:
        if not self.challenge.status:
            return None
        service = self.challenge.service or DEFAULT_SERVICE
        wanted = self._wanted
        return log_in(
            self._connections.ask, self._environment, self.connect_to, service, wanted.repository, wanted.account
        )

    @once
    def manifest(self) -> ManifestFacts | None:
        token = self.tokens.token if self.tokens else None
        if token is None or not token.reference:
            return None
        image = self._asked_for
        return ask_manifest(
            self._connections.ask, self._environment, self.connect_to, image.repository, image.tag, token
        )

    def gathered(self) -> PathFacts:
        """The facts of all stations that were asked so far."""
        facts = self._asked_for
        asked = self.answered()
        for station, fields in _FIELDS.items():
            if asked.get(station) is not None:
                facts = replace(facts, **fields(asked[station]))
        return facts


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "host": lambda host: {"looked_at": host.name},
    "names": lambda names: {"names": names},
    "hosts": lambda probe: {"hosts": probe.hosts, "settings": probe.settings},
    "handshake": lambda handshake: {"handshake": handshake},
    "challenge": lambda challenge: {"challenge": challenge},
    "realm_names": lambda names: {"realm_names": names},
    "token_service": lambda service: {"token_service": service},
    "tokens": lambda probe: {"logins": probe.logins, "token": probe.token, "token_account": probe.account},
    "manifest": lambda manifest: {"manifest": manifest},
}
"""What each station contributes to the facts."""

_TLS = ("names", "hosts", "handshake")
_CHALLENGE = (*_TLS, "challenge", "realm_names")
_TOKENS = (*_CHALLENGE, "token_service", "tokens")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "dns": ("names",),
    "tls": _TLS,
    "challenge": _CHALLENGE,
    "login": _TOKENS,
    "token": (*_TOKENS, "manifest"),
    "project": _TOKENS,
    "pull": (*_TOKENS, "manifest"),
}
"""Stations that must have been asked before a check can be judged."""
