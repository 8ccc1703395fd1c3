"""Records judged again from what is sealed in them, and compared with each other."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cargo_runbook import investigation as looking
from cargo_runbook.archive.reading.compare import compare, last_good
from cargo_runbook.archive.reading.rejudge import NotJudgeable, judge_again
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import file_look
from cargo_runbook.cli.main import run
from cargo_runbook.findings import Diagnosis
from cargo_runbook.investigation import open_investigation
from cargo_runbook.recordings import list_recordings, load_recording
from tests.archive.kept import STARTED, keep

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    monkeypatch.setenv("COLUMNS", "120")


def record_of(reports: Path, recording: str, environment: str = "cargo", minutes: int = 0, **wanted: str) -> Record:
    """A record of what a shipped recording holds, as a run would leave it."""
    draft = Draft(reports, environment, "00_triage", STARTED + timedelta(minutes=minutes))
    with open_investigation(environment, replay=recording, **wanted) as investigation:
        diagnosis = investigation.diagnose()
        file_look(draft.folder, investigation, diagnosis)
    return draft.seal(status=str(diagnosis.status), domain=diagnosis.domain, root_causes=diagnosis.root_causes)


@pytest.mark.parametrize("recording", list_recordings())
def test_every_recording_is_judged_from_its_record_as_it_was_judged_then(tmp_path: Path, recording: str) -> None:
    told = json.loads((load_recording(recording).folder / "recording.json").read_bytes())
    judged = judge_again(record_of(tmp_path, recording, next(iter(told["environments"]), "cargo")))
    assert judged.before is not None
    assert (judged.differs, judged.changes) == (False, ())
    assert judged.now.root_causes == judged.before.root_causes
    assert judged.now.findings == judged.before.findings


def test_what_was_asked_for_is_asked_for_again(tmp_path: Path) -> None:
    use = {"image": "devops_test-cargo/node:8.9-alpine", "account": "alice", "action": "push"}
    judged = judge_again(record_of(tmp_path, "guest-pushes", **use))
    assert (judged.now.root_causes, judged.differs) == (("CRG511",), False)


def test_nothing_is_asked_of_any_host_and_the_evidence_keeps_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(tmp_path, "wrong-domain")

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a host was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    judged = judge_again(record)
    lines = (record.path / "evidence.jsonl").read_text(encoding="utf-8").splitlines()
    sealed = {json.loads(line)["id"]: json.loads(line)["sha256"] for line in lines}
    assert {each.id: each.sha256 for each in judged.evidence}.items() <= sealed.items()


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules of a later version, to which the wrong domain is no fault."""
    real: Callable[..., Diagnosis] = looking.conclude

    def conclude(environment: str, domain: str, findings: tuple[object, ...], **more: object) -> Diagnosis:
        return real(environment, domain, tuple(f for f in findings if f.code != "CRG201"), **more)  # type: ignore[attr-defined]

    monkeypatch.setattr(looking, "conclude", conclude)


def test_a_rule_that_was_corrected_shows_in_the_records_that_it_concerns(
    tmp_path: Path, capsys: Capture, request: pytest.FixtureRequest
) -> None:
    concerned = record_of(tmp_path, "wrong-domain")
    record_of(tmp_path, "token-service-dead", minutes=1)
    place = ["--reports", str(tmp_path)]
    assert run(["records", "rejudge", "--all", *place]) == 0
    assert capsys.readouterr().out == "2 judged again, 0 differ, 0 could not be judged\n"
    request.getfixturevalue("corrected")
    assert run(["records", "rejudge", "--all", *place]) == 1
    told = capsys.readouterr().out
    assert f"{concerned.header.record}  fault CRG201 → " in told
    assert "CRG201  fault → -" in told
    assert "2 judged again, " in told
    assert run(["records", "rejudge", "--all", "--code", "CRG201", "--json", *place]) == 1
    (body,) = json.loads(capsys.readouterr().out)
    assert (body["record"], body["before"]) == (
        concerned.header.record,
        {"status": "fault", "root_causes": ["CRG201"]},
    )
    assert "CRG201" not in body["now"]["root_causes"]


