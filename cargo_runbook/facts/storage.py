"""The disk that the registry stores layers on: `stat -f`, `df -P`, the registry's own log, and Harbor's API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cargo_runbook.facts.yaml_text import read_yaml
from cargo_runbook.observations import Observation

DEFAULT_FOLDER = "/storage"
"""Where Harbor 1.x has it in the registry's container (make/common/templates/registry/config.yml)."""


@dataclass(frozen=True)
class Space:
    """One line of `df -P`: KiB, or inodes where `-i` was given. Of `stat -f`, which names no file system, a half.

    `available` is what an ordinary user may still take; `left` holds root's reserve as well.
    """

    filesystem: str
    total: int
    used: int
    available: int
    mounted: str

    @property
    def left(self) -> int:
        return max(self.total - self.used, self.available)


@dataclass(frozen=True)
class Disk:
    """Blocks and inodes of one file system as seen from one place; None where it could not be asked."""

    blocks: Space | None
    blocks_evidence: str
    inodes: Space | None
    inodes_evidence: str


@dataclass(frozen=True)
class Complaint:
    """A line of the registry's log that says `no space left on device`; `age` in seconds, None without a time."""

    line: str
    age: float | None


@dataclass(frozen=True)
class HostStorage:
    """The registry's storage on one host.

    Args:
        folder: in the registry's container; `source` the same folder on the host, "" when not asked or no mount.
        elsewhere: storage driver when the layers lie on no disk of this host (`s3`, `swift`, ...).
        inside, outside: the disk as the container and as the host see it.
        unasked: nothing could be asked, for the host can't be looked at.
    """

    host: str
    folder: str = ""
    source: str = ""
    elsewhere: str = ""
    inside: Disk | None = None
    outside: Disk | None = None
    complaints: tuple[Complaint, ...] = ()
    complaints_evidence: str = ""
    evidence: str = ""
    unasked: bool = False

    @property
    def disk(self) -> Disk | None:
        """The disk that counts: what the registry itself writes to, else what the host says of it."""
        return self.inside or self.outside


@dataclass(frozen=True)
class StorageFacts:
    """The storage of all hosts, and what Harbor says of its own (`/api/systeminfo/volumes`, bytes; 0 = not asked)."""

    hosts: tuple[HostStorage, ...]
    harbor_total: int = 0
    harbor_free: int = 0
    harbor_evidence: str = ""


TIGHT = 1024 * 1024
"""KiB below which an image of ordinary size may not fit any more."""

SCARCE = 4096
"""Inodes below which it is worth a closer look."""


def below(space: Space | None, amount: int) -> bool:
    """Whether less than `amount` is left for an ordinary user. A file system that makes inodes as needed counts 0 of 0."""
    return space is not None and space.total > 0 and space.available < amount


def is_tight(disk: Disk | None) -> bool:
    """Whether it is worth asking more about this disk: little room is no fault yet."""
    return disk is not None and (below(disk.blocks, TIGHT) or below(disk.inodes, SCARCE))


_DF = re.compile(r"^(\S.*?)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(/.*)$", re.MULTILINE)


def read_df(text: str) -> Space | None:
    """The first file system in what `df -P` printed (POSIX df; GNU and BusyBox alike).

    Source: POSIX.1-2017, df, STDOUT. A file system that counts no inodes has `-` or 0 there; the former gives None.
    """
    line = _DF.search(text)
    if line is None:
        return None
    filesystem, total, used, available, mounted = line.groups()
    return Space(filesystem, int(total), int(used), int(available), mounted)


STAT = "%S %b %f %a %c %d"
"""For `stat -f -c`: size of a block, blocks in all, free, free for ordinary users; inodes in all, free. GNU, BusyBox
and toybox have these alike."""


