"""Sessions that several harbor-ui share, as those of an HA Harbor do through Redis: a file each, in a shared folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class SharedSessions(MutableMapping[str, str]):
    """Session id -> account name. An id that is none of ours is nowhere."""

    folder: Path

    def _file(self, session: str) -> Path:
        if not _ID.fullmatch(session):
            raise KeyError(session)
        return self.folder / session

    def __getitem__(self, session: str) -> str:
        try:
            return self._file(session).read_text()
        except OSError as error:
            raise KeyError(session) from error

    def __setitem__(self, session: str, name: str) -> None:
        handle = os.open(self._file(session), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(name)

    def __delitem__(self, session: str) -> None:
        try:
            self._file(session).unlink()
        except OSError as error:
            raise KeyError(session) from error

    def __iter__(self) -> Iterator[str]:
        return (file.name for file in self.folder.iterdir())

    def __len__(self) -> int:
        return sum(1 for _ in self)
