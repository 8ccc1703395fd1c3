"""20_wrong_domain as an engineer steps through it: JupyterLab on operator in a real browser, from the symptom to the
sealed record, with everything on the way that goes otherwise than planned."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.jupyterlab import SECONDS, Notebook, chromium, misread, unreached, window
from tests.waiting import until

pytestmark = [pytest.mark.sandbox, pytest.mark.browser, pytest.mark.slow]

playwright = pytest.importorskip("playwright.sync_api")
REPORTS = "/tmp/lab"
CONFIG = "/compass/cargo-ansible/cargo/config/registry/config.yml"
SYMPTOM = (
    'Error response from daemon: Get "https://cargo.caicloudprivatetest.com/v2/": Get "https://old-cargo.'
    'caicloudprivatetest.com/service/token?service=harbor-registry": dial tcp: lookup old-cargo.caicloudprivatetest.com: '
    "no such host"
)


@pytest.fixture
def lab(sandbox: Any) -> Iterator[str]:
    """JupyterLab on operator, with an empty archive; its address there."""
    sandbox.run("rm", "-rf", REPORTS)
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

    pid = machine_pid(state_folder(sandbox.name), "operator")
    start = tmp_path / "browser"
    start.write_text(f'#!/bin/sh\nexec nsenter -t {pid} -n -- {chromium()} "$@"\n')
    start.chmod(0o755)
    return str(start)


def diagnosed(sandbox: Any) -> tuple[int, list[str]]:
    done = sandbox.run("cargo-runbook", "diagnose", "--env", "cargo", "--json")
    return done.returncode, json.loads(done.stdout)["root_causes"]


def kept(sandbox: Any, record: str, file: str) -> str:
    return str(sandbox.run("bash", "-c", f"cat {REPORTS}/*/*/*/{record}/{file}").stdout)


def readers(sandbox: Any) -> bool:
    """Whether somebody reads the file on the Cargo host."""
    return bool(sandbox.on("cargo", "pgrep", "-f", f"cat .*{CONFIG}").returncode == 0)


@contextmanager
def endless(notebook: Notebook, sandbox: Any) -> Iterator[None]:
    """A file that never comes to its end, as on storage that hangs, and a step that reads it."""
    sandbox.on("cargo", "sh", "-c", f"mv {CONFIG} {CONFIG}.away && mkfifo {CONFIG}")
    try:
        notebook.button("Run all checks").click()
        until(lambda: readers(sandbox), told=lambda: "the step has no process on the Cargo host")
        yield
    finally:
        # Whoever still reads it, because its client was killed, comes to its end.
        sandbox.on("cargo", "sh", "-c", f"timeout 1 sh -c ': > {CONFIG}'; rm {CONFIG} && mv {CONFIG}.away {CONFIG}")


def stop_a_long_step(notebook: Notebook, sandbox: Any) -> None:
    """The step is stopped, and its reader ends there."""
    with endless(notebook, sandbox):
        notebook.button("Stop").first.click()
        notebook.page.locator(".crb-checks", has_text="stopped; what ran until then is kept").wait_for(
            timeout=15 * SECONDS
        )
        assert not readers(sandbox), "it ended with the step"


def test_an_engineer_steps_from_the_symptom_to_the_sealed_record(sandbox: Any, lab: str, browser: str) -> None:
    sandbox.break_("wrong-domain")
    try:
        assert re.match(r"http://127\.0\.0\.1:\d+/lab/tree/", lab), lab
        with window(browser) as page:
            notebook = Notebook(page, lab, "20_wrong_domain")
            notebook.until(".crb-panel textarea").fill(SYMPTOM)
            page.get_by_label("Incident").fill("INC-7")
            page.keyboard.press("Tab")
            page.locator("[data-cause]:not([data-cause=''])").wait_for(timeout=10 * SECONDS)
            notebook.picture("symptom", page.locator(".crb-panel", has=page.locator("textarea")).first)
            notebook.at(page.locator(".jp-Cell", has_text="choose_environment(environment").first)

            target = notebook.until(".crb-target")
            assert "SANDBOX" in target.inner_text()
            assert "SHA256:" in target.inner_text(), "the host key that is known stands there before anything is asked"
            notebook.button("English").click()
            notebook.picture("target", page.locator(".crb-panel", has=page.locator(".crb-target")).first)
            notebook.at(page.locator(".jp-Cell", has_text="chosen.value").first)
            notebook.until(".crb-checks")
            stop_a_long_step(notebook, sandbox)
            notebook.button("Run all checks").click()
            page.locator("tr[data-step=verdict]", has_text="CRG201").wait_for(timeout=60 * SECONDS)
            notebook.picture("checks", page.locator(".crb-panel", has=page.locator(".crb-checks")).first)

            # Frozen: the cell shows what was found then, and asks nobody.
            notebook.at("Who writes the challenge")
            ran = notebook.until(".jp-Cell:has(.crb-step[data-check=emitter]) .crb-ran")
            stamp = ran.inner_text()
            assert "not run again" in stamp
            notebook.at("Who writes the challenge")
            notebook.next()
            notebook.next()
            assert ran.inner_text() == stamp
            notebook.at("Which domain stands where")
            notebook.picture("step", notebook.until(".crb-step[data-check=domains]"))

            # A tab that is loaded again in the middle loses nothing: kernel, results and what was chosen are there.
            page.keyboard.press("Control+s")
            page.wait_for_timeout(1500)
            page.reload()
            notebook.opened()
            page.locator(".crb-step[data-check=domains]").first.wait_for(timeout=30 * SECONDS)
            notebook.at("Verdict")
            card = notebook.until(".crb-verdict [data-code=CRG201]")
            assert "Wrong domain in the challenge" in card.inner_text()
            notebook.picture("verdict", page.locator(".crb-verdict").first)
            notebook.picture("path", page.locator(".crb-path").first)

            notebook.at("What to do: three methods")
            panel = notebook.until(".crb-fix")
            assert "CHANGES" in panel.inner_text()
            assert "restart" in panel.inner_text()
            name, button = page.get_by_placeholder("cargo", exact=True), notebook.button("Apply")
            name.fill("crago")
            name.press("Tab")
            page.get_by_text("crago is not cargo: nothing is changed").wait_for(timeout=10 * SECONDS)
            assert button.is_disabled(), "a mistyped name confirms nothing"
            assert diagnosed(sandbox) == (1, ["CRG201"]), "the plan alone changes nothing"
            notebook.picture("plan", page.locator(".crb-panel", has=page.locator(".crb-fix")).first)
            assert unreached(page) == []
            assert misread(page, "plan", ".crb-panel:has(.crb-fix)", ".crb-diff", ".crb-verdict", least=200) == {}

            # Concluded before the fix, as Run All does it: the fix gets into a record all the same.
            notebook.at("Notes and record")
            notebook.next()
            notebook.next()
            page.get_by_placeholder("Notes").fill("the domain was moved last week")
            page.keyboard.press("Tab")
            notebook.at(page.locator(".jp-Cell", has_text="section.conclude()").first)
            first = str(notebook.until(".crb-record").get_attribute("data-record"))
            # With the keys alone: the name, a reason that nobody has to give here, and the button.
            name.fill("cargo")
            name.press("Tab")
            page.keyboard.type("moved back")
            page.locator("button:enabled", has_text="Apply").wait_for(timeout=10 * SECONDS)
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.locator(".crb-fix[data-proof=proven]").wait_for(timeout=120 * SECONDS)
            notebook.picture("proof", page.locator(".crb-fix").first)
            for each in page.locator(".crb-fix summary").all():
                each.press("Enter")
            assert unreached(page) == []
            assert misread(page, "proof", ".crb-panel:has(.crb-fix)", ".crb-tries", ".crb-ran", least=200) == {}
            assert diagnosed(sandbox) == (0, [])
            second = page.locator(f".crb-record:not([data-record='{first}'])")
            second.wait_for(timeout=10 * SECONDS)
            last = str(second.get_attribute("data-record"))
            notebook.picture("conclude", second)

            # What was found before the change says so, in the language that is chosen now.
            assert "from before the change" in page.locator(".jp-Cell:has(.crb-verdict) .crb-ran").inner_text()
            notebook.at("Wrong domain: docker login")
            notebook.button("中文").click()
            page.get_by_role("heading", name="结论").wait_for(timeout=10 * SECONDS)
            assert page.get_by_role("heading", name="Verdict").count() == 0
            assert "Wrong domain in the challenge" not in card.inner_text()
            assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
        assert "the domain was moved last week" in kept(sandbox, first, "note.json")
        assert '"proof": "proven"' in kept(sandbox, last, "changes/*/journal.jsonl"), "what was done is in a record"
        assert json.loads(kept(sandbox, first, "record.json"))["incident"] == "INC-7"
        assert '"interrupted"' in kept(sandbox, first, "ledger.jsonl"), "what was stopped is not called done"
        verified = sandbox.run("cargo-runbook", "records", "verify", "--reports", REPORTS)
        assert verified.returncode == 0, verified.stdout
    finally:
        sandbox.heal("wrong-domain")
    assert diagnosed(sandbox) == (0, [])


def test_a_kernel_that_is_killed_during_a_step_leaves_a_true_record_and_the_notebook_goes_on(
    sandbox: Any, lab: str, browser: str
) -> None:
    with window(browser) as page:
        notebook = Notebook(page, lab, "20_wrong_domain")
        notebook.until(".crb-checks")
        with endless(notebook, sandbox):
            sandbox.on("operator", "pkill", "-KILL", "-f", "kernel-.*[.]json")
            page.get_by_text("appears to have died").wait_for(timeout=30 * SECONDS)
            page.get_by_role("button", name="Ok").click()
            notebook.idle()
        assert sandbox.run("cargo-runbook", "records", "list", "--reports", REPORTS, "--json").stdout.strip() == "[]"

        # As one does it then: from the top, cell by cell.
        notebook.at(page.locator(".jp-NotebookPanel .jp-Cell").first)
        left = notebook.until(".crb-ran:has-text('a kernel that ended had left')").inner_text()
        notebook.until(".crb-step[data-check=emitter]")
    (record,) = json.loads(sandbox.run("cargo-runbook", "records", "list", "--reports", REPORTS, "--json").stdout)
    assert record["record"] in left
    assert (record["status"], record["root_causes"]) == ("failed", [])
    entries = [json.loads(line) for line in kept(sandbox, record["record"], "ledger.jsonl").splitlines()]
    assert "end" not in [entry["entry"] for entry in entries if "cell" in entry], "no step is called done"
    verified = sandbox.run("cargo-runbook", "records", "verify", "--reports", REPORTS)
    assert verified.returncode == 0, verified.stdout
