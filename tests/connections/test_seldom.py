"""What paramiko imports and a look does not need."""

from __future__ import annotations

import subprocess
import sys

PUT_OFF = """
import io, sys
import cargo_runbook.connections
assert "unittest.mock" not in sys.modules, "invoke was loaded at once"
import paramiko
found = paramiko.SSHConfig.from_file(io.StringIO('Match exec "true"\\n  User seen\\n')).lookup("host")
print(found["user"], "unittest.mock" in sys.modules)
"""


def test_invoke_is_loaded_by_a_match_exec_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", PUT_OFF], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == ["seen", "True"]
