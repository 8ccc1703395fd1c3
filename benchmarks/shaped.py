"""A notebook that has the shape of a runbook, and environments to run it for; for benchmarks of batches.

Parameters, imports (pandas, paramiko, dnspython, httpx, ipywidgets), twelve cells that show a small frame, a verdict.
"""

from __future__ import annotations

import json
from pathlib import Path

PARAMETERS = 'environment = "cargo"\npause = 0.0'
IMPORTS = """\
import json
import os
import time
from pathlib import Path

import dns.resolver
import httpx
import ipywidgets
import pandas as pd
import paramiko
"""
STEP = """\
time.sleep(pause / 12)
look = pd.DataFrame(
    {
        "host": [f"host-{n:02d}.{environment}.example.com" for n in range(24)],
        "vantage": ["operator", "cargo host", "node", "container"] * 6,
        "seconds": [0.01 * n * STEP for n in range(24)],
        "status": ["ok", "fault", "unknown"] * 8,
        "answer": [f"203.0.113.{n}" for n in range(24)],
    }
)
slowest = look.groupby(["vantage", "status"], as_index=False).seconds.max()
counts = look.pivot_table(index="vantage", columns="status", values="host", aggfunc="count").reset_index()
look.merge(slowest, on=["vantage", "status"], suffixes=("", "_most")).merge(counts, on="vantage").sort_values("seconds")
"""
CONCLUDE = """\
verdict = {"environment": environment, "domain": "", "status": "healthy", "root_causes": [], "findings": [],
           "refuted": [], "untested": [], "replayed": "", "started": "", "seconds": 0.0}
if draft := os.environ.get("CARGO_RUNBOOK_RECORD"):
    Path(draft, "verdict.json").write_text(json.dumps(verdict))
"""
ENVIRONMENT = """\
stage: test
domain: {name}.example.com
image: library/tiny:1
hosts:
  - name: {name}-1
    address: 198.51.{high}.{low}
accounts:
  - username: admin
    kind: admin
    password: env:NOT_ASKED_FOR
name_servers:
  - 192.0.2.53
"""


def write_notebook(path: Path) -> None:
    """Writes the notebook; its parameter `pause` is how many seconds it waits in all."""
    sources = [PARAMETERS, IMPORTS, *(STEP.replace("STEP", str(step)) for step in range(1, 13)), CONCLUDE]
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [] if number else ["parameters"]},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    body = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    path.write_text(json.dumps(body), encoding="utf-8")


def write_inventory(inventory: Path, count: int) -> None:
    """Writes an inventory of so many environments, each with a host of its own."""
    inventory.mkdir(exist_ok=True)
    for number in range(count):
        text = ENVIRONMENT.format(name=site(number), high=100 + number // 250, low=number % 250 + 1)
        (inventory / f"{site(number)}.yaml").write_text(text, encoding="utf-8")


def site(number: int) -> str:
    """The name of an environment."""
    return f"site-{number:03d}"
