"""Installations of their own that tests need, as `tools/beside.sh` has put them below the cache folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cargo_sandbox.paths import cache_folder


def python_with(name: str) -> Path:
    """The Python of one of them; where it has not been made, the test is left out, or fails where CI=true."""
    folder = cache_folder() / name
    if not (folder / "ready").exists():
        told = f"not here: {name} (tools/beside.sh has not run)"
        # A missing part is an error where a build server runs it.
        pytest.fail(told) if os.environ.get("CI") == "true" else pytest.skip(told)
    return folder / "bin" / "python"


def packages_with(name: str) -> Path:
    """The folder of packages of one of them, for PYTHONPATH."""
    return next(python_with(name).parents[1].glob("lib/python3.*/site-packages"))
