"""Make the shipped recordings again, from a sandbox that is started for it: `make recordings` (root)."""

from __future__ import annotations

import subprocess
import sys

from cargo_runbook.errors import RunbookError
from cargo_sandbox.paths import state_folder
from cargo_sandbox.recording import record_all

NAME = "recordings"
SANDBOX = [sys.executable, "-m", "cargo_runbook", "sandbox"]


def main() -> int:
    """Start, record every state, stop. Gives the exit code."""
    started = subprocess.run([*SANDBOX, "up", "--name", NAME], check=False)
    try:
        if started.returncode:
            return started.returncode
        folders = record_all(state_folder(NAME), lambda state: print(f"recorded: {state}", file=sys.stderr))
    except RunbookError as error:
        print(f"recordings: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        subprocess.run([*SANDBOX, "down", "--name", NAME], check=False)
    for folder in folders:
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
