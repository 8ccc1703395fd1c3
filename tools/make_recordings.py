"""Make the shipped recordings again, from a sandbox that is started for it: `make recordings` (root).

With names of faults (or `healthy`) only those: `python tools/make_recordings.py wrong-domain`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from cargo_runbook.errors import RunbookError
from cargo_sandbox.paths import state_folder
from cargo_sandbox.recording import record_all

NAME = f"recordings-{os.getpid()}"
SANDBOX = [sys.executable, "-m", "cargo_runbook", "sandbox"]


def _tell(state: str) -> None:
    print(f"recorded: {state}", file=sys.stderr)


def main(names: Sequence[str]) -> int:
    """Start, record every state (or those of `names`), stop. Gives the exit code."""
    started = subprocess.run([*SANDBOX, "up", "--name", NAME], check=False)
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
