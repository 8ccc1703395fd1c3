"""Executable runbooks for a Harbor-based Cargo registry: the public face, for notebooks.

from cargo_runbook import open_environment

triage = open_environment("cargo")
triage.look("dns")
triage.verdict()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cargo_runbook.execution.batch.report import open_batch
    from cargo_runbook.execution.index import open_index
    from cargo_runbook.execution.opening import choose_environment, choose_language, open_environment
    from cargo_runbook.execution.pasting import paste_error
    from cargo_runbook.execution.postmortem import open_incident

__all__ = [
    "choose_environment",
    "choose_language",
    "open_batch",
    "open_environment",
    "open_incident",
    "open_index",
    "paste_error",
]


_PLACES = {
    "choose_environment": "opening",
    "choose_language": "opening",
    "open_environment": "opening",
    "open_batch": "batch.report",
    "open_incident": "postmortem",
    "open_index": "index",
    "paste_error": "pasting",
}


def __getattr__(name: str) -> Any:
    # Late, so that the command line need not import what only notebooks use, nor one notebook what another does.
    if name in _PLACES:
        return getattr(importlib.import_module(f"cargo_runbook.execution.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
