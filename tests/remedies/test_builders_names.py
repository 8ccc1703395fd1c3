"""Which machines get an entry for a name: those that do not resolve it, as recorded on the practice installation."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cargo_runbook.connections.evidence import read_evidence
from cargo_runbook.observations import Command, Observation, Place, Vantage
from cargo_runbook.recordings import load_recording
from cargo_runbook.remedies.workbench import Workbench

DOMAIN = "cargo.caicloudprivatetest.com"
HERE = Vantage(Place.CARGO_HOST, "cargo")


def lookup(recording: str) -> Observation:
    """What `getent hosts` came to on the Cargo host."""
    wanted = ("getent", "hosts", DOMAIN)
    found = read_evidence(load_recording(recording).evidence_file("cargo"))
    return next(o for o in found if isinstance(o.question, Command) and (o.question.argv, o.vantage) == (wanted, HERE))


@pytest.mark.parametrize(
    ("recording", "resolves"), [("dns-server-silent", False), ("dns-servfail", False), ("healthy", True)]
)
def test_a_host_whose_lookup_fails_or_hangs_does_not_resolve_the_name(recording: str, resolves: bool) -> None:
    nothing: Any = None
    bench = Workbench(nothing, nothing, (), nothing, lambda question: lookup(recording), nothing)
    host: Any = SimpleNamespace(name="cargo")
    known = {line.split()[0] for line in lookup("healthy").output.splitlines()}
    assert bench.resolves(host, DOMAIN, known) is resolves


@pytest.mark.parametrize(("address", "resolves"), [("203.0.113.14", True), ("203.0.113.99", False)])
def test_a_host_that_waits_only_as_getent_hosts_does_resolves_the_name(address: str, resolves: bool) -> None:
    def ask(question: Command) -> Observation:
        if question.argv[:2] == ("getent", "hosts"):
            return lookup("dns-server-silent")
        assert question.argv == ("getent", "ahostsv4", DOMAIN)
        # As glibc prints it, from the hosts file, while the name server is silent.
        return replace(
            lookup("healthy"), question=question, output=f"{address}    STREAM {DOMAIN}\n{address}    DGRAM\n"
        )

    nothing: Any = None
    bench = Workbench(nothing, nothing, (), nothing, ask, nothing)  # type: ignore[arg-type]
    host: Any = SimpleNamespace(name="cargo")
    assert bench.resolves(host, DOMAIN, {"203.0.113.14"}) is resolves
