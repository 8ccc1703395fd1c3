"""The project itself: the lock, the conda file, versions, and what must never be in a file of it."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
LOCKED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[0-9][^ ]*)(?P<marker> ; [^\\]+)? ?\\?$")
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[a-z,]+\])? ?(?P<bounds>[<>=!~].*)?$")


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def wanted() -> dict[str, str]:
    """All requirements of pyproject.toml, extras too: name -> bounds."""
    extras = project()["project"]["optional-dependencies"].values()
    return split([*project()["project"]["dependencies"], *[one for extra in extras for one in extra]])


def split(requirements: list[str]) -> dict[str, str]:
    found = {}
    for requirement in requirements:
        match = REQUIREMENT.match(requirement)
        assert match is not None, requirement
        found[same_name(match["name"])] = match["bounds"] or ""
    return found


def same_name(name: str) -> str:
    """A project's name in its normal form (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, list[str]]:
    """The versions of the lock by name; some have one for each range of Pythons."""
    versions: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        if not line.startswith("    --hash=sha256:"):
            match = LOCKED.match(line)
            assert match is not None, f"requirements.lock: {line}"
            versions.setdefault(same_name(match["name"]), []).append(match["version"])
    return versions


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project, as git has them; all of an unpacked archive where there is no git."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        return tuple(f for name in listed.stdout.decode().split("\0") if name and (f := ROOT / name).is_file())
    kept_out = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return tuple(f for f in ROOT.rglob("*") if f.is_file() and not kept_out & set(f.relative_to(ROOT).parts))


def test_the_lock_names_exact_versions_with_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert re.findall(r"https?:|file:|--index|--extra|--find|--trusted|@ ", text) == []
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert len(locked()) > 100


def test_the_lock_covers_everything_that_pyproject_asks_for() -> None:
    from packaging.specifiers import SpecifierSet

    versions = locked()
    missing = [name for name in wanted() if name not in versions]
    assert missing == [], "type: make lock"
    outside = [
        f"{name}=={version}"
        for name, bounds in wanted().items()
        for version in versions[name]
        if version not in SpecifierSet(bounds)
    ]
    assert outside == [], "type: make lock"


def test_the_conda_file_asks_for_the_same_as_pyproject() -> None:
    listed = YAML(typ="safe").load(ROOT / "environment.yml")["dependencies"]
    conda = split([one for one in listed if isinstance(one, str)])
    pip = split([one for group in listed if isinstance(group, dict) for one in group["pip"]])
    assert conda.pop("python") == project()["project"]["requires-python"]
    assert conda.pop("pip") == ""
    assert {**conda, **pip} == wanted()
    assert set(pip) == {"ahocorasick-rs", "playwright"}


def test_the_version_has_an_entry_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)[0] == project()["project"]["version"]


def test_notebooks_hold_no_output_and_no_count() -> None:
    notebooks = [file for file in tracked() if file.suffix == ".ipynb"]
    assert notebooks
    ran = [
        f"{file.name}, cell {number}"
        for file in notebooks
        for number, cell in enumerate(json.loads(file.read_text("utf-8"))["cells"], 1)
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]
    assert ran == [], "type: nbstripout NOTEBOOK"


@pytest.mark.parametrize(
    ("forbidden", "why"),
    [
        # Each written so that this file does not match itself.
        (r"-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----\s+[A-Za-z0-9+/]", "a private key"),
        (r"/wo[r]k/(main|shared)", "a folder of one machine"),
        (r"/ro[o]t/\.pyenv|/opt/py[p]i|/opt/wh[e]els", "a folder of one machine"),
        (
            r"(?i)pypi\.[o]rg|files\.python[h]osted|regi[s]try\.npm|[a-z]+\.debia[n]\.(?:org|example)",
            "the host of a package registry",
        ),
    ],
)
def test_no_file_of_the_project_holds(forbidden: str, why: str) -> None:
    found = []
    for file in tracked():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {match[0][:60]}" for match in re.finditer(forbidden, text)]
    assert found == [], why


def test_every_kind_of_data_file_of_the_packages_gets_into_the_wheel() -> None:
    patterns = project_data()
    left = []
    for file in tracked():
        package, *inside = file.relative_to(ROOT).parts
        if package in patterns and file.suffix != ".py":
            kinds = {pattern.rpartition("/")[2] for pattern in patterns[package]}
            if not kinds & {f"*{file.suffix}", inside[-1]}:
                left.append(str(file.relative_to(ROOT)))
    assert left == [], "package-data in pyproject.toml"


def project_data() -> dict[str, list[str]]:
    data: dict[str, list[str]] = project()["tool"]["setuptools"]["package-data"]
    return data


def test_every_shell_script_of_the_project_can_be_run_and_read() -> None:
    scripts = [file for file in tracked() if file.suffix == ".sh" and file.parent == ROOT / "tools"]
    scripts.append(ROOT / ".ci" / "run")
    for script in scripts:
        assert script.stat().st_mode & 0o111, f"{script.name} is not executable"
        assert "set -euo pipefail" in script.read_text("utf-8"), script.name
        subprocess.run(["bash", "-n", script], check=True)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [file for file in tracked() if file.suffix == ".md"]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert dead == []
