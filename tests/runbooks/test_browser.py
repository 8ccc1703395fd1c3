"""The triage as a person sees it: `cargo-runbook notebook`, JupyterLab in a real browser, run all cells."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

from cargo_runbook.archive.files import sha256_of
from cargo_runbook.archive.reading.records import list_records
from tests.conftest import BROWSERS, program
from tests.jupyterlab import of_a_replay
from tests.practice import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

playwright = pytest.importorskip("playwright.sync_api")
SECONDS = 1000.0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """JupyterLab as the command starts it, with its address."""
    options, variables = of_a_replay(tmp_path, "en")
    command = [sys.executable, "-c", "from cargo_runbook.cli.main import main; main()", "notebook", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def run_all_cells(page: Page) -> None:
    """Run > Run All Cells. JupyterLab drops what is asked for before its session is there, and shows idle already."""
    for _ in range(5):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(playwright.TimeoutError):
            page.locator(".jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]")).first.wait_for(timeout=4 * SECONDS)
            return
    raise AssertionError("JupyterLab ran nothing")


def test_stepping_through_shows_the_verdict_and_keeps_a_record(
    lab: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    server, url = lab
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/lab/tree/index\.ipynb\?token=[\w-]{20,}", url)
    assert found, url
    port = int(found.group(1))
    executable = next(path for name in BROWSERS if (path := program(name)))
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    asked_elsewhere: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.on("request", lambda request: asked_elsewhere.append(request.url))
        page.goto(url.replace("index.ipynb", "00_triage.ipynb"))
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60 * SECONDS)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECONDS)
        run_all_cells(page)
        record = page.locator(".crb-record")
        record.wait_for(timeout=60 * SECONDS)
        assert page.get_by_text("official Jupyter news").count() == 0
        card = page.locator(".crb-verdict [data-code='CRG201']")
        card.scroll_into_view_if_needed()
        assert "Wrong domain in the challenge" in card.inner_text()
        assert page.locator(".crb-verdict svg[role=img]").count() == 1
        assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0

        evidence = card.locator("details.crb-item").first
        assert not evidence.get_by_text("www-authenticate").is_visible()
        evidence.locator("summary").click()
        evidence.get_by_text("www-authenticate").wait_for(timeout=10 * SECONDS)
        if folder := os.environ.get("CARGO_RUNBOOK_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/verdict.png")
        shown = record.get_attribute("data-record")
        browser.close()
    assert [url for url in asked_elsewhere if not url.startswith((f"http://127.0.0.1:{port}/", "data:", "blob:"))] == []
    (kept,) = list_records(tmp_path / "reports").records
    assert (kept.header.record, kept.header.root_causes) == (shown, ("CRG201",))
    assert "00_triage" in kept.header.record
    assert (kept.header.runbook_sha256, kept.header.edited) == (sha256_of(ROOT / "runbooks" / "00_triage.ipynb"), "")

    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=30)
    assert server.returncode == 0, complaints
    assert (
        complaints.split()
        == f"JupyterLab on {next((tmp_path / 'reports/notebooks').iterdir())}; Ctrl-C ends it".split()
    )
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def started_kernel(url: str, runtime: Path) -> Any:
    """A client of a kernel that JupyterLab started for the triage, as the browser asks for it."""
    from jupyter_client.blocking.client import BlockingKernelClient

    address, token = re.sub(r"/lab/.*", "/api/sessions", url), url.partition("token=")[2]
    body = {"path": "00_triage.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    with urlopen(Request(address, json.dumps(body).encode(), headers)) as answer:
        kernel = json.load(answer)["kernel"]["id"]
    client = BlockingKernelClient()
    client.load_connection_file(str(runtime / f"kernel-{kernel}.json"))
    client.start_channels()
    client.wait_for_ready(60)
    return client


def test_a_kernel_that_takes_its_time_to_keep_what_it_has_is_waited_for(
    lab: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    server, url = lab
    kernel = started_kernel(url, tmp_path / "data" / "runtime")
    kept = tmp_path / "kept"
    # Longer than the half of what Jupyter gives a kernel by itself, after which it would be ended by a signal; and how
    # much is left for IPython to collect, which takes seconds where many want the processor.
    ending = f"""
import atexit, gc, pathlib, time
shell = get_ipython()
shell.reset = lambda **more: pathlib.Path({str(kept)!r}).write_text(f"kept, {{len(gc.get_objects())}}")
atexit.register(lambda: time.sleep(3.2))
"""
    done = kernel.execute_interactive(ending, timeout=60)
    kernel.stop_channels()
    assert done["content"]["status"] == "ok"
    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=30)
    assert server.returncode == 0, complaints
    assert "signal" not in complaints, "JupyterLab was asked once, and not disturbed while it waited"
    word, count = kept.read_text("utf-8").split(", ")
    assert word == "kept"
    assert int(count) < 1000, "nothing is searched for garbage at the end"


@pytest.mark.skipif(program("setpriv") is None, reason="setpriv is part of Linux' util-linux")
def test_jupyterlab_does_not_outlive_a_command_that_is_killed(lab: tuple[subprocess.Popen[str], str]) -> None:
    server, url = lab
    port = int(url.split(":")[2].split("/")[0])
    server.kill()
    server.wait()
    deadline = time.monotonic() + 20
    with contextlib.suppress(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            time.sleep(0.1)
        raise AssertionError("JupyterLab still listens")


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from cargo_runbook.cli.main import main; main()", "notebook"]
        options = ["--no-browser", "--port", port, "--reports", str(tmp_path)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
    assert not list(tmp_path.iterdir())
