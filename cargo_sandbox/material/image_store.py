"""Docker's own store of the loaded images, kept beside their archive: to load them anew on each machine takes seconds.

The files of a layer are never written again, so a machine gets hard links to them; what Docker knows about images is
copied. Where that can't be done, or where Docker stores in another way, the machine loads the archive.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Where the driver overlay2 has layers, and where Docker keeps what it knows of images.
LAYERS, ABOUT = "overlay2", "image"


def store_of(archive: Path) -> Path:
    """Where the store of an archive is kept."""
    return archive.with_suffix(".store")


def lay(store: Path, docker: Path) -> bool:
    """Give a Docker daemon that does not run yet the images of the store; False when it has to load them."""
    return store.exists() and _copy(store, docker)


def keep(docker: Path, store: Path) -> None:
    """Keep the images that a Docker daemon has just loaded, while it has no container yet."""
    if store.exists() or not (docker / LAYERS).is_dir():
        return
    draft = store.with_name(f".{store.name}-{os.getpid()}-{docker.parent.name}")
    if not _copy(docker, draft):
        return
    try:
        draft.rename(store)
    except OSError:
        # Another machine was faster.
        shutil.rmtree(draft)


def discard(store: Path) -> None:
    """Remove a store; whoever is copying from it notices."""
    away = store.with_name(f".{store.name}-{os.getpid()}-old")
    try:
        store.rename(away)
    except FileNotFoundError:
        return
    shutil.rmtree(away)


def _copy(source: Path, target: Path) -> bool:
    """Copy a store; False, and nothing of it is there, when a part could not be copied or linked."""
    try:
        shutil.copytree(source / LAYERS, target / LAYERS, symlinks=True, copy_function=os.link)
        shutil.copytree(source / ABOUT, target / ABOUT)
    except OSError:
        for part in (LAYERS, ABOUT):
            shutil.rmtree(target / part, ignore_errors=True)
        return False
    return True
