"""Concerns beside the path: asked with it, judged with it, and a root cause like any other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cargo_runbook import investigation
from cargo_runbook.concerns import Concern
from cargo_runbook.connections import Evidence, ReplayConnections, read_evidence
from cargo_runbook.errors import UsageError
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding, Health, Verdict
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.probes.scene import Scene
from cargo_runbook.recordings import load_recording
from cargo_runbook.rules.catalog import finding
from cargo_runbook.steps import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

SAID = Text("said", "说")


@dataclass(frozen=True)
class Seen:
    repository: str
    realm: str


def ask(scene: Scene) -> Seen:
    realm = scene.challenge().realm
    return Seen(scene.wanted.repository, realm.host if realm else "")


def healthy(image: str = "") -> Investigation:
    """The replay of the healthy installation, with every concern that there is."""
    recording = load_recording("healthy")
    evidence = Evidence(ReplayConnections(read_evidence(recording.evidence_file("cargo"))))
    return Investigation(load_environment("cargo", recording.folder), evidence, image=image)


def judging(code: str, status: Verdict) -> Concern:
    def judge(path: PathFacts, facts: Seen) -> tuple[Finding, ...]:
        assert path.domain == facts.realm == "cargo.caicloudprivatetest.com"
        return (finding(code, status, "operator", SAID),)

    return Concern(ask, judge)


@pytest.mark.parametrize(
    ("code", "status", "health", "roots"),
    [
        ("CRG403", Verdict.OK, Health.HEALTHY, ()),
        ("CRG403", Verdict.SKIPPED, Health.HEALTHY, ()),
        ("CRG403", Verdict.UNKNOWN, Health.UNKNOWN, ()),
        ("CRG403", Verdict.FAULT, Health.FAULT, ("CRG403",)),
        ("CRG501", Verdict.SKIPPED, Health.UNKNOWN, ()),
    ],
)
def test_a_concern_is_part_of_the_diagnosis(
    code: str, status: Verdict, health: Health, roots: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(investigation, "CONCERNS", {"mine": judging(code, status)})
    with healthy() as looked:
        diagnosis = looked.diagnose()
    assert (diagnosis.status, diagnosis.root_causes) == (health, roots)


def test_a_fault_of_a_concern_follows_from_one_of_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(_path: PathFacts, _facts: Seen) -> tuple[Finding, ...]:
        return (finding("CRG301", Verdict.FAULT, "operator", SAID), finding("CRG203", Verdict.FAULT, "here", SAID))

    monkeypatch.setattr(investigation, "CONCERNS", {"mine": Concern(ask, judge)})
    with healthy() as looked:
        assert looked.diagnose().root_causes == ("CRG203",)


def test_a_step_asks_what_it_needs_and_shows_its_own_findings_and_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(investigation, "CONCERNS", {"mine": judging("CRG403", Verdict.FAULT)})

    def tables(gathered: Gathered) -> tuple[Table, ...]:
        seen = gathered.concerns["mine"]
        return (Table(SAID, (SAID,), ((Cell(f"{gathered.environment.name} {seen.repository}"),),)),)

    step = Step("mine", SAID, needs=("dns", "mine"), codes=("CRG403", "CRG101"), tables=tables)
    with healthy("a/b:1") as looked:
        findings, (table,) = looked.look(step)
    assert [(each.code, each.status) for each in findings] == [("CRG101", Verdict.OK), ("CRG403", Verdict.FAULT)]
    assert table.rows[0][0].text == "cargo a/b"


def test_a_concern_that_is_younger_than_a_recording_is_left_out_of_its_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(investigation, "CONCERNS", {"younger": judging("CRG403", Verdict.FAULT)})
    with open_investigation("cargo", replay="healthy") as looked:
        assert looked.diagnose().status is Health.HEALTHY


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"image": "library/tiny"}, "is no image that can be looked for"),
        ({"action": "delete"}, "'delete' is no action"),
        ({"account": "mallory"}, "cargo has no account 'mallory'"),
    ],
)
def test_what_is_wanted_is_checked_at_once(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_investigation("cargo", replay="healthy", **options)
