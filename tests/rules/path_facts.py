"""Facts of a healthy path, to be changed by the tests of the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cargo_runbook.facts.challenge import Challenge, read_realm
from cargo_runbook.facts.containers import Container
from cargo_runbook.facts.hosts_file import HostsEntry
from cargo_runbook.facts.names import Answer, Lookup, NameFacts
from cargo_runbook.facts.path import HostSettings, LoginFacts, PathFacts
from cargo_runbook.facts.registry import ChallengeFacts, ManifestFacts
from cargo_runbook.facts.registry_config import TokenAuth
from cargo_runbook.facts.token import TokenFacts
from cargo_runbook.facts.token_service import Issuer, TokenServiceFacts
from cargo_runbook.facts.transport import Handshake, HandshakeFacts, HostFacts
from cargo_runbook.texts import Text

DOMAIN = "cargo.example"
KEY = "AAAA:BBBB"


def answer(server: str, lookup: Lookup, *addresses: str) -> Answer:
    return Answer(server, lookup, addresses, "E1" if not server else "E2")


NOW = 1_800_000_000.0


def names(system: Lookup, *servers: Lookup, name: str = DOMAIN) -> NameFacts:
    def one(server: str, lookup: Lookup) -> Answer:
        return answer(server, lookup, *(["192.0.2.14"] if lookup is Lookup.RESOLVED else []))

    return NameFacts(name, one("", system), tuple(one(f"192.0.2.{53 + i}", s) for i, s in enumerate(servers)))


def challenge(realm: str = f"https://{DOMAIN}/service/token", *, status: int = 401) -> ChallengeFacts:
    parameters = {"realm": realm, "service": "harbor-registry"}
    return ChallengeFacts(status, "", Challenge("bearer", parameters), read_realm(realm), "E4", NOW)


def unasked(reason: str) -> ChallengeFacts:
    return ChallengeFacts(0, reason, None, None, "E4")


def token(*actions: str, key: str = KEY, issuer: str = "harbor-token-issuer", issued: float = NOW) -> TokenFacts:
    access = {"repository:library/tiny": frozenset(actions)}
    return TokenFacts("token:ab", key, issuer, ("harbor-registry",), "alice", access, "E7", issued)


def settings(
    realm: str = f"https://{DOMAIN}/service/token",
    key: str = KEY,
    *,
    ui: str = "Up 3 minutes",
    checked: str = DOMAIN,
) -> HostSettings:
    auth = TokenAuth(realm, "harbor-registry", "harbor-token-issuer", "/etc/registry/root.crt")
    containers = (Container("tengine", "Up 3 minutes"), Container("harbor-ui", ui), Container("other", "Exited (0)"))
    return HostSettings("cargo-1", auth, "E8", (key,), "E9", containers, "E13", (checked,), "E14")


def handshake(kind: Handshake) -> HandshakeFacts:
    return HandshakeFacts(kind, (DOMAIN,), "CN=ca", "2030-01-01T00:00:00Z", DOMAIN, "E3")


def login(username: str, kind: str, status: int) -> LoginFacts:
    return LoginFacts(username, kind, status, "", None, "E6")


def token_service(
    issuer: Issuer, *, address: str = "192.0.2.20", health: int = 200, answer: int | None = 200
) -> TokenServiceFacts:
    entry = HostsEntry(address, ("cargo-admin",), 8)
    answers = {} if answer is None else {("cargo-1", address): (answer, "E15")}
    return TokenServiceFacts(issuer, "E5", (("cargo-1", entry),), ("E10",), health, "E11", answers)


HEALTHY = PathFacts(
    domain=DOMAIN,
    port=443,
    repository="library/tiny",
    tag="1",
    has_token_service=True,
    addresses=("192.0.2.14",),
    names=names(Lookup.RESOLVED, Lookup.RESOLVED),
    hosts=(HostFacts("cargo-1", True, "", Text("", ""), "E8"),),
    handshake=handshake(Handshake.SECURE),
    challenge=challenge(),
    settings=(settings(),),
    token_service=token_service(Issuer.CARGO_TOKEN),
    logins=(login("admin", "admin", 200), login("alice", "platform", 200)),
    token=token("pull"),
    token_account="alice",
    manifest=ManifestFacts(200, "", "E12"),
)


def but(**changes: Any) -> PathFacts:
    """The healthy path with something changed."""
    return replace(HEALTHY, **changes)


DEAD_HOST = but(
    hosts=(HostFacts("cargo-1", False, "no_route", Text("no route to host", "没有到主机的路由"), "E8"),),
    handshake=handshake(Handshake.NO_ANSWER),
    challenge=unasked("no_route"),
    settings=(HostSettings("cargo-1", None, "E8", (), "E9"),),
    token_service=TokenServiceFacts(Issuer.UNTOLD, "E5", (), (), 0, "E11"),
    logins=(),
    token=None,
    manifest=None,
)
