"""Where things lie on the disk: the state of a sandbox, the cache, the project."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_NAME = "default"
DEFAULT_ROOT = Path("/var/lib/cargo-sandbox")
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")


@dataclass(frozen=True)
class StateFolder:
    """The folder of one sandbox. It exists from `up` to `down`, and all secrets lie in it (0600)."""

    name: str
    root: Path

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def private(self) -> Path:
        """CA key, token signing key, passwords: never seen by a machine as a whole."""
        return self.path / "private"

    @property
    def inventory(self) -> Path:
        return self.path / "inventory"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def mounts(self) -> Path:
        """Where the outer namespace keeps the machines' file systems. Empty when seen from outside."""
        return self.path / "mnt"

    @property
    def faults(self) -> Path:
        return self.path / "faults"

    @property
    def ready(self) -> Path:
        """Exists when `up` has ended well."""
        return self.path / "ready"

    @property
    def cluster_mark(self) -> Path:
        """Exists when the sandbox has a cluster; names the folder with Kubernetes' programs."""
        return self.path / "cluster"

    @property
    def cluster(self) -> Path | None:
        """The folder with Kubernetes' programs; None for a sandbox without a cluster."""
        try:
            return Path(self.cluster_mark.read_text().strip())
        except (FileNotFoundError, PermissionError):
            return None

    def machine(self, name: str) -> Path:
        return self.path / "machines" / name

    def files(self, name: str) -> Path:
        """Files that are laid over the root of a machine before it starts."""
        return self.machine(name) / "files"

    def docker(self, name: str) -> Path:
        return self.machine(name) / "docker"

    def shared(self, site: str) -> Path:
        """What all hosts of one Cargo see as the folder `data` of their installation."""
        return self.path / "shared" / site / "data"

    @property
    def cgroup(self) -> str:
        """Parent of all control groups of this sandbox, below each hierarchy; unique on this computer."""
        elsewhere = "" if self.root == DEFAULT_ROOT else f"-{hashlib.sha256(bytes(self.root)).hexdigest()[:8]}"
        return f"cargo-sandbox-{self.name}{elsewhere}"


def state_folder(name: str = DEFAULT_NAME, environment: Mapping[str, str] | None = None) -> StateFolder:
    """The state folder of the sandbox `name`, below CARGO_SANDBOX_STATE or /var/lib/cargo-sandbox.

    Raises:
        ValueError: the name is no short lower-case word (it becomes part of folders and control groups).
    """
    if not _NAME.match(name):
        raise ValueError(f"{name!r} can't be a sandbox's name: take 1 to 32 lower-case letters, digits and dashes")
    values = os.environ if environment is None else environment
    root = values.get("CARGO_SANDBOX_STATE") or DEFAULT_ROOT
    return StateFolder(name, Path(root).absolute())


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where the container image and Kubernetes' programs are kept between sandboxes."""
    values = os.environ if environment is None else environment
    base = values.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "cargo-runbook"


def project_root() -> Path:
    """The project's folder; where the package is installed without its project, the current folder."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").exists() else Path.cwd()


def python_folders() -> tuple[Path, ...]:
    """Folders that this Python needs to run elsewhere: its environment, its base, and this package."""
    return tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), Path(__file__).resolve().parents[1])))
