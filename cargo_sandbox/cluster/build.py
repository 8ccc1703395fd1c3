"""Kubernetes' own programs, built once from Debian's source package and kept in the cache.

No package registry ships them ready made, but Debian's source package `kubernetes` is the whole upstream tree with all
that it imports, and Debian's Go compiles it without a network. apt fetches it from wherever this computer's sources
point to, with package lists of its own: what apt knows on this computer stays as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.texts import tell
from cargo_sandbox.errors import SandboxFailed, SandboxUnavailable
from cargo_sandbox.requirements import missing_packages

SOURCE = "kubernetes"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")
COMPILER = "golang-1.19-go"
GO = "/usr/lib/go-1.19/bin"
# Names each package as it is compiled.
FLAGS = {"GOFLAGS": "-v"}
PATH = f"{GO}:/usr/sbin:/usr/bin:/sbin:/bin"
# Lines that a whole build prints, by which its progress is told. Only a measure.
LINES = 2980
_SEEN = 15

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Build:
    """A finished build: the folder with the programs, and what they were made of."""

    folder: Path
    source_version: str
    go_version: str


def recipe() -> str:
    """SHA-256 of how the programs are made: which ones, with which flags."""
    return hashlib.sha256(json.dumps([SOURCE, PROGRAMS, FLAGS]).encode()).hexdigest()


def key(source_version: str, go_version: str) -> str:
    """Name of a build in the cache: everything that makes its programs what they are."""
    made_of = json.dumps([recipe(), source_version, go_version])
    return f"{SOURCE}-{hashlib.sha256(made_of.encode()).hexdigest()[:20]}"


def find(cache: Path) -> Build | None:
    """The newest finished build of this recipe; None when there is none."""
    found: list[tuple[float, Build]] = []
    for folder in cache.glob(f"{SOURCE}-*"):
        try:
            body = json.loads((folder / "build.json").read_text())
            build = Build(folder, body["source_version"], body["go_version"])
        except (OSError, ValueError, KeyError):
            continue
        whole = all((folder / program).exists() for program in PROGRAMS)
        if whole and folder.name == key(build.source_version, build.go_version):
            found.append((folder.stat().st_mtime, build))
    return max(found, key=lambda each: each[0])[1] if found else None


def require() -> None:
    """Check that the programs can be built here.

    Raises:
        SandboxUnavailable: packages are missing; the sentence names them.
    """
    missing = missing_packages("kubernetes")
    if missing:
        raise SandboxUnavailable(
            tell(
                f"Kubernetes can't be built here: it needs the Debian packages {' '.join(missing)}",
                f"此处无法编译 Kubernetes：缺少 Debian 软件包 {' '.join(missing)}",
            ),
            next_step=f"apt-get install --no-install-recommends {' '.join(missing)}",
        )


def build(cache: Path, progress: Progress) -> Build:
    """The programs, from the cache or built now (about 6 minutes on two cores).

    A build that is broken off leaves nothing that looks finished; the next one goes on from what it had compiled.

    Args:
        progress: called with what is being done, in few words.

    Raises:
        SandboxUnavailable: packages are missing, or apt's sources do not offer the source package.
        SandboxFailed: it does not compile; the end of the compiler's words is shown.
    """
    require()
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache, progress):
        ready = find(cache)
        if ready:
            return ready
        work = cache / f"{SOURCE}-work"
        work.mkdir(exist_ok=True)
        progress("source")
        version, source = _source(work)
        progress("compiling   0 %")
        _compile(source, progress)
        made = _keep(cache, source / "_output/bin", version)
        shutil.rmtree(work)
    for old in cache.glob(f"{SOURCE}-*"):
        if old != made.folder:
            shutil.rmtree(old)
    return made


@contextmanager
def _alone(cache: Path, progress: Progress) -> Iterator[None]:
    """One build at a time; who comes second finds it finished."""
    with (cache / f".{SOURCE}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run(argv: list[str], folder: Path, failed: str) -> str:
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxUnavailable(failed, seen=(done.stderr or done.stdout).strip()[-1500:])
    return done.stdout


def source_lists(folder: Path, machine: Path = Path("/etc/apt")) -> None:
    """Write apt's sources of this computer into `folder`, asking for source packages instead of ready ones."""
    folder.mkdir(parents=True)
    kept = [machine / "sources.list", *machine.glob("sources.list.d/*.list"), *machine.glob("sources.list.d/*.sources")]
    for file in kept:
        if file.exists():
            text = re.sub(r"^Types:.*$", "Types: deb-src", file.read_text(), flags=re.MULTILINE)
            (folder / file.name).write_text(re.sub(r"^deb(?:-src)?(?=\s)", "deb-src", text, flags=re.MULTILINE))


