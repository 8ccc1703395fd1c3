"""The file of the host that a container sees as its /etc/hosts, so that nothing has to run in the container to read it.

docker keeps it and mounts it into the container. It is what the container sees only as long as that mount is the one in
force: an editor on the host that writes a new file in its place leaves the container with the old one, and a volume or the
container itself may have mounted another one there. The kernel's list of the container's mounts tells.
Source: proc(5), /proc/PID/mountinfo.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

QUESTION = ("cat", "/etc/hosts")
_MOST = 64 * 1024
_PATH = re.compile(r"(?:/[A-Za-z0-9_.-]+)+/containers/([0-9a-f]{64})/hosts")


@dataclass(frozen=True)
class HostsFile:
    """Where the hosts file of a running container stands on its host.

    Args:
        pid: of the container's first process, as the host numbers it.
        container: id of the container in whose folder it stands, which is another one's where they share a network.
    """

    pid: int
    path: str
    container: str

    @property
    def argv(self) -> tuple[str, ...]:
        """The command on the host that shows the mounts and the file."""
        return ("head", "-c", str(_MOST), self._mounts, self.path)

    @property
    def _mounts(self) -> str:
        return f"/proc/{self.pid}/mountinfo"

    def content(self, printed: bytes) -> bytes | None:
        """The file, out of what `argv` printed; None when the container may see another one, or it was cut."""
        mounts, found, content = printed.partition(f"\n==> {self.path} <==\n".encode())
        if not found or len(content) >= _MOST or len(mounts) >= _MOST:
            return None
        rows = [line.split() for line in mounts.decode("utf-8", "backslashreplace").splitlines()[1:]]
        over = [row[3] for row in rows if len(row) > 4 and row[4] in ("/etc", "/etc/hosts")]
        # A file that was replaced or removed since has `//deleted` at its end.
        return content if len(over) == 1 and over[0].endswith(f"/containers/{self.container}/hosts") else None


def hosts_file_of(inspected: Any) -> HostsFile | None:
    """Out of `docker inspect` of a container; None when it does not run, or dockerd says nothing of the kind."""
    state = inspected.get("State") if isinstance(inspected, Mapping) else None
    if not isinstance(state, Mapping) or state.get("Status") != "running":
        return None
    pid, path = state.get("Pid"), _PATH.fullmatch(str(inspected.get("HostsPath", "")))
    if not isinstance(pid, int) or pid <= 1 or path is None or "/../" in path[0] or "/./" in path[0]:
        return None
    return HostsFile(pid, path[0], path[1])
