"""The pages for everybody: by keyboard, with a screen reader, in light and dark, narrow, and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.archive.reading.records import read_record
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sharing.page import write_page
from cargo_runbook.execution.run import run_notebook
from tests.archive.kept import STARTED, keep
from tests.conftest import BROWSERS, program
from tests.pages.auditing import CONTRAST, REACHABLE, STRUCTURE, TOO_WIDE, by_tab, unnamed
from tests.pages.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

playwright = pytest.importorskip("playwright.sync_api")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@dataclass(frozen=True)
class Site:
    """The pages of an archive with a run on recorded evidence, in a browser with their cookie."""

    browser: Any
    context: Any
    base: str
    run: Record
    paths: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    reports = tmp_path_factory.mktemp("reports")
    keep(reports, "devops", STARTED, "INC-1")
    other = keep(reports, "cargo", STARTED + timedelta(hours=1), "INC-1")
    # A push, since its path is the longest.
    said = {"error_text": "The push refers to repository [cargo.caicloudprivatetest.com/library/tiny]"}
    done = run_notebook(
        "00_triage", "cargo", reports=reports, replay="domain-unresolved", incident="INC-1", parameters=said
    )
    run = read_record(done.path)
    paths = {
        "list": "/",
        "record": f"/records/{run.header.record}",
        "compare": f"/compare?a={other.header.record}&b={run.header.record}",
        "incident": "/incidents/INC-1",
        "verify": "/verify",
        "nothing": "/records/nothing",
    }
    executable = next(path for name in BROWSERS if (path := program(name)))
    with served(reports) as url, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1000, "height": 800}, locale="en-US")
        # A busy machine: nothing here is about speed.
        context.set_default_timeout(120_000)
        first = context.new_page()
        first.goto(url)
        first.close()
        yield Site(browser, context, url.partition("/?")[0], run, paths)
        browser.close()


PAGES = ("list", "record", "compare", "incident", "verify", "nothing")


@pytest.fixture
def page(site: Site) -> Iterator[Any]:
    opened = site.context.new_page()
    yield opened
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_word_of_every_page_can_be_read_in_both_themes(site: Site, page: Any, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(site.base + site.paths[name])
    assert page.evaluate(CONTRAST) == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_gets_names_landmarks_and_table_heads(site: Site, page: Any, name: str) -> None:
    for language in ("zh", "en"):
        page.goto(f"{site.base}{site.paths[name]}{'&' if '?' in site.paths[name] else '?'}lang={language}")
        told = page.evaluate(STRUCTURE)
        assert (told["language"], told["main"], told["scripts"]) == (language, 1, 0)
        assert told["titles"]
        assert told["headings"] == (0 if name == "nothing" else 1)
        assert told["bare"] == []
        assert unnamed(page) == []


@pytest.mark.parametrize("name", ["list", "record", "incident"])
def test_the_tab_key_comes_to_everything_and_shows_where_it_is(site: Site, page: Any, name: str) -> None:
    page.goto(site.base + site.paths[name])
    met = by_tab(page)
    assert "skip to content" in met[0]["what"]
    assert [each["what"] for each in met if not each["ring"]] == []
    # Of the radio buttons of one name the Tab key takes the first one; the arrow keys take the others.
    assert len([each for each in met if each["what"] not in ("INPUT a", "INPUT b")]) == page.evaluate(REACHABLE)


def test_the_record_page_has_path_matrix_steps_evidence_and_badge_and_a_link_opens_its_evidence(
    site: Site, page: Any
) -> None:
    page.goto(site.base + site.paths["record"])
    page.locator("[data-seal=whole]").wait_for()
    assert page.locator("svg[role=img] title").count() == 1
    assert page.get_by_role("img", name="Path of a push, cargo · 推送路径").is_visible()
    assert "PATCH, PUT" in page.locator("table.path").inner_text()
    region = page.get_by_role("region", name="Who resolves what, and from where")
    heads = region.locator("thead th").all_inner_texts()
    assert {"operator", "dockerd", "Cargo host", "tengine", "harbor-jobservice"} <= set(heads)
    page.set_viewport_size({"width": 800, "height": 800})
    assert region.evaluate("e => e.scrollWidth - e.clientWidth") <= 1, "nothing of it lies to the side"
    page.set_viewport_size({"width": 1000, "height": 800})
    first = region.locator("tbody tr").first.inner_text()
    assert "NXDOMAIN" in first
    assert "ᴺ" in first
    targets = page.get_by_role("table").filter(has_text="clock, seconds ahead")
    assert "v1.4" in targets.inner_text()
    steps = page.get_by_role("table").filter(has_text="begun")
    assert steps.get_by_role("row").count() > 5
    link = region.get_by_role("link").first
    evidence = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#{evidence}")
    assert page.locator(f"details:has(#{evidence})").evaluate("e => e.open")
    assert "is no fault" not in page.locator(f"#{evidence}").inner_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_window_needs_no_scrolling_to_the_side(site: Site, page: Any, name: str) -> None:
    """WCAG 2.1, 1.4.10: 320 px; tables scroll in a frame of their own."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(site.base + site.paths[name])
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_exported_page_is_whole_without_a_network(site: Site, tmp_path: Path, scheme: str) -> None:
    target = tmp_path / "record.html"
    write_page(site.run, target, "en")
    context = site.browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: failed.append(message.text))
    page.goto(target.as_uri())
    assert page.locator("[data-seal=whole]").count() == 1
    assert page.get_by_role("region", name="Who resolves what, and from where").count() == 1
    assert page.evaluate(CONTRAST) == {}
    assert unnamed(page) == []
    assert "skip to content" in by_tab(page)[0]["what"]
    assert asked == [target.as_uri()]
    assert failed == []
    context.close()
