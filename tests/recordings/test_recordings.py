"""The shipped recordings: today's rules over the evidence of every recorded state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Diagnosis, Health, Verdict
from cargo_runbook.investigation import open_investigation
from cargo_runbook.recordings import list_recordings, load_recording, recordings_folder
from cargo_runbook.rules.triage import ON_PATH
from cargo_sandbox.faults.catalog import faults


def diagnose(recording: str, environment: str) -> Diagnosis:
    with open_investigation(environment, replay=recording) as investigation:
        return investigation.diagnose()


def expected(recording: str, environment: str) -> tuple[str, ...] | None:
    """The root causes in one environment; None where it is healthy."""
    body = json.loads((recordings_folder() / recording / "recording.json").read_text(encoding="utf-8"))
    elsewhere = body.get("elsewhere", {})
    if environment in elsewhere:
        return tuple(elsewhere[environment])
    return tuple(body["expected_root_causes"]) if environment in body["environments"] else None


CASES = [
    (recording, file.stem)
    for recording in list_recordings()
    for file in sorted((recordings_folder() / recording).glob("*.jsonl"))
]


@pytest.mark.parametrize(("recording", "environment"), CASES)
def test_each_recorded_state_is_judged_as_what_it_is(recording: str, environment: str) -> None:
    codes = expected(recording, environment)
    diagnosis = diagnose(recording, environment)
    if codes is None:
        assert diagnosis.status is Health.HEALTHY
        assert {f.status for f in diagnosis.findings if f.check in ON_PATH} == {Verdict.OK}
        # What a recording was not asked beside the path is left out, not guessed.
        assert {f.status for f in diagnosis.findings} <= {Verdict.OK, Verdict.SKIPPED}
    elif codes:
        assert diagnosis.status is Health.FAULT
        assert diagnosis.root_causes == codes
    else:
        assert diagnosis.status is Health.UNKNOWN
        assert diagnosis.root_causes == ()


def test_every_fault_of_the_sandbox_and_the_healthy_state_are_recorded() -> None:
    assert list_recordings() == sorted(["healthy", *(fault.name for fault in faults())])


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_the_recorded_client_said_what_the_fault_says_of_it(fault: object) -> None:
    client = fault.client  # type: ignore[attr-defined]
    (said,) = load_recording(fault.name).client.values()  # type: ignore[attr-defined]
    assert client.text in said


def test_every_page_of_a_replay_says_so() -> None:
    recording = load_recording("healthy")
    assert recording.banner == f"replayed evidence of {recording.recorded[:10]}"
    assert diagnose("healthy", "cargo").replayed == recording.banner


def test_an_unknown_recording_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="wrong-domain"):
        load_recording("../recordings/healthy")


@pytest.mark.parametrize(
    "file", sorted(recordings_folder().glob("[a-z]*/*.*")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_no_recording_holds_a_secret(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "PRIVATE KEY" not in text
    assert "eyJ" not in text, "a token, or the beginning of one"
    assert "Basic " not in text


def test_a_question_that_was_not_recorded_is_no_answer() -> None:
    with open_investigation("cargo", replay="healthy", image="library/other:1") as investigation:
        diagnosis = investigation.diagnose()
    assert diagnosis.status is Health.UNKNOWN
    assert "CRG502" in diagnosis.untested
