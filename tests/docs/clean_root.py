"""A bare Debian in namespaces of its own: no network but loopback, nothing installed, nothing of this computer but its devices.

`tools/clean-root.sh` has prepared its files; apt and pip find there what they would fetch, and git what is committed here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from cargo_sandbox.paths import cache_folder
from tests.docs.pages import Terminal

ROOT = Path(__file__).parents[2]
PREPARED = cache_folder() / "clean-root"
# Runs as pid 1 of the new namespaces; $1 is the folder of the root.
_ENTER = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
ip link set lo up
mkdir -p outside
pivot_root . outside
cd /root
umount -l /outside
shift
exec "$@"
"""


def why_none() -> str:
    """Why there is no clean root on this computer; empty when there is."""
    if not (ROOT / ".git").exists():
        return "the project is no clone"
    return "" if (PREPARED / "ready").exists() else "tools/clean-root.sh has not run"


def unpack(folder: Path) -> None:
    """Make the root in `folder`, which exists and is empty: sources of apt, pip and git lead to what was prepared."""
    suite = (PREPARED / "ready").read_text().split()[0]
    subprocess.run(["tar", "-C", folder, "-xf", PREPARED / f"{suite}.tar"], check=True)
    for name in ("debian", "wheels"):
        # Linked where both are on one disk: 0.5 GB less to copy.
        shutil.copytree(PREPARED / name, folder / "srv" / name, copy_function=_link_or_copy)
    (folder / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/debian ./\n")
    (folder / "etc/pip.conf").write_text(
        "[global]\nno-index = true\nfind-links = /srv/wheels\n[install]\nno-compile = true\n"
    )
    # As in Debian's own container images: a root that is thrown away needs no fsync for each file.
    (folder / "etc/dpkg/dpkg.cfg.d/throw-away").write_text("force-unsafe-io\n")
    clone = ["git", "-c", "safe.directory=*", "clone", "--quiet", "--bare", "--no-hardlinks", "--depth", "1"]
    subprocess.run([*clone, ROOT.as_uri(), folder / "srv/cargo-runbook.git"], check=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def enter(folder: Path) -> Terminal:
    """A root shell in it."""
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--mount-proc"]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        # Where the reader's team keeps the project: the page says so.
        "ADDRESS": "file:///srv/cargo-runbook.git",
        # Another sandbox of this computer with the same name must not be taken for this one.
        "CARGO_SANDBOX_STATE": f"/var/lib/cargo-sandbox-{folder.parent.name}",
    }
    return Terminal([*namespaces, "sh", "-c", _ENTER, "sh", str(folder)], cwd=Path("/"), environment=environment)
