"""What this computer needs to run the sandbox, and what of it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGES_FILE = Path(__file__).parent / "debian-packages.txt"
# Programs of the system administrator may be missing on an ordinary user's PATH.
SEARCH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


@dataclass(frozen=True)
class Package:
    """A Debian package, the program that proves its presence, and when it is needed ("": always)."""

    name: str
    program: str
    when: str = ""

    @property
    def installed(self) -> bool:
        return shutil.which(self.program, path=SEARCH) is not None


def packages() -> tuple[Package, ...]:
    """The packages listed in debian-packages.txt."""
    lines = [line.split() for line in PACKAGES_FILE.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(Package(*line) for line in lines)


def missing_packages(when: str = "") -> list[str]:
    """Debian packages that are not installed and that the sandbox needs always, or, with `when`, only then."""
    wanted = {when} if when else {"", "unless-kubectl"}
    return [p.name for p in packages() if p.when in wanted and not p.installed]


def can_run() -> list[str]:
    """What is missing to run the sandbox here, each as part of a sentence; empty when it can run."""
    missing: list[str] = []
    if sys.platform != "linux":
        return ["Linux"]
    if os.geteuid() != 0:
        missing.append("root")
    elif shutil.which("unshare") and not _may_unshare():
        missing.append("the right to make Linux namespaces (CAP_SYS_ADMIN)")
    absent = missing_packages()
    if absent:
        missing.append(f"the Debian packages {' '.join(absent)}")
    return missing


def _may_unshare() -> bool:
    argv = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "true"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
