"""Writing files: atomically, with the mode given."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file in one step (temporary file, fsync, rename); missing folders are made.

    Args:
        mode: permission bits; 0o600 for secrets, which are never readable by others in between.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, mode)  # noqa: PTH101
        os.rename(draft, path)  # noqa: PTH104
    except BaseException:
        os.unlink(draft)  # noqa: PTH108
        raise


def write_secret(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner may read."""
    write(path, content, mode=0o600)
