"""The documentation as a site: complete, without a dead link, and without anything from elsewhere."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import BROWSERS, program

ROOT = Path(__file__).parents[2]


def builder() -> ModuleType:
    """mkdocs is imported by the tests that build alone."""
    return importlib.import_module("tools.docs_site")


def pages_of(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    for entry in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from pages_of(entry)


def settings() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "mkdocs.yml")
    return loaded


def test_every_page_is_in_the_navigation_once() -> None:
    there = sorted(
        p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md") if ".zh." not in p.name
    )
    named = sorted(uri for uri in pages_of(settings()["nav"]) if not uri.startswith("project/"))
    assert named == there, "the key nav of mkdocs.yml"


def test_a_chinese_page_stands_beside_an_english_one() -> None:
    lone = [p.name for p in (ROOT / "docs").rglob("*.zh.md") if not p.with_name(p.name.replace(".zh", "")).exists()]
    assert lone == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    builder().build_site(folder)
    return folder


@pytest.mark.slow
def test_the_site_builds_without_a_warning_in_both_languages(site: Path) -> None:
    english, chinese = (site / "index.html").read_text("utf-8"), (site / "zh" / "index.html").read_text("utf-8")
    assert '<html lang="en"' in english
    assert "First ten minutes" in english
    assert '<html lang="zh"' in chinese
    assert "十分钟上手" in chinese
    assert "入门" in chinese
    assert (site / "project" / "runbooks" / "20_wrong_domain.ipynb").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "mistake", ["[gone](no-such-page.md)", "[gone](inventory.md#no-such-heading)", "[x](../no/file.py)"]
)
def test_a_link_that_leads_nowhere_is_an_error(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mkdocs.exceptions import Abort

    for name in ("docs", "runbooks", "reports"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("[0-9]*[0-9]", "changes", "batches")
        )
    for name in ("mkdocs.yml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(builder(), "ROOT", tmp_path)
    builder().build_site(tmp_path / "before")
    page = tmp_path / "docs" / "index.md"
    page.write_text(page.read_text("utf-8") + f"\n{mistake}\n", "utf-8")
    with pytest.raises(Abort):
        builder().build_site(tmp_path / "after")


@pytest.mark.slow
def test_no_page_names_a_script_a_style_or_a_picture_of_another_host(site: Path) -> None:
    loads = re.compile(
        r"""<(?:script|img|iframe|source)[^>]+src=["']?(https?:)?//|<link[^>]+href=["']?(https?:)?//|@import|url\(["']?https?:"""
    )
    files = [file for file in site.rglob("*") if file.suffix in {".html", ".css"}]
    assert len(files) > 40
    assert [f.relative_to(site).as_posix() for f in files if loads.search(f.read_text("utf-8"))] == []


@pytest.mark.slow
@pytest.mark.browser
def test_in_a_browser_the_site_asks_its_own_server_alone_and_finds_what_is_searched(site: Path) -> None:
    from playwright.sync_api import sync_playwright

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, directory=str(site), **options)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    browser_path = next(path for name in BROWSERS if (path := program(name)))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            for name in ("index.html", "first-ten-minutes.html", "finding-codes.html", "zh/first-ten-minutes.html"):
                page.goto(address + name)
            with page.expect_response(lambda answer: "search_index" in answer.url, timeout=60_000):
                page.goto(address + "index.html")
            page.get_by_role("textbox", name="Search").click()
            page.keyboard.type("CRG201", delay=50)
            page.locator(".md-search-result__item").first.wait_for(state="attached", timeout=60_000)
            browser.close()
    finally:
        server.shutdown()
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
