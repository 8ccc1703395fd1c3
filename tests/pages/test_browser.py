"""The archive in a real browser: found, read, compared, by keyboard alone; and hostile output does not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cargo_runbook.archive.record import NOTEBOOK, Record
from cargo_runbook.archive.sealing.draft import Draft
from tests.archive.kept import CELLS, INCIDENT, STARTED, keep, of_recording
from tests.conftest import BROWSERS, program
from tests.pages.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

playwright = pytest.importorskip("playwright.sync_api")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
HOSTILE = (
    "<b>shown</b><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<a href=\"javascript:document.title='owned'\">link</a><svg onload=\"document.title='owned'\"></svg>"
    "<iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe>"
)


def keep_hostile(reports: Path) -> Record:
    """A record whose notebook holds an output that tries to run."""
    notebook = nbformat.v4.new_notebook()
    output = nbformat.v4.new_output("display_data", data={"text/html": HOSTILE})
    notebook.cells = [nbformat.v4.new_code_cell("x", outputs=[output])]
    draft = Draft(reports, "hostile", "00_triage", STARTED + timedelta(days=1))
    (draft.folder / NOTEBOOK).write_text(nbformat.writes(notebook))
    (draft.folder / "verdict.json").write_text(json.dumps({"status": "failed", "environment": "hostile"}))
    return draft.seal(status="failed", domain="hostile.example")


@pytest.fixture
def page() -> Iterator[Any]:
    executable = next(path for name in BROWSERS if (path := program(name)))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 800, "height": 900}, locale="en-US")
        browser.close()


def test_records_are_found_read_verified_and_compared(page: Any, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    first, second = (keep(reports, "cargo", STARTED + timedelta(hours=n)) for n in range(2))
    keep(reports, "devops", STARTED)
    hostile = keep_hostile(reports)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with served(reports) as url:
        page.goto(url)
        assert "token" not in page.url
        assert page.locator("a.record").count() == 4

        # By keyboard alone: to the search, a word, Enter.
        page.get_by_label("environment").first.focus()
        page.keyboard.type("cargo")
        page.keyboard.press("Enter")
        page.wait_for_url("**env=cargo**")
        assert page.locator("a.record").count() == 2

        page.get_by_label(f"A {first.header.record}").check()
        page.get_by_label(f"B {second.header.record}").check()
        page.get_by_role("button", name="Compare A and B").click()
        page.get_by_text("Both came to the same").wait_for()

        page.get_by_role("link", name=first.header.record).click()
        page.locator("[data-seal=whole]").wait_for()
        assert page.locator("svg[role=img]").count() == 1
        page.locator("details summary").first.click()
        evidence = first.path / "evidence.jsonl"
        evidence.write_bytes(evidence.read_bytes().replace(b"a", b"b", 1))
        page.reload()
        assert "evidence.jsonl" in page.locator("[data-seal=broken]").inner_text()

        page.goto(f"{url.partition('?')[0]}records/{hostile.header.record}")
        page.locator("[data-seal=whole]").wait_for()
        assert page.get_by_text("shown", exact=True).count() == 1, "harmless HTML of an output is there"
        page.wait_for_timeout(500)
        assert page.title() != "owned"
        for link in page.get_by_text("link", exact=True).all():
            link.click(timeout=1000)
        assert page.title() != "owned"
    base = url.partition("?")[0]
    assert [each for each in asked if not each.startswith((base, "data:"))] == []


def test_a_line_of_the_timeline_leads_to_its_cell(page: Any, tmp_path: Path) -> None:
    """By mouse and by keyboard: one is there, and what is read or reached next is what follows the cell."""
    record = of_recording(tmp_path, "wrong-domain", 0)
    with served(tmp_path) as url:
        page.goto(url)
        base = url.partition("?")[0]
        for follow in ("click", "Enter"):
            page.goto(f"{base}incidents/{INCIDENT}")
            link = page.locator("tbody tr", has_text="CRG201: the registry answers 401").get_by_role("link").first
            link.focus()
            if follow == "click":
                link.click()
            else:
                page.keyboard.press(follow)
            page.wait_for_url(f"**/records/{record.header.record}#cell-3")
            cell = page.get_by_role("group", name="cell 3", exact=True)
            assert CELLS[2] in cell.inner_text()
            assert page.evaluate("document.activeElement.id") == "cell-3"
            top = cell.bounding_box()["y"]
            assert 0 <= top < 900, "it is what one sees"
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.getAttribute('href')") == "#cell-3"
        page.go_back()
        page.locator("tbody tr", has_text="CRG201: the registry answers 401").get_by_role(
            "link", name="evidence"
        ).click()
        assert page.locator("pre:target").is_visible(), "its fold is open"
        assert "www-authenticate: Bearer realm=" in page.locator("pre:target").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_both_themes(page: Any, tmp_path: Path, scheme: str) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    keep(tmp_path, "cargo")
    page.emulate_media(color_scheme=scheme)
    with served(tmp_path) as url:
        page.goto(url)
        ratios = page.evaluate(CONTRAST)
    assert ratios
    assert min(ratios.values()) >= 4.5, ratios


CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = light(getComputedStyle(document.body).backgroundColor), found = {};
  for (const each of document.querySelectorAll('a, h1, label, th, td, .fault, .dim')) {
    const text = light(getComputedStyle(each).color);
    found[each.className || each.tagName] = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
  }
  return found;
}"""
