"""How much room a folder of a container has, asked on its host, so that nothing has to run in the container to tell.

The host's `stat -f` asks the kernel about the very mount that the container has there, by the root folder that the kernel
shows of its first process. That only counts for a folder which docker mounted right below the container's root: on the way to
it there is no link of the container's, which would lead to a folder of the host.
Source: proc(5), /proc/PID/root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FOLDER = re.compile(r"/[A-Za-z0-9_-][A-Za-z0-9_.-]*")
# Numbers alone: a name would be another one on the host.
_NUMBERS = re.compile(r"%[Sbfacd]( %[Sbfacd])*")


@dataclass(frozen=True)
class Room:
    """A folder of a running container.

    Args:
        pid: of the container's first process, as the host numbers it.
        started: when it was started, as docker says it.
        form: what is to be told, as `stat -f -c` takes it.
        folder: as the container names it.
    """

    pid: int
    started: str
    form: str
    folder: str

    @property
    def argv(self) -> tuple[str, ...]:
        """The command on the host."""
        return ("stat", "-f", "-c", self.form, f"/proc/{self.pid}/root{self.folder}")


def room_of(question: tuple[str, ...], inspected: Any) -> Room | None:
    """Out of `docker inspect` of a container; None when it does not run, the folder is no mount, or more is asked."""
    match question:
        case ("stat", "-f", "-c", form, folder) if _NUMBERS.fullmatch(form) and _FOLDER.fullmatch(folder):
            pass
        case _:
            return None
    if not isinstance(inspected, Mapping):
        return None
    state, mounts = inspected.get("State"), inspected.get("Mounts")
    if not isinstance(state, Mapping) or state.get("Status") != "running" or not isinstance(mounts, list):
        return None
    pid = state.get("Pid")
    if not isinstance(pid, int) or pid <= 1:
        return None
    there = any(isinstance(mount, Mapping) and mount.get("Destination") == folder for mount in mounts)
    return Room(pid, str(state.get("StartedAt")), form, folder) if there else None
