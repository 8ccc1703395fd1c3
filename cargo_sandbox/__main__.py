"""`python -m cargo_sandbox`: the sandbox without the rest of the command line."""

from __future__ import annotations

import sys

from cargo_runbook.errors import RunbookError
from cargo_sandbox.cli import app

if __name__ == "__main__":
    try:
        app(prog_name="cargo-runbook sandbox")
    except RunbookError as error:
        print(f"cargo-runbook: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
