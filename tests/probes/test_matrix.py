"""Names at many places, while a name server is silent: as recorded on the practice installation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cargo_runbook.connections import Evidence, ReplayConnections, read_evidence
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.investigation import Investigation
from cargo_runbook.observations import Command, DnsQuery, HttpRequest, Observation, Place, Question, Status, Vantage
from cargo_runbook.recordings import load_recording

DOMAIN = "cargo.caicloudprivatetest.com"
HERE = Vantage(Place.CARGO_HOST, "cargo")
ENTRY = f"203.0.113.14 {DOMAIN}\n"
# As glibc's getent printed it on the practice installation.
AHOSTS = f"203.0.113.14    STREAM {DOMAIN}\n203.0.113.14    DGRAM  \n203.0.113.14    RAW    \n"


class WithEntries:
    """The recorded installation whose name server is silent, with an entry in the hosts file of the operator and, where
    `on_host`, of the Cargo host."""

    def __init__(self, *, on_host: bool) -> None:
        self._recorded = ReplayConnections(read_evidence(load_recording("dns-server-silent").evidence_file("cargo")))
        self._on_host = on_host
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Observation:
        self.asked.append(question)
        seen = self._recorded.ask(question)
        match question:
            case DnsQuery(name=name, server="") if name == DOMAIN:
                data = {"rcode": "NOERROR", "source": "hosts file", "addresses": ["203.0.113.14"]}
                return answered(question, data=data)
            case Command(vantage=place, argv=("cat", "/etc/hosts")) if place == HERE and self._on_host:
                return replace(seen, output=seen.output + ENTRY)
            case Command(vantage=place, argv=("getent", "ahostsv4", name)) if (place, name) == (HERE, DOMAIN):
                return answered(question, output=AHOSTS, exit_code=0)
            case HttpRequest(connect_to=""):
                # Recorded at the address of the inventory, since the name did not resolve.
                return self._recorded.ask(replace(question, connect_to="203.0.113.14"))
        return seen

    def close(self) -> None:
        """Nothing is open."""


def answered(question: Question, **fields: object) -> Observation:
    known = {"status": Status.ANSWERED, "started": datetime(2026, 1, 1, tzinfo=UTC), "duration": 0.01, **fields}
    return Observation(question=question, **known)  # type: ignore[arg-type]


def look(connections: WithEntries) -> dict[str, tuple[str, str]]:
    """Status and summary of what is found about names."""
    folder = load_recording("dns-server-silent").folder
    with Investigation(load_environment("cargo", folder), Evidence(connections), concerns=["matrix"]) as opened:
        found = opened.diagnose().findings
    return {f.code: (str(f.status), f.summary.en) for f in found if f.code.startswith("CRG10")}


def test_a_host_whose_hosts_file_has_the_name_resolves_it_although_getent_hosts_waits_for_a_silent_name_server() -> (
    None
):
    connections = WithEntries(on_host=True)
    found = look(connections)
    waits = [q.argv[2:] for q in connections.asked if isinstance(q, Command) and q.argv[:2] == ("getent", "hosts")]
    assert set(waits) == {(DOMAIN,)}, "what else the silent name server would be asked costs nothing"
    assert found["CRG105"] == ("ok", "cargo resolves it too")
    assert found["CRG102"] == (
        "ok",
        f"no name server gives a usable answer; the hosts file has {DOMAIN}, so that clients here need none",
    )


def test_a_host_without_an_entry_does_not_resolve_it_and_is_not_asked_again_what_would_hang_as_well() -> None:
    connections = WithEntries(on_host=False)
    assert look(connections)["CRG105"] == ("fault", f"cargo does not resolve {DOMAIN}, the operator does")
    assert not [q for q in connections.asked if isinstance(q, Command) and q.argv[:2] == ("getent", "ahostsv4")]
