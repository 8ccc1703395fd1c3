"""The draft of a postmortem says what the records say, names where, and what is not known."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from cargo_runbook.archive.files import files_in, sha256_of, write_json
from cargo_runbook.archive.incident import draft_html, draft_markdown, tell_story, write_note
from cargo_runbook.archive.index import Filter, Index
from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.record import NOTEBOOK
from cargo_runbook.archive.sealing.changes import seal_change
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.cli.main import run
from cargo_runbook.investigation import open_investigation
from cargo_runbook.pages.content import incident, record_page
from cargo_runbook.remedies import journal
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.proof import Proof
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Language
from tests.archive.kept import CELLS, INCIDENT, STARTED, keep, of_recording
from tests.views.diagnoses import wrong_domain

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Broken, a note, healthy again; and another environment that is still broken."""
    folder = tmp_path / "reports"
    of_recording(folder, "wrong-domain", 0)
    write_note(folder, INCIDENT, "traffic moved | to the second host", at="2026-03-04T10:10:00.000Z")
    of_recording(folder, "healthy", 30)
    of_recording(folder, "tls-unknown-ca", 40)
    keep(folder)
    return folder


def test_the_story_is_in_the_order_of_time_and_names_record_cell_evidence_and_head(reports: Path) -> None:
    story = tell_story(reports, INCIDENT)
    times = [event.at for event in story.events]
    assert times == sorted(times)
    by_id = {record.header.record: record for record in story.records}
    assert len(by_id) == 4
    for event in story.events:
        assert event.place.head == by_id[event.place.record].head
    (realm,) = [event for event in story.events if "realm https://old-cargo" in event.what.en]
    assert (realm.place.cell, CELLS[realm.place.cell - 1]) == (3, 'triage.look("challenge")')
    assert re.fullmatch(r"E\d+", realm.place.evidence)
    verdicts = [event for event in story.events if event.what.en.startswith("00_triage: ")]
    assert [event.place.cell for event in verdicts] == [4, 4, 4]


def test_the_impact_ends_with_the_first_healthy_run_after_the_last_broken_one(tmp_path: Path) -> None:
    bad = of_recording(tmp_path, "wrong-domain", 0)
    good = of_recording(tmp_path, "healthy", 30)
    (impact,) = tell_story(tmp_path, INCIDENT).impacts
    assert (impact.begin, impact.end) == (bad.header.started, good.header.started)
    of_recording(tmp_path, "wrong-domain", 40)
    story = tell_story(tmp_path, INCIDENT)
    assert [(impact.begin, impact.end) for impact in story.impacts] == [(bad.header.started, "")]
    assert "No run has found cargo healthy since." in {question.what.en for question in story.questions}


def test_the_causes_have_their_chain_and_each_stands_once(reports: Path) -> None:
    of_recording(reports, "wrong-domain", 50)
    codes = [cause.finding.code for cause in tell_story(reports, INCIDENT).causes]
    assert codes.count("CRG201") == 1
    assert len(codes) >= 2


@pytest.mark.parametrize("sealed", [True, False])
def test_what_was_changed_stands_there_with_its_proof(tmp_path: Path, sealed: bool) -> None:
    of_recording(tmp_path, "wrong-domain", 0)
    plan = {
        "environment": "cargo",
        "code": "CRG201",
        "plan": "edit-realm",
        "actions": [{"kind": "edit", "path": "/compass/cargo/config.yml"}],
    }
    change = journal.begin(tmp_path, "cargo", "CRG201", plan)
    for event, more in (
        ("confirmed", {"digest": "7b1e4c02a9d1ffff", "reason": "INC-42", "operator": "wang"}),
        ("done", {"action": 0}),
        ("after", {"proof": "proven"}),
        ("ended", {"proof": "proven", "rolled_back": False}),
    ):
        change.note(event, **more)
    if sealed:
        draft = Draft(tmp_path, "cargo", "20_wrong_domain", STARTED + timedelta(minutes=9), incident=INCIDENT)
        target = draft.folder / "changes" / change.id
        target.mkdir(parents=True)
        for name in (journal.PLAN, journal.JOURNAL):
            (target / name).write_bytes(change.kept(name) or b"")
        write_json(draft.folder / "verdict.json", {"status": "failed"})
        record = draft.seal(status="failed").header.record
    else:
        # By its time it lies between the runs: the last of them ends now.
        keep_at = Draft(tmp_path, "cargo", "00_triage", incident=INCIDENT)
        write_json(keep_at.folder / "verdict.json", {"status": "failed"})
        keep_at.seal(status="failed")
        record = ""
    story = tell_story(tmp_path, INCIDENT)
    (found,) = story.changes
    assert (found.remedy, found.proof, found.operator, found.record, found.undone) == (
        "edit-realm",
        "proven",
        "wang",
        record,
        False,
    )
    assert found.targets == ("/compass/cargo/config.yml",)
    assert any(event.what.en.startswith("wang confirmed edit-realm for CRG201") for event in story.events)
    text = draft_html(story, tmp_path, "en")
    assert "edit-realm was done: proven" in text
    place = f"{record}.change-{change.id}"
    assert text.count(f'href="#{place}"') == (3 if sealed else 0), "two events and the line of the action"
    assert text.count(f'id="{place}"') == (1 if sealed else 0)