def _source(work: Path) -> tuple[str, Path]:
    """Version and unpacked tree of the source package.

    An unpacked tree of that version is used again: what is compiled already lies in it.
    """
    apt = work / "apt"
    shutil.rmtree(apt, ignore_errors=True)
    (apt / "lists/partial").mkdir(parents=True)
    source_lists(apt / "sources")
    options = ["Dir::Etc::SourceList=/dev/null", f"Dir::Etc::SourceParts={apt / 'sources'}"]
    options += [f"Dir::State::Lists={apt / 'lists'}", "APT::Sandbox::User=root", "Acquire::Retries=3"]
    command = ["apt-get", "-q", *(word for option in options for word in ("-o", option))]
    _run([*command, "update"], apt, "apt could not read its lists of sources")
    _run(
        [*command, "source", "--download-only", SOURCE],
        apt,
        f"apt's sources do not offer the source package {SOURCE}",
    )
    description = next(apt.glob("*.dsc"))
    version = _field(description.read_text(), "Version")
    tree, mark = work / "src", work / "version"
    if not mark.exists() or mark.read_text() != version:
        shutil.rmtree(tree, ignore_errors=True)
        mark.unlink(missing_ok=True)
        _run(["dpkg-source", "-x", description.name, str(tree)], apt, "the source package is broken")
        home = tree / ".go/src/k8s.io"
        home.mkdir(parents=True)
        (home / "kubernetes").symlink_to("../../..")
        mark.write_text(version)
    return version, tree


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}: (.+)$", text, re.MULTILINE)
    if match is None:
        raise SandboxUnavailable(
            tell(
                f"the source package {SOURCE} does not say its {name.lower()}",
                f"源码包 {SOURCE} 没有给出 {name.lower()}",
            )
        )
    return match.group(1)


def _compiler_version() -> str:
    return _run(["dpkg-query", "-W", "-f", "${Version}", COMPILER], Path("/"), f"{COMPILER} is not installed")


def _compile(source: Path, progress: Progress) -> None:
    environment = {
        **FLAGS,
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": str(source / ".go"),
        "GOPATH": str(source / ".go"),
        "GOPROXY": "off",
    }
    # With two cores and others at work on them, a build must not be in their way.
    argv = ["nice", "-n", "10", "make", f"WHAT={' '.join(f'cmd/{program}' for program in PROGRAMS)}"]
    last: list[str] = []
    with subprocess.Popen(
        argv,
        cwd=source,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("started without a pipe")
        try:
            for number, line in enumerate(process.stdout, start=1):
                last = [*last[1 - _SEEN :], line]
                progress(f"compiling {min(99, 100 * number // LINES):>3} %")
        except BaseException:
            os.killpg(process.pid, 15)
            raise
    if process.returncode:
        raise SandboxFailed(tell("Kubernetes could not be built", "Kubernetes 编译失败"), seen="".join(last).strip())


def _keep(cache: Path, made: Path, source_version: str) -> Build:
    """Move the programs into the cache in one step."""
    go_version = _compiler_version()
    target = cache / key(source_version, go_version)
    draft = cache / f".{SOURCE}-draft-{os.getpid()}"
    draft.mkdir()
    try:
        for program in PROGRAMS:
            shutil.move(made / program, draft / program)
        body = {"source_version": source_version, "go_version": go_version, "recipe": recipe()}
        (draft / "build.json").write_text(json.dumps(body, indent=1) + "\n")
        if target.exists():
            # It was there, but not whole.
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Build(target, source_version, go_version)
