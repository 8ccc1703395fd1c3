"""What is built is whole: a wheel that works anywhere without the project's folder, an sdist to build and test from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.test_project import ROOT, locked, same_name, tracked

pytestmark = pytest.mark.slow

HOOKS = "import sys, setuptools.build_meta as hooks; print(getattr(hooks, sys.argv[1])(sys.argv[2]))"
PACKAGES = ("cargo_runbook", "cargo_sandbox")


def build(folder: Path, hook: str, to: Path) -> Path:
    """Calls a hook of the build backend (PEP 517) as pip does, but for an environment of its own."""
    to.mkdir(exist_ok=True)
    argv = [sys.executable, "-c", HOOKS, hook, str(to)]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return to / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    for file in tracked():
        place = source / file.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
    (source / "cargo_runbook" / "runbooks").unlink(missing_ok=True)
    (source / "cargo_runbook" / "runbooks").symlink_to("../runbooks")
    return build(source, "build_sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the unpacked sdist, as an installer builds it."""
    return build(unpacked, "build_wheel", tmp_path_factory.mktemp("wheel"))


def needed(wheel: Path) -> dict[str, metadata.Distribution]:
    """What the wheel itself asks for, with all that this asks for in turn: the projects as the tests have them installed."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        asked = metadata.PathDistribution(zipfile.Path(archive, name.rpartition("/")[0] + "/")).requires
    found: dict[str, metadata.Distribution] = {}
    waiting, seen = [(each, "") for each in asked or ()], set()
    while waiting:
        if (each := waiting.pop()) in seen:
            continue
        seen.add(each)
        wanted = Requirement(each[0])
        if wanted.marker is None or wanted.marker.evaluate({"extra": each[1]}):
            there = found.setdefault(same_name(wanted.name), metadata.distribution(wanted.name))
            waiting += [(text, extra) for text in there.requires or () for extra in ("", *wanted.extras)]
    return found


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cargo-runbook` of an empty environment that has the wheel and what it asks for, as the lock has it, and nothing else.

    The files are links to those that the tests have, which `tools/setup.sh` has installed from the lock with its hashes: pip
    would need minutes to install them again.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for each in needed(wheel).values():
        link(each, packages)
    # Without --isolated and the like: nothing is fetched.
    argv = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run([*argv, "--ignore-installed", str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "bin" / "cargo-runbook"


def link(project: metadata.Distribution, packages: Path) -> None:
    for file in project.files or ():
        # Programs belong to the interpreter that they were installed for.
        if "bin" in file.parts[:5] and file.parts[0] == "..":
            continue
        place = Path(os.path.normpath(packages / file))
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            place.symlink_to(Path(os.path.normpath(str(project.locate_file(file)))))


def test_what_the_wheel_asks_for_is_installed_in_the_versions_of_the_lock(wheel: Path) -> None:
    versions, found = locked(), needed(wheel)
    assert len(found) > 60
    assert {name: there.version for name, there in found.items() if there.version not in versions.get(name, ())} == {}
    # Of the extras, nothing: pytest and mkdocs are not needed to run it.
    assert {"pytest", "mkdocs-material", "distributed", "mypy"} & set(found) == set()


def call(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CARGO_", "PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=180
    )


def test_the_sdist_has_every_file_of_the_project(unpacked: Path) -> None:
    there = {str(file.relative_to(unpacked)) for file in unpacked.rglob("*") if file.is_file()}
    assert sorted({str(file.relative_to(ROOT)) for file in tracked()} - there) == []


def test_the_wheel_has_every_file_of_the_packages_and_the_notebooks_and_nothing_else(wheel: Path) -> None:
    wanted = {str(file.relative_to(ROOT)) for file in tracked() if file.relative_to(ROOT).parts[0] in PACKAGES}
    notebooks = [file.name for file in tracked() if file.suffix == ".ipynb" and file.parent == ROOT / "runbooks"]
    wanted |= {f"cargo_runbook/runbooks/{name}" for name in notebooks}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == wanted


def test_the_installed_command_is_the_wheels_own_and_shows_its_help(program: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(program.parent / "python"), "-c", "import cargo_runbook as c, cargo_sandbox as s; print(c.__file__, s.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(str(program.parents[1]) in each for each in where.stdout.split())
    for arguments in (("--help",), ("sandbox", "--help"), ("sandbox", "up", "--help"), ("demo", "--help")):
        done = call(program, tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: cargo-runbook")


def test_from_any_folder_the_wheel_finds_recordings_notebooks_and_faults(program: Path, tmp_path: Path) -> None:
    done = call(program, tmp_path, "diagnose", "--env", "cargo", "--replay", "wrong-domain", "--json")
    assert (done.returncode, json.loads(done.stdout)["root_causes"]) == (1, ["CRG201"])
    done = call(program, tmp_path, "run", "20_wrong_domain", "--env", "cargo", "--replay", "wrong-domain", "--json")
    assert (done.returncode, json.loads(done.stdout)["root_causes"]) == (1, ["CRG201"]), done.stderr
    assert call(program, tmp_path, "records", "verify").returncode == 0
    done = call(program, tmp_path, "shell-commands", "20", "--env", "cargo", "--replay", "wrong-domain")
    assert "docker exec tengine cat /etc/hosts" in done.stdout
    done = call(program, tmp_path, "sandbox", "faults", "--json")
    assert "wrong-domain" in [fault["name"] for fault in json.loads(done.stdout)]
    done = call(program, tmp_path, "env", "init", "prod-1")
    assert (done.returncode, (tmp_path / "environments" / "prod-1.yaml").exists()) == (0, True)


def test_the_sandbox_finds_what_its_machines_are_made_of_in_the_wheel(program: Path, tmp_path: Path) -> None:
    look = (
        "from pathlib import Path; from cargo_sandbox import requirements; from cargo_sandbox.material import installation\n"
        "from cargo_sandbox.faults.catalog import faults\n"
        "print(len(requirements.can_run()) >= 0, (Path(installation.__file__).parent / 'template').is_dir(), len(faults()))"
    )
    done = subprocess.run(
        [str(program.parent / "python"), "-c", look], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.split()
    assert told[:2] == ["True", "True"]
    assert int(told[2]) > 40
