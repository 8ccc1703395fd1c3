"""A script of an installation, run where nothing that it does counts: what would it change?

The script sees the machine as it is, with a copy of the installation's configuration at its own place. All this is in
namespaces of its own: everything but the copy can only be read, there is no network, no device, no socket of a service,
docker and its like only note that they were called. When it is over nothing of it is left (`trial.sh`).
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = Path(__file__).with_name("trial.sh").read_text(encoding="utf-8")
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork")
_TIMED_OUT = (124, 137)


@dataclass(frozen=True)
class Trial:
    """What a script did to the copy. Paths are below the installation.

    Args:
        ran: whether it could be tried at all; `said` tells why not, else the end of what it printed.
        changed: path -> other content, of files whose kind, mode and owner stayed. `added`: of files that were not there.
        copies: those of the added files that are copies of what was there, as backups are.
        gone: files and folders that it took away. `other`: those with another kind, mode, owner or link; new folders.
        calls: programs that it called and that did nothing here.
        elsewhere: it wanted to write outside the installation, and could not.
    """

    ran: bool
    exit_code: int = 0
    changed: Mapping[str, bytes] = field(default_factory=dict)
    added: Mapping[str, bytes] = field(default_factory=dict)
    copies: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    elsewhere: bool = False
    said: str = ""

    @property
    def timed_out(self) -> bool:
        return self.exit_code in _TIMED_OUT


def trial_argv(root: str, script: str, seconds: int, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command that tries `script` below `root` for so many seconds."""
    return (*NAMESPACES, "/bin/sh", "-c", PROGRAM, "sh", root, script, str(seconds), *arguments)


def read_trial(output: bytes, error: str) -> Trial:
    """What came of it; anything but the tar of `trial.sh` means that it could not be tried."""
    try:
        with tarfile.open(fileobj=io.BytesIO(output), mode="r:") as tar:
            parts = {
                member.name.removeprefix("./"): file.read()
                for member in tar.getmembers()
                if member.isfile() and (file := tar.extractfile(member)) is not None
            }
        code = int(parts["exit"])
        before, after = (_things(parts[name]) for name in ("before", "after"))
    except (tarfile.TarError, KeyError, ValueError):
        lines = error.strip().splitlines()
        return Trial(ran=False, said=lines[-1] if lines else "nothing came back")
    files = {name.removeprefix("files/"): body for name, body in parts.items() if name.startswith("files/")}
    copies = {line.removeprefix("./") for line in parts["copies"].decode("utf-8", "surrogateescape").splitlines()}
    same = {path for path, about in after.items() if before.get(path) == about}
    return Trial(
        ran=True,
        exit_code=code,
        changed={path: body for path, body in files.items() if path in same},
        added={path: body for path, body in files.items() if path not in before},
        copies=tuple(sorted(path for path in files if path in copies and path not in before)),
        gone=tuple(sorted(before.keys() - after.keys())),
        other=tuple(sorted(path for path in after.keys() - same if path in before or path not in files)),
        calls=tuple(parts["calls"].decode("utf-8", "replace").split()),
        elsewhere="elsewhere" in parts,
        said=parts["said"].decode("utf-8", "replace").strip(),
    )


def _things(listed: bytes) -> dict[str, str]:
    """Path -> kind, mode, owner and link of each thing, as `find -printf` says."""
    lines = listed.decode("utf-8", "surrogateescape").splitlines()
    return {path.removeprefix("./"): about for about, _, path in (line.partition("\t") for line in lines)}
