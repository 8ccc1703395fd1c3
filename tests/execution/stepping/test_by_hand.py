"""A notebook that is stepped through by hand, on replayed evidence: frozen steps, and a record that loses nothing."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import nbformat
import pytest

from cargo_runbook.archive.files import sha256_of
from cargo_runbook.archive.keeping.verify import verify_all
from cargo_runbook.archive.ledger import StepStatus, read_account
from cargo_runbook.archive.reading.records import list_drafts, list_records
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sharing.page import page
from cargo_runbook.connections.evidence import read_evidence
from cargo_runbook.errors import Stopped, UsageError
from cargo_runbook.execution.session import notebook_name
from cargo_runbook.execution.stepping.left import seal_left
from cargo_runbook.execution.stepping.origin import keep_pristine, origin_now
from cargo_runbook.execution.triage import Triage
from cargo_runbook.findings import Verdict
from cargo_runbook.investigation import Investigation, open_investigation
from cargo_runbook.steps import SECTIONS
from cargo_runbook.views.notebook import StepView
from cargo_runbook.views.panels import RunPanel


@pytest.fixture
def section(tmp_path: Path) -> Triage:
    reopen = partial(open_investigation, "cargo", replay="wrong-domain")
    return Triage(reopen(), steps=SECTIONS["20_wrong_domain"], reports=tmp_path, incident="INC-7", reopen=reopen)


def looked(section: Triage, name: str, *, again: bool = False) -> RunPanel:
    panel = section.look(name, again=again)
    assert isinstance(panel, RunPanel)
    return panel


def draft_of(reports: Path) -> Path:
    (draft,) = list_drafts(reports)
    return draft


def test_a_step_that_ran_is_shown_as_it_was(section: Triage) -> None:
    first = looked(section, "domains")
    view, asked = first.value, len(section.investigation.evidence)
    assert isinstance(view, StepView)
    assert view.verdict is Verdict.FAULT
    second = looked(section, "domains")
    assert second is first, "the cell shows the same panel: nothing flickers"
    assert second.value is view
    assert len(section.investigation.evidence) == asked
    assert "shown as it was, not run again" in repr(second)


def test_a_step_that_is_run_again_asks_anew_and_the_others_are_marked(section: Triage, tmp_path: Path) -> None:
    other, panel = looked(section, "emitter"), looked(section, "domains")
    view = panel.value
    looked(section, "domains", again=True)
    assert panel.value is not view
    assert "older than what was asked at" in repr(other)
    assert "older" not in repr(panel)
    ids = [seen.id for seen in read_evidence(draft_of(tmp_path) / "evidence.jsonl")]
    assert len(ids) == len(set(ids)), "evidence of both looks is kept, and told apart"
    assert {seen.id for seen in section.investigation.evidence} < set(ids)


def test_what_ran_is_on_the_disk_before_anything_is_concluded(section: Triage, tmp_path: Path) -> None:
    assert list_drafts(tmp_path) == (), "nothing ran, nothing is kept"
    looked(section, "domains")
    account = read_account(draft_of(tmp_path))
    assert {step.id: step.status for step in account.steps if step.status is not StepStatus.NOT_RUN} == {
        "domains": StepStatus.OK
    }
    assert read_evidence(draft_of(tmp_path) / "evidence.jsonl") == section.investigation.evidence


def test_the_verdict_comes_before_what_needs_it(section: Triage) -> None:
    section._said = object()  # type: ignore[assignment]
    assert "needs the verdict" in str(section.compare())


def test_concluding_seals_once_and_what_comes_later_goes_into_a_record_of_its_own(
    section: Triage, tmp_path: Path
) -> None:
    section.verdict()
    notes = section.notes("seen on the phone")
    panel = section.conclude()
    (first,) = list_records(tmp_path).records
    assert (first.header.root_causes, first.header.incident) == (("CRG201",), "INC-7")
    assert json.loads((first.path / "note.json").read_text(encoding="utf-8"))["text"] == "seen on the phone"
    assert section.conclude() is panel
    assert len(list_records(tmp_path).records) == 1, "nothing came since"
    notes.value = "told the team"
    second = list_records(tmp_path).records[-1]
    assert panel.value.follows == first.header.record  # type: ignore[union-attr]
    assert json.loads((second.path / "by-hand.json").read_text(encoding="utf-8"))["follows"] == first.header.record
    assert list_drafts(tmp_path) == ()
    assert verify_all(tmp_path).problems == ()


def test_what_a_killed_kernel_left_is_sealed_when_the_notebook_is_opened_again(section: Triage, tmp_path: Path) -> None:
    looked(section, "domains")
    assert seal_left(tmp_path, "cargo", notebook_name()) == (), "its kernel lives"
    assert section._hand is not None
    ledger = section._hand._keeper._ledger
    assert ledger is not None
    ledger.release()
    (record,) = seal_left(tmp_path, "cargo", notebook_name())
    assert "was cut off before" in record.header.reason
    assert (record.header.status, record.header.incident) == ("failed", "INC-7")
    assert read_evidence(record.path / "evidence.jsonl")
    assert verify_all(tmp_path).problems == ()


def test_the_end_of_the_kernel_seals_what_was_not_concluded(section: Triage, tmp_path: Path) -> None:
    section.verdict()
    assert section._hand is not None
    section._hand._keeper.kernel_ends()
    (record,) = list_records(tmp_path).records
    assert (record.header.status, record.header.reason) == ("fault", "the notebook was not concluded")


def test_a_step_that_was_stopped_says_so_and_runs_when_its_cell_runs_again(
    section: Triage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_self: Investigation, _step: object) -> None:
        assert section._hand is not None
        section._hand.steps.stop()
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Investigation, "look", stopped)
        panel = looked(section, "domains")
    assert panel.value is None
    assert "nothing was changed" in repr(panel)
    assert isinstance(looked(section, "domains").value, StepView)


def test_all_checks_run_in_turn_and_end_with_the_verdict(section: Triage) -> None:
    panel = section.checks()
    assert section._hand is not None
    section._hand._all_in_turn()
    assert panel.value == {"emitter": "ok", "domains": "fault", "methods": "ran", "verdict": "fault"}
    assert "shown as it was" in repr(looked(section, "domains"))


def test_an_unknown_step_is_told_with_those_that_there_are(section: Triage) -> None:
    with pytest.raises(UsageError, match="there is no step named 'domain'"):
        section.look("domain")


CELLS = ('environment = "cargo"  # which\nlang = ""', "section.look('domains')", "section.verdict()")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working copy as `cargo-runbook notebook` makes one, told to the kernel as Jupyter's server tells it."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    source = tmp_path / "20_wrong_domain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    copies = tmp_path / "notebooks" / "copy"
    copies.mkdir(parents=True)
    shutil.copyfile(source, copies / source.name)
    keep_pristine(copies, [source])
    monkeypatch.setenv("JPY_SESSION_NAME", str(copies / source.name))
    return copies / source.name


def ran(monkeypatch: pytest.MonkeyPatch, *sources: str) -> None:
    """These cells were executed in this kernel."""
    told = json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]))
    monkeypatch.setattr("cargo_runbook.execution.stepping.keeping.executed_cells", lambda: told)


def told_of_runbook(record: Record) -> tuple[str, str, str]:
    return record.header.runbook_sha256, record.header.opened_from, record.header.edited


def test_the_record_has_the_digest_of_the_runbook_that_was_opened_whatever_its_copy_holds_meanwhile(
    copied: Path, section: Triage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.write_text("{}", encoding="utf-8")
    # IPython ends what it keeps of a cell with a line end.
    ran(monkeypatch, 'environment = "prod-1"  # which\nlang = "zh"\n', CELLS[1] + "\n", CELLS[1], CELLS[2])
    section.verdict()
    section.conclude()
    (record,) = list_records(tmp_path).records
    assert told_of_runbook(record) == (sha256_of(tmp_path / copied.name), "", "")


@pytest.mark.parametrize(
    "own",
    [
        "section.look('domains'); section.investigation.environment = None",
        'environment = "cargo"\nlang = ""\nother = 1',
        'environment = "cargo"\nlang = print()',
    ],
)
def test_a_record_of_code_that_was_edited_says_which_cells_and_claims_no_runbook(
    copied: Path, section: Triage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    ran(monkeypatch, CELLS[0], own, CELLS[2], own)
    section.verdict()
    section.conclude()
    (record,) = list_records(tmp_path).records
    digest = sha256_of(tmp_path / copied.name)
    assert told_of_runbook(record) == ("", digest, "2 4")
    shown = page(record, "en")
    assert "edited by hand" in shown
    assert '<a href="#cell-4">4</a>' in shown
    assert digest in shown


def test_what_a_killed_kernel_left_says_of_its_runbook_what_a_seal_would_have(
    copied: Path, section: Triage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(monkeypatch, CELLS[0], CELLS[1], "import os")
    looked(section, "domains")
    assert section._hand is not None
    ledger = section._hand._keeper._ledger
    assert ledger is not None
    ledger.release()
    (record,) = seal_left(tmp_path, "cargo", notebook_name())
    assert told_of_runbook(record) == ("", sha256_of(tmp_path / copied.name), "3")


def test_a_notebook_of_nobodys_is_its_own_origin_and_none_is_claimed_where_there_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert origin_now() is None
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)
    origin = origin_now()
    assert origin is not None
    assert (origin.sha256, origin.edited(["1", "2"])) == (sha256_of(path), (2,))
    path.write_text("[]", encoding="utf-8")
    assert origin_now() is None
