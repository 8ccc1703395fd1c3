"""The panels in JupyterLab on recorded evidence: with the keyboard alone, readable in both themes, at 1280 and 800 pixels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.jupyterlab import SECONDS, Notebook, chromium, misread, unreached, use_theme, window

pytestmark = [pytest.mark.browser, pytest.mark.slow]

pytest.importorskip("playwright.sync_api")
PASTED = (
    'Get "https://cargo.caicloudprivatetest.com/v2/": Get "https://old-cargo.caicloudprivatetest.com/service/token?'
    'service=harbor-registry": dial tcp: lookup old-cargo.caicloudprivatetest.com: no such host'
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("lab")
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": "both", "HOME": str(folder)}
    variables |= {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data")}
    options = ["--no-browser", "--replay", "wrong-domain", "--reports", str(folder / "reports")]
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
