"""The computer itself: Python and its packages, the notebooks' kernel, the inventory, the place for records."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from cargo_runbook.errors import InventoryError, UsageError
from cargo_runbook.execution.runbooks import runbooks_folder
from cargo_runbook.inventory.loader import environment_names, find_inventory, load_environment
from cargo_runbook.inventory.models import Environment
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import Text
from cargo_runbook.workstation.check import Check, State, same

PACKAGE = "cargo-runbook"
LITTLE = 200 * 1024 * 1024
"""Bytes that should be free where records go; one takes about 200 KiB."""


def look_at_python() -> Check:
    """The interpreter and this package, and whether all that it needs is installed in a version that it takes."""
    wanted = [Requirement(text) for text in requires(PACKAGE) or ()]
    problems = [found for each in wanted if _applies(each) and (found := _problem(each))]
    said = f"cargo-runbook {version(PACKAGE)}, Python {sys.version.split()[0]} ({sys.executable})"
    if not problems:
        return Check("python", State.OK, same(said))
    told = ", ".join(problems)
    do = same(f"{sys.executable} -m pip install --upgrade {PACKAGE}")
    return Check("python", State.LACKS, Text(f"{said}; does not fit: {told}", f"{said}；不符合：{told}"), do)


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _problem(requirement: Requirement) -> str:
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} -"
    fits = requirement.specifier.contains(there, prereleases=True)
    return "" if fits else f"{requirement.name} {there} ({requirement.specifier})"


def look_at_kernel() -> Check:
    """Whether notebooks can run: a kernel of this interpreter, JupyterLab, the runbooks."""
    try:
        folder = runbooks_folder()
    except UsageError as error:
        return Check("notebooks", State.LACKS, same(error.what), same(error.next_step))
    absent = [name for name in ("ipykernel", "jupyterlab", "papermill") if find_spec(name) is None]
    if absent:
        told = ", ".join(absent)
        do = same(f"{sys.executable} -m pip install {' '.join(absent)}")
        return Check("notebooks", State.LACKS, Text(f"not installed: {told}", f"未安装：{told}"), do)
    count = len(list(folder.glob("*.ipynb")))
    seen = Text(
        f"{count} runbooks in {folder}, kernel of this Python",
        f"{folder} 中有 {count} 个 Runbook，使用当前 Python 的内核",
    )
    return Check("notebooks", State.OK, seen)  # fmt: skip


def look_at_archive(reports: Path) -> Check:
    """Whether a record could be written now: a file is made where records go, and removed."""
    there = next(each for each in (reports.absolute(), *reports.absolute().parents) if each.exists())
    do = Text(f"Choose another folder: --reports DIR, or make it writable: sudo chown {_me()} {there}",
              f"改用其他目录：--reports DIR，或使其可写：sudo chown {_me()} {there}")  # fmt: skip
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".cargo-runbook-doctor."):
            free = shutil.disk_usage(there).free
    except OSError as error:
        told = f"{there}: {error.strerror}"
        return Check("archive", State.LACKS, Text(f"can't be written: {told}", f"无法写入：{told}"), do)
    if free < LITTLE:
        mebibytes = free // (1024 * 1024)
        return Check("archive", State.NOTE, Text(f"{reports}: {mebibytes} MiB are free", f"{reports}：仅剩 {mebibytes} MiB"),
                     same("cargo-runbook records prune --help"))  # fmt: skip
    return Check("archive", State.OK, same(str(reports)))


def _me() -> str:
    return os.environ.get("USER", "") or str(os.getuid())


def look_at_inventory(inventory: Path | None) -> tuple[Check, tuple[Environment, ...]]:
    """Whether the environment files can be read and are right, and the environments of those that are."""
    try:
        folder = find_inventory(inventory)
    except UsageError as error:
        return Check("inventory", State.LACKS, same(error.what), same(pasteable("cargo-runbook env init NAME"))), ()
    names = environment_names(folder)
    if not names:
        seen = Text(f"{folder} has no environment file", f"{folder} 中没有环境文件")
        return Check("inventory", State.LACKS, seen, same(pasteable("cargo-runbook env init NAME"))), ()
    environments, wrong = [], []
    for name in names:
        try:
            environments.append(load_environment(name, folder))
        except InventoryError:
            wrong.append(name)
    if wrong:
        told = ", ".join(wrong)
        seen = Text(f"{folder}: mistakes in {told}", f"{folder}：{told} 有错误")
        return Check("inventory", State.LACKS, seen, same(pasteable("cargo-runbook env check"))), tuple(environments)
    count = len(environments)
    seen = Text(f"{count} environment files in {folder}", f"{folder} 中有 {count} 个环境文件")
    return Check("inventory", State.OK, seen), tuple(environments)


def look_at_terminal() -> Iterator[Check]:
    """Whether both languages can be shown."""
    encoding = (sys.stdout.encoding or "").lower()
    if encoding.replace("-", "") != "utf8":
        seen = Text(f"the terminal's encoding is {encoding or '?'}", f"终端编码为 {encoding or '?'}")
        yield Check("terminal", State.NOTE, seen, same("export LC_ALL=C.UTF-8"))
