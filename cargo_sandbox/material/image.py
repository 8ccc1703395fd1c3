"""The container images of a Cargo, made from programs of installed Debian packages.

There is no registry to pull from, so programs and the libraries they link are copied into one layer; four images
with the guide's names share it. The result is a docker archive (for `docker load`), kept in the cache under a key of
the package versions and of this recipe: the same inputs give the same file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.material import image_store

PACKAGES = (
    *("nginx-light", "docker-registry", "docker.io", "busybox", "bash", "curl", "openssl", "iputils-ping", "skopeo"),
    "dnsmasq-base",
    *("libc-bin", "libc6", "libssl3", "python3-minimal", "libpython3-stdlib", "python3.11-minimal", "mime-support"),
)
PROGRAMS = (
    *("/usr/sbin/nginx", "/usr/bin/docker-registry", "/usr/bin/busybox", "/usr/bin/bash", "/usr/bin/curl"),
    *("/usr/bin/openssl", "/usr/bin/ping", "/usr/bin/skopeo", "/usr/bin/getent", "/usr/bin/python3"),
    "/usr/sbin/dnsmasq",
)
APPLETS = (
    *(
        "sh",
        "cat",
        "vi",
        "ls",
        "ps",
        "sleep",
        "sed",
        "grep",
        "kill",
        "mkdir",
        "cp",
        "mv",
        "rm",
        "nslookup",
        "ip",
        "tail",
    ),
    *(
        "head",
        "hostname",
        "env",
        "id",
        "wget",
        "echo",
        "date",
        "df",
        "stat",
        "netstat",
        "find",
        "cmp",
        "diff",
        "touch",
        "chmod",
        "wc",
    ),
)
# Big parts of Python's library that no service here imports.
LEFT_OUT = frozenset(
    {
        "test",
        "idlelib",
        "lib2to3",
        "ensurepip",
        "pydoc_data",
        "tkinter",
        "turtledemo",
        "distutils",
        "unittest",
        "sqlite3",
    }
)
SYSTEM_FILES = (
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/nginx/mime.types",
    "/etc/mime.types",
)
WRITTEN = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
    "etc/group": "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/containers/policy.json": '{"default":[{"type":"insecureAcceptAnything"}]}\n',
}
FOLDERS = ("tmp", "run", "proc", "sys", "dev", "root", "var/log/nginx", "var/lib/nginx", "etc/ssl/certs", "usr/lib64")
MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "var/run": "/run"}
SERVICES = Path(__file__).resolve().parents[1] / "services"
SERVICES_INSIDE = "opt/cargo"


@dataclass(frozen=True)
class Image:
    """One image: its repository:tag below the Cargo's domain, what it starts, and files of the layer it lacks."""

    tag: str
    command: tuple[str, ...]
    lacks: tuple[str, ...] = ()


_WAIT = "trap exit TERM; while :; do sleep 3600 & wait $!; done"
_PYTHON = ("/usr/bin/python3", "-B", "-m")
REPOSITORY = "cargo.caicloudprivatetest.com/release"
IMAGES = (
    Image("tengine:2.1.0", (*_PYTHON, "cargo_sandbox.services.tengine")),
    Image("registry:2.8.2", ("/usr/bin/docker-registry", "serve", "/etc/registry/config.yml")),
    Image("harbor-ui:v1.4.1", (*_PYTHON, "cargo_sandbox.services.harbor_ui", "/etc/ui")),
    # The guide pings from tengine because jobservice has no ping.
    Image("harbor-jobservice:v1.4.1", (*_PYTHON, "cargo_sandbox.services.jobservice"), lacks=("usr/bin/ping",)),
    Image("cargo-token:v1.4.1", (*_PYTHON, "cargo_sandbox.services.cargo_token", "/etc/cargo-token", "8081")),
    Image("cargo-admin:v1.4.1", (*_PYTHON, "cargo_sandbox.services.cargo_admin", "/etc/cargo-admin")),
    Image("kube-dns-dnsmasq:1.14.8", (*_PYTHON, "cargo_sandbox.services.dnsmasq_nanny")),
    Image("coredns:1.8.0", (*_PYTHON, "cargo_sandbox.services.coredns")),
    # What pods share their network with, and what a pipeline's step runs in: both only wait.
    Image("pause:3.2", ("/bin/sh", "-c", _WAIT)),
    Image("pipeline-tools:1.0", ("/bin/sh", "-c", _WAIT)),
)


def _output(*argv: str, check: bool = True) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=check).stdout


