"""What goes to a worker for one run, and what comes back. Plain data: no secret can be in it, and no object of ours that
changes its shape between versions without `version` telling so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunOrder:
    """One run.

    `version` is of the program that sends it; `notebook` are the bytes of `runbook`; `parameters` hold references in the
    place of secrets. The inventory is not sent: `inventory` is its folder where the batch was begun, and
    `environment_sha256` the digest that the environment's file must have at the worker too (empty for a replay).
    `archive` is the folder that the record will be sealed in, `deadline` seconds for a cell, `topic` where the worker
    tells how far it is.
    """

    run: str
    version: str
    environment: str
    runbook: str
    notebook: bytes
    parameters: Mapping[str, Any]
    replay: str
    inventory: str
    environment_sha256: str
    archive: str
    deadline: int
    topic: str
    domain: str = ""


@dataclass(frozen=True)
class RunReturned:
    """What came of it: the finished draft as a parcel with what `RunResult` says, or the sentence why there is none, in
    English and Chinese."""

    parcel: bytes = b""
    result: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, str] = ("", "")
