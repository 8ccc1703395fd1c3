"""Make the shipped recordings again, from a sandbox that is started for it: `make recordings` (root).

With names of faults (or `healthy`) only those: `python tools/make_recordings.py wrong-domain`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from cargo_runbook.errors import RunbookError
from cargo_sandbox.faults.catalog import faults
from cargo_sandbox.paths import state_folder
from cargo_sandbox.recording import record_all

NAME = f"recordings-{os.getpid()}"
SANDBOX = [sys.executable, "-m", "cargo_runbook", "sandbox"]


def _tell(state: str) -> None:
    print(f"recorded: {state}", file=sys.stderr)


def main(names: Sequence[str]) -> int:
    """Record every state (or those of `names`). Gives the exit code.

    What needs a cluster is recorded in a sandbox that has one, all else in one without.
    """
    needing = [fault.name for fault in faults() if fault.needs == "cluster" and (not names or fault.name in names)]
    plain = [name for name in names if name not in needing]
    if plain or not names:
        code = _record(plain)
        if code:
            return code
    return _record(needing, "--cluster") if needing else 0


def _record(names: Sequence[str], *options: str) -> int:
    """Start, record, stop."""
    started = subprocess.run([*SANDBOX, "up", "--name", NAME, *options], check=False)
    try:
        if started.returncode:
            return started.returncode
        folders = record_all(state_folder(NAME), _tell, names)
    except RunbookError as error:
        print(f"recordings: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        subprocess.run([*SANDBOX, "down", "--name", NAME], check=False)
    for folder in folders:
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
