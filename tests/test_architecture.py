"""The architecture can be read from the folders: who may import whom, and who may touch the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cargo_runbook"

# One direction of flow: a floor may import those before it, and itself.
FLOORS = (
    "inventory",
    "connections",
    "facts",
    "probes",
    "rules",
    "symptoms",
    "steps",
    "remedies",
    "views",
    "archive",
    "pages",
    "execution",
    "shell",
    "workstation",
    "cli",
)
ARCHIVE_FLOORS = (
    "files",
    "places",
    "ledger",
    "record",
    "sealing",
    "keeping",
    "index",
    "reading",
    "sharing",
    "incident",
)
PURE = ("facts", "rules", "symptoms")
WORLD = {
    "socket",
    "ssl",
    "subprocess",
    "paramiko",
    "httpx",
    "httpcore",
    "dns",
    "requests",
    "urllib.request",
    "time",
    "os",
}
HOST_LIBRARIES = {"paramiko", "httpx", "httpcore", "dns"}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def names(path: Path, wanted: set[str]) -> set[str]:
    return {w for name in imports(path) for w in wanted if name == w or name.startswith(f"{w}.")}


@pytest.mark.parametrize("path", modules(PACKAGE), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_package_never_imports_the_sandbox(path: Path) -> None:
    assert not names(path, {"cargo_sandbox"})


@pytest.mark.parametrize("floor", PURE)
def test_facts_and_rules_touch_nothing(floor: str) -> None:
    for path in modules(PACKAGE / floor):
        assert not names(path, WORLD), path
        assert not names(path, {"cargo_runbook.connections", "cargo_runbook.probes", "cargo_runbook.inventory"}), path
        source = path.read_text(encoding="utf-8")
        assert "datetime.now" not in source, path
        assert "open(" not in source, path


def test_only_connections_reach_hosts() -> None:
    for path in modules(PACKAGE):
        if "connections" not in path.parts:
            assert not names(path, HOST_LIBRARIES), path


def test_rules_never_see_a_connection() -> None:
    for path in modules(PACKAGE / "rules"):
        assert not names(path, {"cargo_runbook.observations", "cargo_runbook.connections"}), path


def test_data_flows_one_way() -> None:
    for place, floor in enumerate(FLOORS):
        later = {f"cargo_runbook.{name}" for name in FLOORS[place + 1 :]}
        for path in modules(PACKAGE / floor):
            assert not names(path, later), path


def test_the_archive_flows_one_way_too() -> None:
    archive = PACKAGE / "archive"
    places = {path.stem for path in archive.iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert places == set(ARCHIVE_FLOORS)
    for place, floor in enumerate(ARCHIVE_FLOORS):
        later = {f"cargo_runbook.archive.{name}" for name in ARCHIVE_FLOORS[place + 1 :]}
        for path in [*archive.glob(f"{floor}.py"), *modules(archive / floor)]:
            assert not names(path, later), path


def test_modules_stay_small() -> None:
    large = {str(p.relative_to(ROOT)): n for p in modules(PACKAGE) if (n := len(p.read_text().splitlines())) > 300}
    assert large == {}
