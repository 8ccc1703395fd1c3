"""Kubernetes' programs in the cache: only a whole build counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cargo_sandbox.cluster import build
from cargo_sandbox.errors import SandboxFailed
from cargo_sandbox.progress import BUILD, shown_progress
from cargo_sandbox.requirements import Package, packages

GO_VERSION = "1.19.8-2"
MAKEFILE = "all:\n\tmkdir -p _output/bin\n\tfor name in $(WHAT); do echo $$name; echo it >_output/$${{name/cmd/bin}}; {then}; done\n"


def finished(cache: Path, version: str, *, go_version: str = GO_VERSION) -> Path:
    folder = cache / build.key(version, go_version)
    folder.mkdir(parents=True)
    for program in build.PROGRAMS:
        (folder / program).touch()
    (folder / "build.json").write_text(json.dumps({"source_version": version, "go_version": go_version}))
    return folder


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the unpacked source package: a tree whose Makefile the test writes."""
    tree = tmp_path / "tree"
    tree.mkdir()
    monkeypatch.setattr(build, "_source", lambda work: ("1.20.2-1", tree))
    monkeypatch.setattr(build, "_compiler_version", lambda: GO_VERSION)
    monkeypatch.setattr(build, "missing_packages", lambda when: [])
    return tree


def makefile(source: Path, then: str = "true") -> None:
    (source / "Makefile").write_text("SHELL := bash\n" + MAKEFILE.format(then=then))


def test_nothing_is_found_in_an_empty_cache(tmp_path: Path):
    assert build.find(tmp_path / "nowhere") is None


def test_a_build_that_lacks_a_program_is_not_found(tmp_path: Path):
    folder = finished(tmp_path, "1.20.2-1")
    assert build.find(tmp_path) == build.Build(folder, "1.20.2-1", GO_VERSION)
    (folder / "kubelet").unlink()
    assert build.find(tmp_path) is None


def test_a_build_by_another_recipe_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    finished(tmp_path, "1.20.2-1")
    monkeypatch.setattr(build, "FLAGS", {"GOFLAGS": "-race"})
    assert build.find(tmp_path) is None


@pytest.mark.parametrize("other", [("1.20.2-2", GO_VERSION), ("1.20.2-1", "1.19.9-1")])
def test_versions_of_source_and_compiler_are_told_apart(other: tuple[str, str]):
    assert build.key(*other) != build.key("1.20.2-1", GO_VERSION)


def test_apts_sources_ask_for_source_packages_and_stay_the_same_otherwise(tmp_path: Path):
    machine = tmp_path / "apt"
    (machine / "sources.list.d").mkdir(parents=True)
    (machine / "sources.list").write_text(
        "# deb of old\ndeb [signed-by=/k.gpg] http://mirror.example/debian stable main\n"
    )
    (machine / "sources.list.d/a.sources").write_text(
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: stable\n"
    )
    (machine / "sources.list.d/b.list.disabled").write_text("deb http://off.example/ stable main\n")
    build.source_lists(tmp_path / "own", machine)
    made = {file.name: file.read_text() for file in (tmp_path / "own").iterdir()}
    assert made == {
        "sources.list": "# deb of old\ndeb-src [signed-by=/k.gpg] http://mirror.example/debian stable main\n",
        "a.sources": "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: stable\n",
    }


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "missing_packages", lambda when: ["jq", "rsync"])
    with pytest.raises(build.SandboxUnavailable, match="it needs the Debian packages jq rsync") as caught:
        build.require()
    assert "apt-get install --no-install-recommends jq rsync" in str(caught.value)


@pytest.mark.services("make", "nice")
def test_a_build_is_kept_whole_and_used_again(tmp_path: Path, source: Path):
    makefile(source)
    told: list[str] = []
    made = build.build(tmp_path / "cache", told.append)
    assert {file.name for file in made.folder.iterdir()} == {*build.PROGRAMS, "build.json"}
    assert told[0] == "source"
    assert [word for word in told if word.startswith("compiling")] != []
    assert [path.name for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")] == [made.folder.name]
    makefile(source, then="exit 1")
    assert build.build(tmp_path / "cache", told.append) == made


@pytest.mark.services("make", "nice")
def test_a_build_that_breaks_off_says_why_and_never_looks_finished(tmp_path: Path, source: Path):
    makefile(source, then="[[ $$name != cmd/kubelet ]] || { echo undefined: oops >&2; exit 1; }")
    with pytest.raises(SandboxFailed, match=r"undefined: oops"):
        build.build(tmp_path / "cache", lambda doing: None)
    assert (source / "_output/bin/kubelet").exists()
    assert build.find(tmp_path / "cache") is None
    makefile(source)
    assert build.build(tmp_path / "cache", lambda doing: None).source_version == "1.20.2-1"


def test_a_newer_source_replaces_the_older_build(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch):
    old = finished(tmp_path, "1.20.2-0", go_version="1.19.7-1")
    assert build.build(tmp_path, lambda doing: None).folder == old
    monkeypatch.setattr(build, "PROGRAMS", ("kubelet",))
    makefile(source)
    made = build.build(tmp_path, lambda doing: None)
    assert made.folder != old
    assert not old.exists()


def test_a_log_hears_of_every_tenth_of_a_build(capsys: pytest.CaptureFixture[str]):
    with shown_progress() as note:
        for percent in range(100):
            note(BUILD, f"compiling {percent:>3} %")
        note(BUILD, "ready")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:10] == [f"kubernetes  compiling {percent:>3} %" for percent in range(0, 100, 10)]
    assert lines[10].startswith("sandbox  kubernetes ✓")
    assert len(lines) == 11


def test_every_package_for_kubernetes_is_asked_for():
    needed = {package for package in packages() if package.when == "kubernetes"}
    assert Package("etcd-server", "etcd", "kubernetes") in needed
    assert Package("golang-1.19-go", f"{build.GO}/go", "kubernetes") in needed
