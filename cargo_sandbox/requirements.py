"""What this computer needs to run the sandbox, and what of it is missing."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGES_FILE = Path(__file__).parent / "debian-packages.txt"
# Programs of the system administrator may be missing on an ordinary user's PATH.
SEARCH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
CLONE_NEWNS = 0x00020000


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


def missing_packages() -> list[str]:
    """Debian packages that the sandbox needs and that are not installed (browser tests apart)."""
    return [p.name for p in packages() if p.when != "browser-tests" and not p.installed]


def can_run() -> list[str]:
    """What is missing to run the sandbox here, each as part of a sentence; empty when it can run."""
    missing: list[str] = []
    if sys.platform != "linux":
        return ["Linux"]
    if os.geteuid() != 0:
        missing.append("root")
    elif not _may_unshare():
        missing.append("the right to make Linux namespaces (CAP_SYS_ADMIN)")
    absent = missing_packages()
    if absent:
        missing.append(f"the Debian packages {' '.join(absent)}")
    return missing


def _may_unshare() -> bool:
    """Whether this process may make a mount namespace; tried in a child, so that nothing changes here."""
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(0 if libc.unshare(CLONE_NEWNS) == 0 else 1)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0
