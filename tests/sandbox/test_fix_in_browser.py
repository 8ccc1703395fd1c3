"""A fix as an engineer does it: JupyterLab on operator in a real browser, the plan, the typed name, the button, the proof."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BROWSERS, program

pytestmark = [pytest.mark.sandbox, pytest.mark.browser, pytest.mark.slow]

playwright = pytest.importorskip("playwright.sync_api")
SECONDS = 1000.0
REPORTS = "/tmp/lab"


@pytest.fixture
def lab(sandbox: Any) -> Iterator[str]:
    """JupyterLab on operator; its address there."""
    command = ["-m", "cargo_runbook", "sandbox", "run", "--name", sandbox.name, "--"]
    command += ["cargo-runbook", "notebook", "--no-browser", "--reports", REPORTS]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def browser(sandbox: Any, tmp_path: Path) -> str:
    """A browser that sees operator's network: what JupyterLab there listens on is loopback of that machine."""
    from cargo_sandbox.machines.processes import machine_pid
    from cargo_sandbox.paths import state_folder

    executable = next(path for name in BROWSERS if (path := program(name)))
    pid = machine_pid(state_folder(sandbox.name), "operator")
    start = tmp_path / "browser"
    start.write_text(f'#!/bin/sh\nexec nsenter -t {pid} -n -- {executable} "$@"\n')
    start.chmod(0o755)
    return str(start)


def diagnosed(sandbox: Any) -> tuple[int, list[str]]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo", "--json")
    return done.returncode, json.loads(done.stdout)["root_causes"]


def step_until(page: Any, selector: str) -> Any:
    """Shift+Enter, cell by cell, until something with that selector is shown."""
    for _ in range(30):
        found = page.locator(selector)
        if found.count():
            return found.first
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(300)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
    raise AssertionError(f"no cell showed {selector}")


def test_a_fix_is_confirmed_by_the_typed_name_and_proven_in_the_notebook(sandbox: Any, lab: str, browser: str) -> None:
    sandbox.break_("wrong-domain")
    try:
        assert re.match(r"http://127\.0\.0\.1:\d+/lab/tree/", lab), lab
        with playwright.sync_playwright() as driver:
            arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
            window = driver.chromium.launch(executable_path=browser, args=arguments)
            page = window.new_page(viewport={"width": 1280, "height": 1600})
            page.goto(lab.replace("00_triage", "20_wrong_domain"))
            page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60 * SECONDS)
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
            page.locator(".jp-NotebookPanel .jp-Cell").first.click()
            page.keyboard.press("Escape")

            panel = step_until(page, ".crb-fix")
            panel.scroll_into_view_if_needed()
            assert "CHANGES" in panel.inner_text()
            assert "restart" in panel.inner_text()
            name, button = page.get_by_placeholder("cargo", exact=True), page.get_by_role("button", name="Apply · 执行")
            name.fill("crago")
            name.press("Tab")
            page.wait_for_timeout(500)
            assert button.is_disabled(), "a mistyped name confirms nothing"
            assert diagnosed(sandbox) == (1, ["CRG201"]), "the plan alone changes nothing"
            name.fill("cargo")
            name.press("Tab")
            button.click(timeout=10 * SECONDS)
            page.locator(".crb-fix", has_text="proven").wait_for(timeout=120 * SECONDS)
            assert "not proven" not in page.locator(".crb-fix").inner_text()
            assert diagnosed(sandbox) == (0, [])

            page.get_by_role("heading", name="Where to go next").click()
            page.keyboard.press("Escape")
            record = step_until(page, ".crb-record").get_attribute("data-record")
            window.close()
        kept = sandbox.run("bash", "-c", f"cat {REPORTS}/*/*/*/{record}/changes/*/journal.jsonl").stdout
        assert '"proof": "proven"' in kept, "what was done is part of the record"
    finally:
        sandbox.heal("wrong-domain")
    assert diagnosed(sandbox) == (0, [])
