"""The package's own data files, read by libyaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cargo_runbook.data import read_data

PACKAGE = Path(__file__).parents[1] / "cargo_runbook"
FILES = [path for path in sorted(PACKAGE.rglob("*.yml")) if "recordings" not in path.parts]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_data_file_says_the_same_to_yaml_1_1_and_1_2(path: Path) -> None:
    package = ".".join(path.parent.relative_to(PACKAGE.parent).parts)
    assert read_data(package, path.name) == YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
