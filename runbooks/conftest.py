"""`pytest --nbval-lax runbooks`: every runbook runs from top to bottom, and its verdict is what `expected.yml` says.

Runbooks are kept without outputs, so that nobody takes an old verdict for today's; what the verdict cells must give on
a healthy installation stands beside them. Where there is no inventory, they run on the recording of a healthy one.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from nbformat.v4 import new_output
from ruamel.yaml import YAML

from cargo_runbook.inventory.loader import inventory_folder
from cargo_runbook.recordings import HEALTHY, REPLAY_VARIABLE
from cargo_runbook.views.notebook import VERDICT_TYPE

CHECKED = "nbval-check-output"
EXPECTED = YAML(typ="safe").load(Path(__file__).with_name("expected.yml").read_text("utf-8"))


def pytest_configure(config: pytest.Config) -> None:
    if REPLAY_VARIABLE not in os.environ and not inventory_folder().is_dir():
        os.environ[REPLAY_VARIABLE] = HEALTHY
    # Trials are no incidents: their records go away with them.
    scratch = tempfile.TemporaryDirectory(prefix="cargo-runbook-reports-")
    config.add_cleanup(scratch.cleanup)
    os.environ["CARGO_RUNBOOK_REPORTS"] = scratch.name


def pytest_itemcollected(item: pytest.Item) -> None:
    cell = getattr(item, "cell", None)
    if cell is None or CHECKED not in cell.metadata.get("tags", ()):
        return
    # Texts hold times and evidence ids; what is compared is the verdict itself.
    item.parent.skip_compare = (*item.parent.skip_compare, "text/plain", "text/html")  # type: ignore[union-attr]
    verdict = EXPECTED[item.path.stem]
    cell.execution_count = 1
    cell.outputs = [new_output("execute_result", data={VERDICT_TYPE: verdict})]