def test_diagnose_from_a_record_gives_the_verdict_and_says_that_it_is_the_same(tmp_path: Path, capsys: Capture) -> None:
    record = record_of(tmp_path, "wrong-domain")
    command = ["diagnose", "--from", record.header.record, "--reports", str(tmp_path)]
    assert run(command) == 1
    assert capsys.readouterr().out.endswith("\nThe same as the verdict of that day.\n")
    assert run([*command, "--json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert (body["root_causes"], body["from"], body["differs"]) == (["CRG201"], record.header.record, False)
    assert body["replayed"].startswith("sealed evidence of 2026-03-04")


def test_evidence_that_was_changed_is_not_judged(tmp_path: Path, capsys: Capture) -> None:
    record = record_of(tmp_path, "wrong-domain")
    evidence = record.path / "evidence.jsonl"
    evidence.write_bytes(evidence.read_bytes().replace(b"old-cargo", b"new-cargo"))
    with pytest.raises(NotJudgeable, match=r"is not as it was sealed: evidence\.jsonl"):
        judge_again(record)
    assert run(["records", "rejudge", "--all", "--reports", str(tmp_path)]) == 3
    assert "is not as it was sealed" in capsys.readouterr().err


def test_a_record_without_what_it_takes_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotJudgeable, match=r"it has no look\.json"):
        judge_again(keep(tmp_path))


@pytest.mark.parametrize("given", [[], ["--from", "x", "--env", "cargo"]])
def test_an_environment_or_a_record_is_named_and_not_both(given: list[str], capsys: Capture) -> None:
    assert run(["diagnose", *given]) == 2
    assert "--from" in capsys.readouterr().err


def test_what_changed_since_it_was_healthy_is_the_answer_that_the_finding_rests_on(
    tmp_path: Path, capsys: Capture
) -> None:
    record_of(tmp_path, "healthy", "devops")
    good = record_of(tmp_path, "healthy", minutes=1)
    record_of(tmp_path, "token-service-dead", minutes=2)
    bad = record_of(tmp_path, "wrong-domain", minutes=3)
    record_of(tmp_path, "healthy", minutes=4)
    found = last_good(tmp_path, bad)
    assert found is not None
    assert found.record == good.header.record
    result = compare(bad, good)
    assert (result.before, result.after, result.came, result.went) == (good, bad, ("CRG201",), ())
    assert ("CRG201", "ok", "fault") in {(f.code, f.before, f.after) for f in result.findings}
    (realm,) = [a for a in result.answers if a.matters and "/v2/" in a.question]
    assert [line[0] for line in realm.diff] == ["-", "+"]
    assert "https://old-cargo" in realm.diff[1]
    assert run(["records", "compare", bad.header.record, "--last-good", "--reports", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "came  CRG201" in shown
    assert "CRG201  ok → fault  Wrong domain in the challenge" in shown
    assert "other answers differ, which no changed finding rests on: --all" in shown


def test_two_runs_that_came_to_the_same_are_called_the_same(tmp_path: Path, capsys: Capture) -> None:
    one, other = record_of(tmp_path, "wrong-domain"), record_of(tmp_path, "wrong-domain", minutes=1)
    command = ["records", "compare", one.header.record, other.header.record, "--reports", str(tmp_path)]
    assert run(command) == 0
    assert "both came to the same" in capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["same"], body["findings"], body["answers"]) == (True, [], [])
    assert (body["before"], body["after"]) == (one.header.record, other.header.record)


def test_a_machine_that_is_another_one_now_is_told(tmp_path: Path) -> None:
    one, other = record_of(tmp_path, "healthy"), record_of(tmp_path, "healthy", minutes=1)
    look = other.path / "look.json"
    body = json.loads(look.read_bytes())
    known = body["targets"]["hosts"]["cargo"]
    body["targets"]["hosts"] = {"cargo": "SHA256:another"}
    look.write_text(json.dumps(body), encoding="utf-8")
    assert ("targets.hosts.cargo", known, "SHA256:another") in {
        (each.what, each.before, each.after) for each in compare(one, other).others
    }


def test_without_a_healthy_run_before_it_there_is_nothing_to_compare_with(tmp_path: Path, capsys: Capture) -> None:
    bad = record_of(tmp_path, "wrong-domain")
    assert run(["records", "compare", bad.header.record, "--last-good", "--reports", str(tmp_path)]) == 2
    assert "there is no healthy run of 00_triage for cargo before" in capsys.readouterr().err