def read_stat(observation: Observation) -> Disk | None:
    """Blocks and inodes in what `stat -f -c STAT` printed; None when it printed something else."""
    words = observation.output.split() if observation.answered and observation.exit_code == 0 else []
    if len(words) != len(STAT.split()) or not all(word.isdecimal() for word in words):
        return None
    size, total, free, available, inodes, free_inodes = map(int, words)
    return Disk(
        Space("", total * size // 1024, (total - free) * size // 1024, available * size // 1024, ""),
        observation.id,
        Space("", inodes, inodes - free_inodes, free_inodes, ""),
        observation.id,
    )


def read_disk(blocks: Observation, inodes: Observation) -> Disk | None:
    """Blocks and inodes out of two observations; None when neither holds a line of `df`."""
    seen = [read_df(o.output) if o.answered and o.exit_code == 0 else None for o in (blocks, inodes)]
    return Disk(seen[0], blocks.id, seen[1], inodes.id) if any(seen) else None


def read_storage_folder(text: str) -> tuple[str, str]:
    """(folder, driver) of a registry's config.yml: the folder for the driver `filesystem`, else the driver's name.

    Source: distribution, configuration reference, `storage`. What can't be read counts as Harbor's default.
    """
    document = read_yaml(text)
    storage: Any = document.get("storage") if isinstance(document, Mapping) else None
    if not isinstance(storage, Mapping):
        return DEFAULT_FOLDER, ""
    drivers = [str(name) for name in storage if name not in _NO_DRIVERS]
    if drivers and "filesystem" not in drivers:
        return "", drivers[0]
    filesystem = storage.get("filesystem")
    folder = filesystem.get("rootdirectory") if isinstance(filesystem, Mapping) else None
    return str(folder or "/var/lib/registry"), ""


_NO_DRIVERS = frozenset({"cache", "maintenance", "delete", "redirect", "tag"})


def read_source(inspected: str, folder: str) -> str:
    """Where `folder` of a container lies on its host, out of `docker inspect --format '{{json .Mounts}}'`; "" for none.

    The mount that holds the folder most closely counts.
    """
    try:
        mounts = json.loads(inspected)
    except ValueError:
        return ""
    best = ("", "")
    for mount in mounts if isinstance(mounts, list) else ():
        place, source = str(mount.get("Destination", "")).rstrip("/"), str(mount.get("Source", ""))
        if place and source and f"{folder}/".startswith(f"{place}/") and len(place) > len(best[0]):
            best = (place, source.rstrip("/") + folder.removeprefix(place))
    return best[1]


_TIME = re.compile(r'\btime="([^"]+)"')
_NO_SPACE = "no space left on device"


def read_complaints(observation: Observation) -> tuple[Complaint, ...]:
    """The lines of a registry's log in which a write found no space, since something was last stored; newest last.

    Registry 2.x logs `err.detail="filesystem: write PATH: no space left on device"` with `time=` in RFC 3339, and a
    layer or manifest that was stored as a PUT with 201.
    """
    text = f"{observation.output}\n{observation.error}" if observation.answered else ""
    lines: list[str] = []
    for line in text.splitlines():
        if _NO_SPACE in line:
            lines.append(line.strip())
        elif _STORED.search(line):
            lines.clear()
    return tuple(Complaint(line, _age(line, observation.started)) for line in lines)


_STORED = re.compile(r"\bhttp\.request\.method=PUT\b.*\bhttp\.response\.status=201\b")


def _age(line: str, now: datetime) -> float | None:
    stamp = _TIME.search(line)
    if stamp is None:
        return None
    try:
        # Go writes nanoseconds, Python reads microseconds.
        then = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", stamp.group(1)))
    except ValueError:
        return None
    return (now - then).total_seconds() if then.tzinfo else None


def read_volumes(observation: Observation) -> tuple[int, int]:
    """(total, free) bytes in the answer of `/api/systeminfo/volumes`; zeros when it is none."""
    try:
        storage = json.loads(observation.output)["storage"] if observation.answered else {}
        if isinstance(storage, list):  # Harbor 2.x
            storage = storage[0]
        return int(storage.get("total", 0)), int(storage.get("free", 0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return 0, 0
