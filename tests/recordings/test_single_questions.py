"""Evidence from before several questions became one: it is judged as it was, though some of today's are not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cargo_runbook.connections import Evidence, ReplayConnections, read_evidence
from cargo_runbook.facts.matrix import Origin
from cargo_runbook.facts.names import Lookup
from cargo_runbook.findings import Health, Verdict
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.investigation import Investigation
from cargo_runbook.recordings import load_recording

FOLDER = Path(__file__).parents[1] / "data" / "evidence-of-single-questions"


@pytest.mark.parametrize(
    ("state", "status", "roots"),
    [("healthy", Health.HEALTHY, ()), ("token-service-not-recreated", Health.FAULT, ("CRG307",))],
)
def test_an_older_record_is_judged_as_then(state: str, status: Health, roots: tuple[str, ...]) -> None:
    recorded = read_evidence(FOLDER / f"{state}.jsonl")
    assert not [o for o in recorded if "stat -f" in str(o.question)], "what is asked today is in it already"
    environment = load_environment("cargo", load_recording(state).folder)
    with Investigation(environment, Evidence(ReplayConnections(recorded))) as opened:
        diagnosis = opened.diagnose()
        facts = opened.gathered().concerns
    matrix = facts["matrix"]
    assert (diagnosis.status, diagnosis.root_causes) == (status, roots)
    beside = {f.code: f.status for f in diagnosis.findings if f.code in ("CRG720", "CRG721", "CRG105")}
    assert set(beside.values()) == {Verdict.OK}
    assert {cell.lookup for cell in matrix.cells.values()} == {Lookup.RESOLVED}
    known = {cell.origin for (name, _), cell in matrix.cells.items() if name == "cargo-admin"}
    assert known == {Origin.EXTRA_HOSTS}, "what each container was made with"
    assert [made.name for made in facts["installation"].hosts[0].containers] == ["tengine", "harbor-registry"]
    assert len({name for name, _ in matrix.cells}) > 2, "the names of the replications' destinations too"
