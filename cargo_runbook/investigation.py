"""Looking at one environment: connections, probes, facts, rules, in this order and in no other.

Command line, notebook and batch all go through `Investigation`. It asks only what has not been asked, so a notebook
can take one check after the other while `diagnose` takes all at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from ipaddress import ip_address
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cargo_runbook.connections import Evidence, ReplayConnections, open_connections, read_evidence
from cargo_runbook.errors import HostKeyError, UsageError
from cargo_runbook.facts.names import NameFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.token_service import TokenServiceFacts
from cargo_runbook.facts.transport import HandshakeFacts
from cargo_runbook.findings import CHECKS, Diagnosis, Finding
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.loader import find_inventory, load_environment
from cargo_runbook.observations import Observation
from cargo_runbook.probes.hosts import HostProbe, look_at_hosts
from cargo_runbook.probes.names import look_up
from cargo_runbook.probes.registry import DEFAULT_SERVICE, TokenProbe, ask_challenge, ask_manifest, log_in, shake_hands
from cargo_runbook.probes.token_service import ask_token_service
from cargo_runbook.recordings import REPLAY_VARIABLE, load_recording
from cargo_runbook.rules.triage import conclude, judge

if TYPE_CHECKING:
    from cargo_runbook.inventory.models import Environment

Progress = Callable[[str], None]


class Investigation:
    """One look at one environment.

    Args:
        environment: from the inventory.
        connections: where questions go, and where what comes back is filed.
        image: repository:tag to look for instead of the inventory's.
        replayed: what every page says when the evidence is replayed; empty for a live look.

    Raises:
        UsageError: `image` is no repository:tag.
        HostKeyError: (from `check` and `diagnose`) a host shows another key than known_hosts has.
    """

    def __init__(self, environment: Environment, connections: Evidence, *, image: str = "", replayed: str = "") -> None:
        self.environment = environment
        self.replayed = replayed
        self._connections = connections
        self._lock = RLock()
        repository, _, tag = (image or environment.image).rpartition(":")
        if not repository or not tag or "/" in tag:
            raise UsageError(
                f"{image or environment.image!r} is no image that can be looked for",
                next_step="Give it as repository:tag, for example library/tiny:1, without the registry's domain.",
            )
        self._asked_for = PathFacts(
            domain=environment.domain,
            port=environment.port,
            repository=repository,
            tag=tag,
            has_token_service=environment.token_service is not None,
            addresses=environment.addresses or tuple(h.address for h in environment.hosts if _is_address(h.address)),
        )

    @property
    def evidence(self) -> tuple[Observation, ...]:
        """All that was observed so far, in the order of its ids."""
        return self._connections.observations

    def observation(self, evidence_id: str) -> Observation:
        """The observation with that id.

        Raises:
            KeyError: there is none.
        """
        found = self._connections.get(evidence_id)
        if found is None:
            raise KeyError(evidence_id)
        return found

    def check(self, name: str) -> tuple[Finding, ...]:
        """The findings of one check; what it needs is asked, the checks before it included.

        Raises:
            UsageError: there is no check of that name.
        """
        if name not in CHECKS:
            raise UsageError(f"there is no check named {name!r}", next_step=f"Checks: {', '.join(CHECKS)}.")
        with self._lock:
            for station in _STATIONS[name]:
                getattr(self, station)
            facts = self._gathered()
        return tuple(finding for finding in judge(facts) if finding.check == name)

    def diagnose(self, progress: Progress | None = None) -> Diagnosis:
        """All checks, with what does not depend on each other asked at the same time."""
        started, clock = datetime.now(UTC), time.monotonic()
        tell = progress or (lambda _: None)
        with self._lock, ThreadPoolExecutor(max_workers=4) as pool:
            hosts = pool.submit(lambda: self._hosts)
            _ = self._names
            tell("dns")
            handshake = pool.submit(lambda: self._handshake)
            challenge = pool.submit(lambda: self._challenge)
            service = pool.submit(lambda: self._token_service)
            handshake.result()
            tell("tls")
            challenge.result()
            tell("challenge")
            realm = pool.submit(lambda: self._realm_names)
            _ = self._tokens
            tell("login")
            tell("token")
            tell("project")
            _ = self._manifest
            tell("pull")
            hosts.result()
            service.result()
            realm.result()
            facts = self._gathered()
        findings = judge(facts)
        return conclude(
            self.environment.name,
            self.environment.domain,
            findings,
            started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            seconds=time.monotonic() - clock,
            replayed=self.replayed,
        )

    def close(self) -> None:
        """Ends all connections."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The stations of the path. Each is asked once; the first one that needs it asks. Equal questions that two threads
    # come to at the same time are asked once all the same: Evidence sees to that.

    @property
    def _connect_to(self) -> str:
        # Where the domain does not resolve, the rest of the path is looked at through the address of the inventory.
        return "" if self._names.resolves else self.environment.hosts[0].address

    @cached_property
    def _names(self) -> NameFacts:
        return look_up(self._connections.ask, self.environment, self.environment.domain)

    @cached_property
    def _hosts(self) -> HostProbe:
        probe = look_at_hosts(self._connections.ask, self.environment)
        for host in probe.hosts:
            if host.reason == "host_key_changed":
                data = self.observation(host.evidence).data
                raise HostKeyError(
                    host.name,
                    fingerprint=str(data.get("fingerprint", "?")),
                    known=str(data.get("known_fingerprint", "?")),
                    vantage="operator",
                    next_step="If the host was reinstalled, compare the new fingerprint with its console, "
                    "then replace its line in known_hosts.",
                )
        return probe

    @cached_property
    def _handshake(self) -> HandshakeFacts:
        return shake_hands(self._connections.ask, self.environment, self._connect_to)

    @cached_property
    def _challenge(self) -> ChallengeFacts:
        return ask_challenge(self._connections.ask, self.environment, self._connect_to)

    @cached_property
    def _realm_names(self) -> NameFacts | None:
        realm = self._challenge.realm
        if realm is None or realm.host == self.environment.domain.lower():
            return None
        return look_up(self._connections.ask, self.environment, realm.host)

    @cached_property
    def _token_service(self) -> TokenServiceFacts:
        return ask_token_service(
            self._connections.ask, self.environment, self._connect_to, lambda: self._hosts.tengines
        )

    @cached_property
    def _tokens(self) -> TokenProbe | None:
        if not self._challenge.status:
            return None
        service = self._challenge.service or DEFAULT_SERVICE
        return log_in(self._connections.ask, self.environment, self._connect_to, service, self._asked_for.repository)

    @cached_property
    def _manifest(self) -> ManifestFacts | None:
        token = self._tokens.token if self._tokens else None
        if token is None or not token.reference:
            return None
        image = self._asked_for
        return ask_manifest(
            self._connections.ask, self.environment, self._connect_to, image.repository, image.tag, token
        )

    def _gathered(self) -> PathFacts:
        """The facts of all stations that were asked so far."""
        asked = vars(self)
        facts = self._asked_for
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
    "_names": lambda names: {"names": names},
    "_hosts": lambda probe: {"hosts": probe.hosts, "settings": probe.settings},
    "_handshake": lambda handshake: {"handshake": handshake},
    "_challenge": lambda challenge: {"challenge": challenge},
    "_realm_names": lambda names: {"realm_names": names},
    "_token_service": lambda service: {"token_service": service},
    "_tokens": lambda probe: {"logins": probe.logins, "token": probe.token, "token_account": probe.account},
    "_manifest": lambda manifest: {"manifest": manifest},
}
"""What each station contributes to the facts."""

