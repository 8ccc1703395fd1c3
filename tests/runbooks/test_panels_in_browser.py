"""The panels in JupyterLab on recorded evidence: with the keyboard alone, readable in both themes, at 1280 and 800 pixels."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import nbformat
import pytest

from cargo_runbook.archive.incident import write_note
from tests.archive.kept import INCIDENT, STARTED, keep, of_recording
from tests.execution.batch.test_summary import BROKEN, NOTHING, outcome, write
from tests.jupyterlab import SECONDS, Notebook, chromium, misread, of_a_replay, unreached, unreadable, use_theme, window
from tests.runbooks.test_browser import run_all_cells

pytestmark = [pytest.mark.browser, pytest.mark.slow]

pytest.importorskip("playwright.sync_api")
PASTED = (
    'Get "https://cargo.caicloudprivatetest.com/v2/": Get "https://old-cargo.caicloudprivatetest.com/service/token?'
    'service=harbor-registry": dial tcp: lookup old-cargo.caicloudprivatetest.com: no such host'
)


ROOT = Path(__file__).parents[2]
HIGH = 9000
"""Pixels in which a whole notebook has room."""
# A plan as a production environment has it, in the panel that does it; what it does is done by nobody.
PRODUCTION = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from cargo_runbook.remedies.proof import Proof
from cargo_runbook.views.panels import EnvironmentPanel, FixPanel
from cargo_runbook.views.target import KnownHost, TargetView
from tests.views.test_fix import ended, view

where = TargetView("cargo", stage="production", registry="cargo.caicloudprivatetest.com",
                   hosts=(KnownHost("cargo", "203.0.113.14", ("SHA256:" + "a1B2" * 10,)),))
EnvironmentPanel(("cargo",), "cargo", lambda name: where)
FixPanel(view("production"), lambda plan, reason, tell: view("production", ended(Proof.PROVEN)))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[str]:
    options, variables = of_a_replay(folder, "both")
    command = [sys.executable, "-m", "cargo_runbook", "notebook", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=60)


def test_the_index_marks_the_runbook_for_what_was_pasted_and_opens_it(lab: str) -> None:
    with window(chromium()) as page:
        notebook = Notebook(page, lab, "index")
        notebook.until(".crb-index")
        page.locator(".crb-panel textarea").fill(PASTED)
        page.keyboard.press("Tab")
        row = page.locator(".crb-index tr", has_text="for the text above")
        row.wait_for(timeout=20 * SECONDS)
        assert row.get_attribute("data-runbook") == "20_wrong_domain"
        notebook.picture("index", page.locator(".crb-index"))
        assert misread(page, "index", ".crb-index", least=30) == {}
        page.locator("[data-runbook='20_wrong_domain'] a").click()
        page.get_by_role("heading", name="Who writes the challenge").wait_for(timeout=30 * SECONDS)


def test_panels_are_used_with_the_keyboard_alone_and_read_in_both_themes_and_widths(lab: str) -> None:
    with window(chromium()) as page:
        notebook = Notebook(page, lab, "20_wrong_domain")
        notebook.until(".crb-checks")
        run = notebook.button("Run all checks")
        run.focus()
        page.keyboard.press("Enter")
        page.locator("tr[data-step=verdict]", has_text="CRG201").wait_for(timeout=60 * SECONDS)
        notebook.at("Who writes the challenge")
        notebook.until(".crb-record")

        # A fold is opened, and what is in it copied, by keys.
        fold = page.locator(".crb-verdict .crb-item summary").first
        fold.focus()
        page.keyboard.press("Enter")
        shown = page.locator(".crb-verdict .crb-item[open]").first
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "PRE", "an output is scrolled with the keys"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        # The browser copies in its own time.
        page.wait_for_function("navigator.clipboard.readText().then(text => text.trim())")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip()
        assert copied == shown.locator("pre").first.text_content()
        assert unreached(page) == []
        page.locator(".crb-evidence > summary").first.press("Enter")
        shown = (
            ".crb-target",
            ".crb-checks",
            ".crb-step",
            ".crb-verdict",
            ".crb-path svg",
            ".crb-evidence",
            ".crb-fix",
        )
        panels = (
            ".crb-panel:has(textarea)",
            ".crb-panel:has(.crb-target)",
            ".crb-panel:has(.crb-checks)",
            ".crb-record",
        )
        assert misread(page, "wrong-domain", *shown, *panels, least=200) == {}
        use_theme(page, "JupyterLab Dark")
        notebook.picture("verdict-dark", page.locator(".crb-verdict"))
        use_theme(page, "JupyterLab Light")
        assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0


def test_what_stands_behind_a_cell_of_the_matrix_is_shown_below_it_when_the_tab_key_gets_there(lab: str) -> None:
    with window(chromium()) as page:
        notebook = Notebook(page, lab, "11_domain_unresolved_local")
        matrix = notebook.until(".crb-step[data-check=places]")
        before = matrix.bounding_box()
        hinted = matrix.locator(".crb-hinted").first
        hinted.focus()
        hint = hinted.locator(".crb-hint")
        assert hint.is_visible()
        assert hint.inner_text().strip()
        assert matrix.bounding_box() == before, "nothing jumps"
        hinted.evaluate("e => e.blur()")
        assert not hint.is_visible()
        notebook.picture("matrix", matrix)
        assert misread(page, "matrix", ".crb-step[data-check=places]", least=30) == {}


def archive_of(reports: Path) -> None:
    """An incident with a note, and two batches."""
    of_recording(reports, "wrong-domain", 0)
    write_note(reports, INCIDENT, "traffic moved to the second host", at="2026-03-04T10:10:00.000Z")
    of_recording(reports, "healthy", 30)
    keep(reports, "devops", STARTED + timedelta(minutes=35), INCIDENT)
    write(reports, "20260101T000000Z-aa", outcome("shanghai-production-1", "healthy"), outcome("devops", "healthy"))
    broken = outcome("shanghai-production-1", "fault", "CRG201", "CRG711", cells=BROKEN)
    failed = outcome("prod-2", "failed", cells=NOTHING, reason="the kernel died in cell 3")
    write(reports, "20260102T000000Z-bb", broken, outcome("devops", "healthy"), failed)


def notebook_of_parts(copies: Path, name: str) -> None:
    """The cells of the postmortem, of the batch's summary and of a plan for production, as one notebook."""
    cells = []
    for runbook in ("90_postmortem", "95_batch_summary"):
        for cell in nbformat.read(copies / f"{runbook}.ipynb", nbformat.NO_CONVERT).cells:
            if cell.cell_type == "code":
                source = cell.source.replace('incident = ""', f'incident = "{INCIDENT}"')
                cells.append(nbformat.v4.new_code_cell(source))
    cells += [nbformat.v4.new_code_cell(source) for source in PRODUCTION.strip().rsplit("\n", 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), copies / f"{name}.ipynb")


