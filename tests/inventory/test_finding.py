"""Which environment is meant: by its name, by a pattern, by a domain; and which inventory."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from cargo_runbook.errors import InventoryError, UnknownEnvironment, UsageError
from cargo_runbook.inventory import loader
from cargo_runbook.inventory.loader import (
    environment_of_domain,
    find_inventory,
    inventory_folder,
    load_environment,
    select,
)
from cargo_runbook.inventory.models import Environment
from tests.inventory.files import GOOD


def test_one_environment_is_found_without_a_list_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of ten thousand loads each; with a list for each it would look at a hundred million names."""
    (folder / "prod-1.yml").write_text(GOOD, "utf-8")

    def refuse(path: Path) -> NoReturn:
        raise AssertionError(f"{path} was listed")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert load_environment("prod-1", folder).name == "prod-1"


def test_an_unknown_environment_is_answered_with_near_names(folder: Path) -> None:
    (folder / "prod-1.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(UnknownEnvironment) as caught:
        load_environment("prod1", folder)
    assert str(caught.value) == f'no environment is called "prod1" in {folder}\n  Did you mean prod-1?'
    with pytest.raises(UnknownEnvironment, match=r"There are: prod-1"):
        select(folder, ["zzz*"])


def test_of_very_many_environments_the_first_are_named(folder: Path) -> None:
    for number in range(300):
        (folder / f"prod-{number:03}.yaml").touch()
    with pytest.raises(UnknownEnvironment) as caught:
        load_environment("zzz", folder)
    step = str(caught.value).splitlines()[1]
    assert step.startswith("  There are 300: prod-000, prod-001, ")
    assert "prod-019 …   All of them: cargo-runbook env list" in step
    assert "prod-020" not in step


def test_the_environment_of_a_domain_is_found_and_only_files_that_name_it_are_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, domain in (("a", "a.example.com"), ("b", "B.example.com"), ("c", "c.example.com\nport: 8443")):
        (folder / f"{name}.yaml").write_text(GOOD.replace("cargo.example.com", domain), "utf-8")
    (folder / "0-wrong.yaml").write_text("domain: [a.example.com b.example.com c.example.com", "utf-8")
    opened = []

    def load(name: str, folder: Path) -> Environment:
        opened.append(name)
        return load_environment(name, folder)

    monkeypatch.setattr(loader, "load_environment", load)
    found = {domain: environment_of_domain(domain, folder) for domain in ("b.EXAMPLE.com", "c.example.com:8443", "no")}
    assert {domain: other.name if other else "" for domain, other in found.items()} == {
        "b.EXAMPLE.com": "b",
        "c.example.com:8443": "c",
        "no": "",
    }
    assert opened == ["0-wrong", "b", "0-wrong", "c"]


@pytest.mark.parametrize("name", ["../prod-1", "prod-1.yaml", "", ".", "/etc/passwd", "\x00"])
def test_a_name_never_leads_out_of_the_inventory(folder: Path, name: str) -> None:
    (folder.parent / "prod-1.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(UnknownEnvironment):
        load_environment(name, folder)


def test_an_environment_described_twice_is_refused(folder: Path) -> None:
    for suffix in ("yaml", "yml"):
        (folder / f"a.{suffix}").write_text(GOOD, "utf-8")
    with pytest.raises(InventoryError, match=r"^environments/a.yaml: a is described twice, by a.yml too$"):
        load_environment("a", folder)


def test_the_inventory_is_the_option_then_the_variable_then_here_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    users = tmp_path / "config" / "cargo-runbook" / "environments"
    variables = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert inventory_folder(None, variables) == Path("environments")
    users.mkdir(parents=True)
    assert inventory_folder(None, variables) == users
    (tmp_path / "environments").mkdir()
    assert inventory_folder(None, variables) == Path("environments")
    named = {**variables, "CARGO_RUNBOOK_INVENTORY": "/srv/inventory"}
    assert inventory_folder(None, named) == Path("/srv/inventory")
    assert inventory_folder(Path("mine"), named) == Path("mine")


def test_an_inventory_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder\n  Write a first file with: cargo-runbook env init NAME"):
        find_inventory(tmp_path / "none")
