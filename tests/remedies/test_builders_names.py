"""Which machines get an entry for a name: those that do not resolve it, as recorded on the practice installation."""

from __future__ import annotations

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