_TLS = ("_names", "_hosts", "_handshake")
_CHALLENGE = (*_TLS, "_challenge", "_realm_names")
_TOKENS = (*_CHALLENGE, "_token_service", "_tokens")
_STATIONS = {
    "dns": ("_names",),
    "tls": _TLS,
    "challenge": _CHALLENGE,
    "login": _TOKENS,
    "token": (*_TOKENS, "_manifest"),
    "project": _TOKENS,
    "pull": (*_TOKENS, "_manifest"),
}
"""What must have been asked before a check can be judged."""


def open_investigation(
    name: str, *, inventory: Path | None = None, image: str = "", replay: str | None = None
) -> Investigation:
    """Opens the environment of that name for a look; nothing is sent yet.

    Args:
        name: name of an environment of the inventory.
        inventory: folder of the inventory; default as `find_inventory` has it.
        image: repository:tag to look for instead of the inventory's.
        replay: name of a shipped recording to answer from, instead of going to any host; default from the variable
            CARGO_RUNBOOK_REPLAY. The inventory is then the recording's own.

    Raises:
        InventoryError, UnknownEnvironment, UsageError: as their sentences say.
    """
    replay = os.environ.get(REPLAY_VARIABLE, "") if replay is None else replay
    if replay:
        recording = load_recording(replay)
        environment = load_environment(name, recording.folder)
        connections = Evidence(ReplayConnections(read_evidence(recording.evidence_file(name))))
        return Investigation(environment, connections, image=image, replayed=recording.banner)
    environment = load_environment(name, find_inventory(inventory))
    return Investigation(environment, open_connections(environment, partial(login_of, environment)), image=image)