def test_incident_batch_and_a_plan_for_production_are_read_in_both_themes_and_widths_and_used_by_keys_alone(
    lab: str, folder: Path
) -> None:
    archive_of(folder / "reports")
    (copies,) = (folder / "reports" / "notebooks").iterdir()
    notebook_of_parts(copies, "parts")
    with window(chromium(), height=HIGH) as page:
        notebook = Notebook(page, lab, "parts")
        run_all_cells(page)
        page.locator(".crb-panel:has(.crb-fix)").wait_for(timeout=60 * SECONDS)
        assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
        assert page.locator(".crb-stage-production").all_inner_texts() == ["PRODUCTION · 生产环境"] * 2
        name, button = page.get_by_placeholder("cargo", exact=True), notebook.button("Apply")
        name.focus()
        page.keyboard.type("crago")
        page.keyboard.press("Tab")
        page.get_by_text("crago is not cargo: nothing is changed").wait_for(timeout=10 * SECONDS)
        assert unreached(page) == []
        parts = [f".crb-step:has-text('{title}')" for title in ("In which order", "What was the cause", "The draft",
                 "What came of the batch", "Which check says what", "Files to hand on")]  # fmt: skip
        shown = (*parts, ".crb-target", ".crb-panel:has(.crb-fix)", ".crb-warns")
        assert misread(page, "parts", *shown, least=150, height=HIGH) == {}

        name.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type("cargo")
        page.keyboard.press("Tab")
        page.get_by_text("production: say why").wait_for(timeout=10 * SECONDS)
        assert button.is_disabled(), "the name alone is not enough"
        page.keyboard.type("INC-7")
        page.keyboard.press("Tab")
        page.locator("button:enabled", has_text="Apply").wait_for(timeout=10 * SECONDS)
        assert unreadable(page, ".crb-panel:has(.crb-fix)")[1] == [], "the button is pale no longer"
        button.focus()
        page.keyboard.press("Enter")
        page.locator(".crb-fix[data-proof=proven]").wait_for(timeout=20 * SECONDS)