def test_a_fix_by_command_is_a_record_of_its_own_with_plan_journal_and_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_INCIDENT", INCIDENT)
    plan = Plan(environment="cargo", stage="sandbox", code="CRG201", remedy="change-domain", actions=(), made="now")
    change = journal.begin(tmp_path, "cargo", "CRG201", {"environment": "cargo", "code": "CRG201", "plan": "x"})
    change.keep("before-0", b"secret of a file")
    change.note("confirmed", digest="7b1e", operator="wang")
    change.note("ended", proof="proven", rolled_back=False)
    outcome = Outcome(change=change, plan=plan, applied=True, proof=Proof.PROVEN, rolled_back=False,
                      diagnosis=wrong_domain())  # fmt: skip
    record = seal_change(tmp_path, outcome, Redactor())
    assert (record.header.kind, record.header.runbook, record.header.reason) == ("fix", "fix_CRG201", "proven")
    assert set(files_in(record.path / "changes")) == {f"{change.id}/plan.json", f"{change.id}/journal.jsonl"}
    with Index(tmp_path) as index:
        assert index.find() == []
    (found,) = tell_story(tmp_path, INCIDENT).changes
    assert (found.record, found.proof, found.operator) == (record.header.record, "proven", "wang")


def test_a_proven_fix_ends_the_impact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_recording(tmp_path, "wrong-domain", 0)
    monkeypatch.setenv("CARGO_RUNBOOK_INCIDENT", INCIDENT)
    plan = Plan(environment="cargo", stage="sandbox", code="CRG201", remedy="change-domain", actions=(), made="now")
    change = journal.begin(tmp_path, "cargo", "CRG201", {"environment": "cargo", "code": "CRG201", "plan": "x"})
    with open_investigation("cargo", replay="healthy") as investigation:
        after = investigation.diagnose()
    outcome = Outcome(change=change, plan=plan, applied=True, proof=Proof.PROVEN, rolled_back=False, diagnosis=after)
    record = seal_change(tmp_path, outcome, Redactor())
    (impact,) = tell_story(tmp_path, INCIDENT).impacts
    assert impact.end == record.header.started


def test_a_record_that_was_changed_is_named_at_the_top(reports: Path) -> None:
    record = tell_story(reports, INCIDENT).records[0]
    verdict = record.path / "verdict.json"
    verdict.write_bytes(verdict.read_bytes().replace(b"old-cargo", b"new-cargo"))
    story = tell_story(reports, INCIDENT)
    assert story.changed == (record.header.record,)
    assert "These records are not as they were sealed" in draft_markdown(story, reports, "en")


def test_a_clock_that_is_off_is_an_open_question(reports: Path) -> None:
    record = tell_story(reports, INCIDENT).records[0]
    look = json.loads((record.path / "look.json").read_bytes())
    look["targets"]["clocks"] = {"cargo host cargo": -95.0, "https://cargo": 0.4}
    write_json(record.path / "look.json", look)
    said = [question.what.en for question in tell_story(reports, INCIDENT).questions]
    told = [sentence for sentence in said if "clock" in sentence]
    assert told == ["The clock of cargo host cargo was -95 s off: times in its logs are to be read with that."]


def test_the_draft_links_to_record_cell_and_digest_from_where_it_lies_and_escapes_what_people_wrote(
    reports: Path,
) -> None:
    story = tell_story(reports, INCIDENT)
    for language, cell in (("en", "cell 3"), ("zh", "单元 3")):
        text = draft_markdown(story, reports.parent, language)  # type: ignore[arg-type]
        links = re.findall(r"\]\(([^)]+)\)", text)
        assert links
        assert all((reports.parent / link.partition("#")[0]).exists() for link in links)
        realm = next(event for event in story.events if "realm https://old-cargo" in event.what.en)
        # Numbers of evidence are given as answers come: another record, or another line, may have the same.
        place = re.compile(rf"\[{realm.place.evidence}\]\([^)]*/{realm.place.record}/evidence\.jsonl\)")
        timeline = [row for row in text.splitlines() if row.startswith("| 2026-")]
        (line,) = [row for row in timeline if "https://old-cargo" in row and place.search(row)]
        record, path, of_evidence, evidence, digest, manifest = re.search(  # type: ignore[union-attr]
            rf"\[(\S+) {cell}\]\((\S+)\) \[(E\d+)\]\((\S+)\) \[`(\w+)`\]\((\S+)\)", line
        ).groups()
        found = next(each for each in story.records if each.header.record == record.replace("\\", ""))
        folder = found.path.relative_to(reports.parent).as_posix()
        notebook = json.loads((found.path / NOTEBOOK).read_bytes())
        assert path == f"{folder}/{NOTEBOOK}#cell-id={notebook['cells'][2]['id']}"
        assert (evidence, manifest) == (f"{folder}/evidence.jsonl", f"{folder}/manifest.json")
        assert f'"{of_evidence}"' in (found.path / "evidence.jsonl").read_text()
        assert sha256_of(reports.parent / manifest).startswith(digest)
        assert all("](" in row for row in text.splitlines() if row.startswith("| 2026-")), "no line without its place"
        assert r"traffic moved \| to the second host" in text
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 3}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_link_of_the_exported_page_leads_to_what_is_cited_in_it(reports: Path, language: Language) -> None:
    story = tell_story(reports, INCIDENT)
    shown = BeautifulSoup(draft_html(story, reports.parent, language), "html.parser")
    places = {each["id"] for each in shown.find_all(id=True)}
    assert len(places) == len(shown.find_all(id=True)), "no id stands there twice"
    links = [str(each["href"]) for each in shown.find_all("a", href=True)]
    assert [link for link in links if link.startswith("#") and link[1:] not in places] == []
    timeline = shown.find_all("table")[1].find_all("tr")[1:]
    assert len(timeline) == len(story.events)
    for event, row in zip(story.events, timeline, strict=True):
        to_cell, *_, to_head = row.find_all("a")
        target = shown.find(id=to_cell["href"][1:])
        assert event.place.record in to_cell.text
        if event.place.cell:
            assert CELLS[event.place.cell - 1].partition("(")[0] in target.text
            assert target["aria-label"] in to_cell.text
        else:
            assert "second host" in target.text
        assert shown.find(id=to_head["href"][1:]).text == event.place.head
    (realm,) = [row for row, event in zip(timeline, story.events, strict=True) if "realm https://" in event.what.en]
    assert "www-authenticate: Bearer realm=" in shown.find(id=realm.find_all("a")[1]["href"][1:]).text


