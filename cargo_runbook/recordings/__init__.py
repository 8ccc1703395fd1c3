"""Shipped recordings: evidence of the practice installation, to replay where it can't run.

A recording is a folder beside this file: `recording.json` (`recorded`: UTC time, `title`, what
the docker client printed), and for each environment `NAME.yml` (its inventory, without credentials) and
`NAME.jsonl` (its evidence). They are made by `make recordings` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

HEALTHY = "healthy"
REPLAY_VARIABLE = "CARGO_RUNBOOK_REPLAY"
"""Names the recording to answer from when no option does."""


@dataclass(frozen=True)
class Recording:
    """One recorded state of the practice installation.

    `client` maps a docker command line to what the client printed. `concerns` are those that were asked beside the
    path; one that came later has no answers here, and is left out of a replay.
    """

    name: str
    folder: Path
    recorded: str
    client: Mapping[str, str]
    concerns: tuple[str, ...] = ()

    @property
    def banner(self) -> str:
        """What every page says that comes from this."""
        return f"replayed evidence of {self.recorded[:10]}"

    def evidence_file(self, environment: str) -> Path:
        """Where the evidence of one environment lies; the file may be missing."""
        return self.folder / f"{environment}.jsonl"


def recordings_folder() -> Path:
    """The folder of the shipped recordings."""
    return Path(str(files(__name__)))


def load_recording(name: str) -> Recording:
    """The recording of that name.

    Raises:
        UsageError: there is none of that name; the sentence lists those that there are.
    """
    folder = recordings_folder() / name
    meta = folder / "recording.json"
    if "/" in name or not meta.is_file():
        known = ", ".join(list_recordings()) or "none"
        raise UsageError(
            tell(f"there is no recording named {name!r}", f"没有名为 {name!r} 的录制证据"),
            next_step=tell(f"Recordings that are shipped: {known}.", f"随附的录制证据：{known}。"),
        )
    body: Mapping[str, Any] = json.loads(meta.read_text(encoding="utf-8"))
    client, concerns = dict(body.get("client", {})), tuple(body.get("concerns", ()))
    return Recording(name, folder, str(body["recorded"]), client, concerns)


def list_recordings() -> list[str]:
    """Names of the shipped recordings, in order."""
    return sorted(path.parent.name for path in recordings_folder().glob("*/recording.json"))
