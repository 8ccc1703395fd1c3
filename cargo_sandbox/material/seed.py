"""Images that a registry has from the start, written as its storage driver lays them out.

Source: distribution, registry/storage/paths.go (filesystem layout v2); image manifest version 2, schema 2.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


class Storage:
    """The storage folder of a registry that does not run yet."""

    def __init__(self, folder: Path) -> None:
        self.base = folder / "docker/registry/v2"

    def blob(self, body: bytes) -> str:
        digest = _digest(body)
        code = digest.partition(":")[2]
        _write(self.base / "blobs/sha256" / code[:2] / code / "data", body)
        return digest

    def _link(self, place: Path, digest: str) -> None:
        _write(place / "link", digest.encode())

    def image(self, name: str, files: dict[str, str]) -> str:
        """Add the image `repository:tag` with text files; its digest is returned."""
        repository, _, tag = name.partition(":")
        folder = self.base / "repositories" / repository
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for path, text in files.items():
                info = tarfile.TarInfo(path)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        layer = gzip.compress(plain.getvalue(), mtime=0)
        configuration = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [_digest(plain.getvalue())]},
            }
        ).encode()
        parts = {"config": (CONFIGURATION, configuration), "layer": (LAYER, layer)}
        described = {
            part: {"mediaType": media, "size": len(body), "digest": self.blob(body)}
            for part, (media, body) in parts.items()
        }
        for description in described.values():
            code = str(description["digest"]).partition(":")[2]
            self._link(folder / "_layers/sha256" / code, f"sha256:{code}")
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": described["config"],
                "layers": [described["layer"]],
            }
        ).encode()
        digest = self.blob(manifest)
        code = digest.partition(":")[2]
        self._link(folder / "_manifests/revisions/sha256" / code, digest)
        self._link(folder / "_manifests/tags" / tag / "current", digest)
        self._link(folder / "_manifests/tags" / tag / "index/sha256" / code, digest)
        return digest