def test_the_pages_lead_from_the_timeline_to_the_cell_on_the_page_of_the_record(reports: Path) -> None:
    story = tell_story(reports, INCIDENT)
    shown = BeautifulSoup(incident(reports, "en", INCIDENT), "html.parser")
    rows = shown.find_all("table")[1].find("tbody").find_all("tr")
    assert len(rows) == len(story.events)
    pages: dict[str, BeautifulSoup] = {}
    for row in rows:
        for link in row.find_all("a"):
            name, _, place = str(link["href"]).removeprefix("/records/").partition("#")
            if name not in pages:
                pages[name] = BeautifulSoup(record_page(reports, "en", name), "html.parser")
            assert len(pages[name].find_all(id=place)) == 1, link
    assert any(link["href"].endswith("#cell-3") for link in shown.find_all("a"))


def test_both_languages_and_both_forms_say_the_same_things(reports: Path) -> None:
    story = tell_story(reports, INCIDENT)
    for language, words in (
        ("en", ("Impact", "Wrong domain in the challenge")),
        ("zh", ("影响", "使用错误的域名访问")),
    ):
        for draft in (draft_markdown(story, reports, language), draft_html(story, reports, language)):  # type: ignore[arg-type]
            assert all(word in draft for word in words)
            assert all(record.head in draft for record in story.records)
    write_note(reports, INCIDENT, "<script>alert(1)</script>")
    page = draft_html(tell_story(reports, INCIDENT), reports, "en")
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_a_note_is_sealed_found_by_its_words_and_hides_secrets(reports: Path) -> None:
    write_note(reports, INCIDENT, "it was in the log:\nAuthorization: Basic YWRtaW46SGFyYm9yMTIzNDU=")
    assert verify(reports).ok
    with Index(reports) as index:
        assert len(index.find(Filter(text='"second host"', notes=True))) == 1
        assert len(index.find(Filter(text='"second host"'))) == 0
        assert all(row.runbook != "note" for row in index.find())
    files = b"".join(path.read_bytes() for path in reports.rglob("*") if path.is_file())
    assert b"YWRtaW46SGFyYm9yMTIzNDU=" not in files
    assert b"it was in the log" in files


def test_note_and_postmortem_as_they_are_typed(reports: Path, tmp_path: Path, capsys: Capture) -> None:
    place = ["--reports", str(reports)]
    assert run(["records", "note", INCIDENT, "customer called", "--at", "2026-03-04T09:50", *place]) == 0
    assert run(["records", "postmortem", INCIDENT, *place]) == 0
    shown = capsys.readouterr().out
    assert "| 2026-03-04T09:50:00.000Z |" in shown
    assert "customer called" in shown
    for name in ("draft.md", "draft.html"):
        assert run(["records", "postmortem", INCIDENT, "--to", str(tmp_path / name), "--lang", "zh", *place]) == 0
        assert "时间线" in (tmp_path / name).read_text(encoding="utf-8")
    for wrong, said in (
        (["INC-0"], "there is no record of an incident 'INC-0'"),
        ([INCIDENT, "--to", "x.pdf"], "is neither a .md nor a .html file"),
        ([INCIDENT, "--lang", "fr"], "there is no language 'fr' here"),
    ):
        assert run(["records", "postmortem", *wrong, *place]) == 2
        assert said in capsys.readouterr().err
    assert run(["records", "note", INCIDENT, "  ", *place]) == 2
