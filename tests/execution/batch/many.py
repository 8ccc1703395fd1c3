"""Many environments, and a notebook that reaches none of them but ends as each one's name says."""

from __future__ import annotations

from pathlib import Path

from tests.execution.notebooks import write_notebook

ENVIRONMENT = """\
stage: test
domain: {name}.example.com
image: library/tiny:1
hosts:
  - name: {name}-1
    address: {address}
accounts:
  - username: admin
    kind: admin
    password: env:NOT_ASKED_FOR
name_servers:
  - 192.0.2.53
"""

# What `conclude` leaves in a draft, without anybody being asked.
CONCLUDE = """\
import json, os
from pathlib import Path
kind = environment.split("-")[0]
status = {"fault": "fault", "unknown": "unknown"}.get(kind, "healthy")
verdict = {"environment": environment, "domain": "d", "status": status, "findings": [], "refuted": [], "untested": [],
           "root_causes": ["CRG201"] if status == "fault" else [], "replayed": "", "started": "", "seconds": 0.0}
Path(os.environ["CARGO_RUNBOOK_RECORD"], "verdict.json").write_text(json.dumps(verdict))
"""

# Before it: what may go wrong.
ACT = """\
import os, signal, time
from pathlib import Path
kind = environment.split("-")[0]
marks = Path({marks!r})
with (marks / environment).open("a") as mark:
    mark.write(f"{{os.getpid()}}\\n")
if kind == "waits":
    while not (marks / "go-on").exists():
        time.sleep(0.02)
if kind == "dies" and not (marks / "go-on").exists():
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "raises":
    raise ValueError("as its name says")
"""


def write_many(folder: Path, *names: str, body: str = "") -> tuple[Path, Path, Path]:
    """An inventory with these environments and a notebook; gives the notebook, the inventory, and the folder in which
    each run leaves a line with its pid."""
    inventory, marks = folder / "environments", folder / "marks"
    inventory.mkdir(parents=True, exist_ok=True)
    marks.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        address = f"198.51.{100 + number // 250}.{number % 250 + 1}"
        (inventory / f"{name}.yaml").write_text(ENVIRONMENT.format(name=name, address=address), encoding="utf-8")
    notebook = write_notebook(folder / "act.ipynb", ACT.format(marks=str(marks)) + body, CONCLUDE)
    return notebook, inventory, marks


def begun(marks: Path, name: str) -> int:
    """How often a run of that environment began."""
    path = marks / name
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
