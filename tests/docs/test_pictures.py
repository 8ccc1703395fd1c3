"""The pictures of the tutorials are what a browser shows of records, and are made here.

    CARGO_RUNBOOK_PICTURES=docs/pictures .venv/bin/pytest tests/docs/test_pictures.py

makes them again; without that variable they go to a temporary folder, and only what they show is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BROWSERS, program
from tests.docs.pages import on_recordings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 1000
# The verdict of the record's page, with the path of the pull.
TOP = ""
VERDICT = ".crb-verdict"
BROKEN_STEP = ".crb-step.crb-edge-fault"
# Tutorial: notebook, environment, recording, what of the page is shown, what must stand there.
RECORDS = {
    "00-triage": ("00_triage", "ha", "ha-one-node-key", TOP, "CRG304"),
    "11-domain-unresolved-local": (
        "11_domain_unresolved_local",
        "cargo",
        "domain-unresolved-local",
        VERDICT,
        "CRG104",
    ),
    "12-domain-unresolved-pipeline": (
        "12_domain_unresolved_pipeline",
        "cargo",
        "domain-unresolved-pipeline",
        VERDICT,
        "CRG801",
    ),
    "20-wrong-domain": ("20_wrong_domain", "cargo", "wrong-domain", VERDICT, "CRG201"),
    "30-token-service": ("30_token_service", "cargo", "token-service-builtin", VERDICT, "CRG301"),
    "40-replication-stuck": ("40_replication_stuck", "cargo", "replication-silent-destination", BROKEN_STEP, "tiny"),
    "50-replication-failed": ("50_replication_failed", "cargo", "replication-401-no-role", VERDICT, "CRG416"),
    "60-permission": ("60_permission", "cargo", "guest-pushes", VERDICT, "CRG511"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = next(path for name in BROWSERS if (path := program(name)))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": WIDTH, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = os.environ.get("CARGO_RUNBOOK_PICTURES")
    return Path(folder).absolute() if folder else tmp_path


def shown(page: Page, part: Locator, picture: Path, *words: str) -> None:
    """Keep a picture of the part, which must have all these words and be cut nowhere."""
    text = part.inner_text()
    assert [word for word in words if word not in text] == []
    assert "Traceback" not in page.content()
    box: Any = part.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WIDTH
    part.screenshot(path=picture, animations="disabled")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", RECORDS)
def test_a_picture_of_a_tutorial_shows_its_record(name: str, tmp_path: Path, pictures: Path, page: Page) -> None:
    notebook, environment, recording, part, word = RECORDS[name]
    with on_recordings(tmp_path) as terminal:
        came = terminal.type(f"cargo-runbook run {notebook} --env {environment} --replay {recording}")
        assert "fault" in came
        terminal.type("cargo-runbook records export $(basename reports/2*/*/*/*) --to page.html")
    page.goto((tmp_path / "page.html").as_uri())
    if part == TOP:
        begin = page.get_by_role("heading", name="Verdict").first.bounding_box()
        end = page.get_by_role("heading", name="Who was looked at").bounding_box()
        assert begin
        assert end
        page.set_viewport_size({"width": WIDTH, "height": int(end["y"]) + 100})
        clip = {"x": 0, "y": begin["y"] - 8, "width": WIDTH, "height": end["y"] - begin["y"] - 8}
        page.screenshot(path=pictures / f"{name}.png", clip=clip)
        assert word in page.locator("body").inner_text()
    else:
        shown(page, page.locator(part).filter(has_text=word).first, pictures / f"{name}.png", word)


@pytest.mark.slow
@pytest.mark.browser
def test_the_picture_of_a_batch_shows_its_matrix(tmp_path: Path, pictures: Path, page: Page) -> None:
    with on_recordings(tmp_path) as terminal:
        terminal.type("cargo-runbook batch 00_triage --env '*' --replay wrong-domain")
    page.goto(next(tmp_path.glob("reports/batches/*/summary.html")).as_uri())
    shown(page, page.locator("body"), pictures / "batch.png", "cargo", "devops", "CRG201")


@pytest.mark.slow
@pytest.mark.browser
def test_the_picture_of_a_postmortem_shows_the_draft(tmp_path: Path, pictures: Path, page: Page) -> None:
    with on_recordings(tmp_path) as terminal:
        terminal.type("cargo-runbook run 00_triage --env cargo --incident INC-42 --replay wrong-domain")
        terminal.type("cargo-runbook records note INC-42 'customers in Shanghai report failing logins'")
        terminal.type("cargo-runbook run 00_triage --env cargo --incident INC-42 --replay healthy")
        terminal.type("cargo-runbook records postmortem INC-42 --to INC-42.html")
    page.goto((tmp_path / "INC-42.html").as_uri())
    shown(page, page.locator("body"), pictures / "postmortem.png", "INC-42", "CRG201", "Shanghai")


def test_every_picture_that_is_made_here_is_on_its_page() -> None:
    for name in (*RECORDS, "batch", "postmortem"):
        assert (DOCS / "pictures" / f"{name}.png").exists()
        assert f"../pictures/{name}.png)" in (DOCS / "tutorials" / f"{name}.md").read_text("utf-8")