def recipe_key() -> str:
    """SHA-256 of everything that goes into the image: package versions, this file, the services."""
    versions = _output("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\n", *PACKAGES, check=False)
    digest = hashlib.sha256("\n".join(sorted(versions.splitlines())).encode())
    for file in (Path(__file__), *_service_files()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _service_files() -> list[Path]:
    return sorted(p for p in SERVICES.iterdir() if p.suffix in {".py", ".sh"})


def _inside(path: str) -> str:
    """Where a file of this computer stands in the image, which has a merged /usr."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)).lstrip("/")  # noqa: PTH118, PTH119, PTH120


def _libraries(programs: Iterable[str]) -> set[str]:
    linked = _output("ldd", *programs, check=False)
    return set(re.findall(r"(?:=>\s*|^\s*)(/\S+) \(0x", linked, re.MULTILINE))


def _python_library() -> Iterator[Path]:
    library = Path(_output("/usr/bin/python3", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))").strip())
    for folder, folders, files in os.walk(library):
        folders[:] = [f for f in folders if f not in LEFT_OUT and not f.startswith("config-")]
        yield from (Path(folder) / name for name in files)


def _sources() -> dict[str, Path]:
    """Path in the image -> file of this computer."""
    library = list(_python_library())
    extensions = [str(path) for path in library if path.suffix == ".so"]
    files = [*PROGRAMS, *_libraries([*PROGRAMS, *extensions]), *map(str, library)]
    files += [path for path in SYSTEM_FILES if Path(path).exists()]
    sources = {_inside(path): Path(path).resolve() for path in files}
    sources |= {f"{SERVICES_INSIDE}/cargo_sandbox/services/{path.name}": path for path in _service_files()}
    sources[f"{SERVICES_INSIDE}/cargo_sandbox/__init__.py"] = SERVICES / "__init__.py"
    return sources


def _entry(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname = kind, mode, target
    return info


def _add(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    info = _entry(name)
    info.size = len(body)
    tar.addfile(info, io.BytesIO(body))


def _write_layer(target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        for folder in FOLDERS:
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755))
        for name, link in MERGED.items():
            tar.addfile(_entry(name, tarfile.SYMTYPE, 0o777, link))
        sources = _sources()
        for name, source in sorted(sources.items()):
            status = source.stat()
            info = _entry(name, mode=status.st_mode & 0o755 | 0o444)
            # Compiled Python files are valid only beside sources of the same time.
            info.size, info.mtime = status.st_size, int(status.st_mtime)
            with source.open("rb") as body:
                tar.addfile(info, body)
        for applet in APPLETS:
            if f"usr/bin/{applet}" not in sources:
                tar.addfile(_entry(f"usr/bin/{applet}", tarfile.SYMTYPE, 0o777, "busybox"))
        for name, text in WRITTEN.items():
            _add(tar, name, text.encode())


def _whiteouts(names: Iterable[str]) -> bytes:
    """A layer that removes files of the layer below (OCI image specification, "Whiteouts")."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as tar:
        for name in names:
            folder, _, file = name.rpartition("/")
            tar.addfile(_entry(f"{folder}/.wh.{file}"))
    return body.getvalue()


def _configuration(image: Image, layers: list[str]) -> bytes:
    body = {
        "architecture": _output("dpkg", "--print-architecture").strip(),
        "os": "linux",
        "config": {"Cmd": list(image.command), "Env": ["PATH=/usr/sbin:/usr/bin", f"PYTHONPATH=/{SERVICES_INSIDE}"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
        "history": [{"created_by": "cargo_sandbox.material.image"} for _ in layers],
    }
    return json.dumps(body).encode()


def _write_archive(target: Path, layer: Path) -> None:
    with layer.open("rb") as body:
        base = hashlib.file_digest(body, "sha256").hexdigest()
    manifest = []
    with tarfile.open(target, "w") as tar:
        info = _entry(f"{base}.tar")
        info.size = layer.stat().st_size
        with layer.open("rb") as body:
            tar.addfile(info, body)
        for image in IMAGES:
            layers = [base]
            if image.lacks:
                extra = _whiteouts(image.lacks)
                layers.append(hashlib.sha256(extra).hexdigest())
                _add(tar, f"{layers[-1]}.tar", extra)
            configuration = _configuration(image, layers)
            name = f"{hashlib.sha256(configuration).hexdigest()}.json"
            _add(tar, name, configuration)
            tags = [f"{REPOSITORY}/{image.tag}"]
            manifest.append({"Config": name, "RepoTags": tags, "Layers": [f"{digest}.tar" for digest in layers]})
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def archive(cache: Path, *, on_build: Callable[[], None] = lambda: None) -> Path:
    """The docker archive with all images, from the cache or made now (atomically; older ones are removed).

    Args:
        on_build: called before it is made, which takes some seconds.
    """
    target = cache / f"cargo-images-{recipe_key()[:20]}.tar"
    if target.exists():
        return target
    on_build()
    cache.mkdir(parents=True, exist_ok=True)
    layer, draft = cache / f".layer-{os.getpid()}.tar", cache / f".draft-{os.getpid()}.tar"
    try:
        _write_layer(layer)
        _write_archive(draft, layer)
        draft.rename(target)
    finally:
        layer.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)
    for old in cache.glob("cargo-images-*.tar"):
        if old != target:
            old.unlink(missing_ok=True)
            image_store.discard(image_store.store_of(old))
    return target
