"""Which real parts this machine has: tests that need a missing one are named at the end, and are an error under CI.

`services` takes the programs that a test starts: `@pytest.mark.services("sshd")`; without any, all of SERVICES.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from cargo_runbook.pasteable import forget
from cargo_runbook.redaction.held import Held
from tests.practice import (  # noqa: F401 - fixtures for all tests
    cluster_sandbox,
    running_cluster,
    running_sandbox,
    sandbox,
    state_of_sandboxes,
)

ROOT = Path(__file__).parents[1]
SERVICES = ("sshd", "nginx", "dnsmasq")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Packages of the sandbox's list that only some of its tests need.
LATER = ("tests", "kubernetes")
NOT_HERE = "not here: "
_SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
_last_words = pytest.StashKey[str]()

# How long an example takes depends on the machine and on what else it does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _no_folders_of_another_command_line() -> None:
    """What a test before gave on a command line is not repeated in the commands that this one prints."""
    forget()


def program(name: str) -> str | None:
    """Where a program is; an ordinary user's PATH leaves out the folders of servers."""
    return shutil.which(name, path=_SYSTEM_PATH)


def _absent(*programs: str) -> str:
    missing = [name for name in programs if program(name) is None]
    return f"{', '.join(missing)} not installed" if missing else ""


@cache
def why_no_sandbox() -> str:
    """Why the sandbox can't run on this machine; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux"
    if os.geteuid() != 0:
        return "the sandbox needs root"
    listed = (ROOT / "cargo_sandbox" / "debian-packages.txt").read_text("utf-8").splitlines()
    entries = [line.split("#")[0].split() for line in listed]
    if absent := _absent(*(entry[1] for entry in entries if entry and entry[-1] not in LATER)):
        return absent
    probe = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    made = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    return "" if made else "namespaces are not allowed here"


@cache
def why_no_cluster() -> str:
    """Why the sandbox can't have a cluster on this machine; empty when it can."""
    from cargo_sandbox.cluster.build import find
    from cargo_sandbox.paths import cache_folder
    from cargo_sandbox.requirements import missing_packages

    if missing := missing_packages("kubernetes"):
        return f"{', '.join(missing)} not installed"
    return why_no_sandbox() or ("" if find(cache_folder()) else "make kubernetes has not run")


def why_no_clean_root() -> str:
    """Why no newcomer can be played on this machine; empty when that is possible."""
    from tests.docs.clean_root import why_none

    return why_no_sandbox() or why_none()


def why_not(name: str, programs: tuple[str, ...] = SERVICES) -> str:
    """Why what a marker stands for can't be used on this machine; empty when it can."""
    if name == "sandbox":
        return why_no_sandbox()
    if name == "cluster":
        return why_no_cluster()
    if name == "clean_root":
        return why_no_clean_root()
    if name == "services":
        return _absent(*programs)
    if name == "browser":
        return "" if any(program(name) for name in BROWSERS) else "chromium not installed"
    return ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing: set[str] = set()
    for item in items:
        for marker in item.iter_markers():
            if reason := why_not(marker.name, marker.args or SERVICES):
                missing.add(f"{marker.name} ({reason})")
                item.add_marker(pytest.mark.skip(reason=f"{NOT_HERE}{marker.name} ({reason})"))
                break
    if missing and os.environ.get("CI") == "true":
        raise pytest.UsageError(f"CI=true, and these tests can't run: {'; '.join(sorted(missing))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """How the sandbox got on is part of the failure of a test that used it."""
    report = yield
    if report.when == "call" and report.failed and item.get_closest_marker("sandbox"):
        report.sections.append(("The sandbox", state_of_sandboxes()))
    return report


def pytest_report_header() -> str:
    answers = {name: why_not(name) for name in ("services", "sandbox", "cluster", "browser", "clean_root")}
    return "real parts: " + ", ".join(
        f"{name} {'no: ' + reason if reason else 'yes'}" for name, reason in answers.items()
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(
        str(report.longrepr[2]).partition(NOT_HERE)[2]
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NOT_HERE in report.longrepr[2]
    )
    told = "; ".join(f"{count} of {reason}" for reason, count in sorted(reasons.items()))
    words = f"Not run on this machine: {told}." if told else ""
    terminalreporter.config.stash[_last_words] = words


def pytest_unconfigure(config: pytest.Config) -> None:
    # After pytest's own last line, so that nobody overlooks it.
    if words := config.stash.get(_last_words, ""):
        print(words)


@pytest.fixture(autouse=True)
def _secrets_of_no_other_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Secret held in another test is not known in this one."""
    monkeypatch.setattr("cargo_runbook.secret.HELD", Held())
