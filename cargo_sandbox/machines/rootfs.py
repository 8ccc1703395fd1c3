"""The file system of a machine: an overlay over this computer's `/`, with all that is private masked.

A machine has every program that is installed here, at no cost, and none of the caller's secrets: home folders,
/run, /tmp and the state of all sandboxes are hidden. What it must see (the project, the Python that runs it, on
operator the inventory) is bound at its own path.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cargo_sandbox import topology
from cargo_sandbox.paths import StateFolder, project_root, python_folders
from cargo_sandbox.topology import MASTER, OPERATOR, Machine


@dataclass(frozen=True)
class Bind:
    """A folder that a machine sees: at `path` what is at `source` outside (empty: at the same path)."""

    path: str
    writable: bool = False
    source: str = ""


@dataclass(frozen=True)
class Layout:
    """What is hidden on a machine and what is shown again, in the order of mounting."""

    masks: tuple[str, ...]
    binds: tuple[Bind, ...]

    def to_json(self) -> str:
        return json.dumps({"masks": self.masks, "binds": [asdict(bind) for bind in self.binds]}, indent=1)

    @staticmethod
    def from_json(text: str) -> Layout:
        body = json.loads(text)
        return Layout(tuple(body["masks"]), tuple(Bind(**bind) for bind in body["binds"]))


def _outermost(paths: Iterable[Path]) -> list[Path]:
    kept: list[Path] = []
    for path in sorted({p.absolute() for p in paths}):
        if not any(path.is_relative_to(above) for above in kept):
            kept.append(path)
    return kept


def layout_for(machine: Machine, state: StateFolder, *, home: Path | None = None) -> Layout:
    """What the machine may see of this computer.

    Args:
        home: the caller's home folder, hidden too (default: that of the running user).
    """
    masks = _outermost([Path("/root"), Path("/home"), Path("/tmp"), home or Path.home(), state.root])  # noqa: S108
    project = project_root()
    on_operator = machine == OPERATOR
    binds = [Bind(str(project), writable=on_operator)]
    for folder in python_folders():
        if folder.exists() and _needs_a_bind(folder, project, masks):
            binds.append(Bind(str(folder), writable=False))
    if on_operator:
        binds.append(Bind(str(state.inventory), writable=True))
    if machine.name == MASTER.name and state.cluster:
        binds.append(Bind(str(state.cluster)))
    site = topology.site_on(machine.name)
    if site and site.model == "ha":
        shared = state.shared(site.name)
        binds.append(Bind(f"{topology.INSTALLATION}/{shared.name}", writable=True, source=str(shared)))
    unique = {bind.path: bind for bind in reversed(binds)}
    return Layout(tuple(map(str, masks)), tuple(sorted(unique.values(), key=lambda bind: bind.path)))


def _needs_a_bind(folder: Path, project: Path, masks: Iterable[Path]) -> bool:
    """Whether a machine would not see the folder by itself.

    The overlay over / shows it where it is not masked and no file system of its own. To bind it all the same would
    make it read-only: Debian's own Python has the prefix /usr.
    """
    if folder.is_relative_to(project):
        return folder.stat().st_dev != project.stat().st_dev
    masked = any(folder.is_relative_to(mask) for mask in masks)
    return masked or folder.stat().st_dev != Path("/").stat().st_dev


def _mount(*argv: str) -> None:
    subprocess.run(("mount", *argv), check=True)


def _folder(root: Path, path: str) -> Path:
    target = root / path.lstrip("/")
    target.mkdir(parents=True, exist_ok=True)
    return target


def build(state: StateFolder, machine: Machine) -> Path:
    """Mount the machine's file system; its root is returned. Runs in the machine's mount namespace."""
    base = state.mounts / machine.name
    upper, work, root = base / "upper", base / "work", base / "root"
    for folder in (upper, work, root):
        folder.mkdir(parents=True)
    _mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", machine.name, str(root))
    _mount("-t", "proc", "proc", str(root / "proc"))
    _mount("-t", "sysfs", "sysfs", str(root / "sys"))
    if Path("/sys/fs/cgroup").is_dir():
        _mount("--rbind", "/sys/fs/cgroup", str(root / "sys/fs/cgroup"))
    _mount("--rbind", "/dev", str(root / "dev"))
    _mount("-t", "tmpfs", "shm", str(_folder(root, "/dev/shm")))  # noqa: S108
    _mount("-t", "tmpfs", "-o", "mode=755", "run", str(_folder(root, "/run")))
    layout = Layout.from_json((state.machine(machine.name) / "layout.json").read_text())
    for mask in layout.masks:
        mode = "1777" if mask == "/tmp" else "755" if mask == "/home" else "700"  # noqa: S108
        _mount("-t", "tmpfs", "-o", f"mode={mode}", "private", str(_folder(root, mask)))
    for bind in layout.binds:
        _bind(root, bind)
    if machine.dockerd:
        _mount("--bind", str(state.docker(machine.name)), str(_folder(root, "/var/lib/docker")))
    _forget_the_host(root)
    lay_over(state.files(machine.name), root)
    _own_home(root, machine)
    return root


def _bind(root: Path, bind: Bind) -> None:
    target = str(_folder(root, bind.path))
    _mount("--bind", bind.source or bind.path, target)
    if not bind.writable:
        _mount("-o", "remount,bind,ro", target)


def _forget_the_host(root: Path) -> None:
    """Settings and keys of this computer that would reach into the machine."""
    for path in ("etc/docker", "etc/containers", "etc/kubernetes"):
        if (root / path).exists():
            shutil.rmtree(root / path)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for path in ("run/lock", "run/sshd", "etc/docker", "etc/ssh"):
        _folder(root, path)


def lay_over(source: Path, root: Path) -> None:
    """Copy the tree `source` over `root`: files with their modes; a folder that is there already is left as it is."""
    for folder, _, files in os.walk(source):
        target = root / Path(folder).relative_to(source)
        if not target.is_dir():
            target.mkdir()
            target.chmod(Path(folder).stat().st_mode & 0o7777)
        for name in files:
            place = target / name
            # /etc/resolv.conf may be a link to somewhere else on this computer.
            place.unlink(missing_ok=True)
            shutil.copy2(Path(folder) / name, place)
            os.chown(place, 0, 0)


def _own_home(root: Path, machine: Machine) -> None:
    lines = (root / "etc/passwd").read_text().splitlines(keepends=True)
    changed = [f"root:x:0:0:root:{machine.home}:/bin/bash\n" if line.startswith("root:") else line for line in lines]
    (root / "etc/passwd").write_text("".join(changed))
    _folder(root, machine.home).chmod(0o700)


def enter(root: Path) -> None:
    """Make `root` the root of this mount namespace and let go of the old one."""
    old = root / "oldroot"
    old.mkdir()
    os.chdir(root)
    subprocess.run(("pivot_root", ".", "oldroot"), check=True)
    os.chdir("/")
    subprocess.run(("umount", "-l", "/oldroot"), check=True)
    Path("/oldroot").rmdir()
