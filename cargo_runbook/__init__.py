"""Executable runbooks for a Harbor-based Cargo registry: the public face, for notebooks.

from cargo_runbook import open_environment

triage = open_environment("cargo")
triage.look("dns")
triage.verdict()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cargo_runbook.execution.pasting import paste_error
    from cargo_runbook.execution.postmortem import open_incident
    from cargo_runbook.execution.triage import choose_environment, open_environment

__all__ = ["choose_environment", "open_environment", "open_incident", "paste_error"]


def __getattr__(name: str) -> Any:
    # Late, so that the command line need not import what only notebooks use.
    if name in __all__:
        from cargo_runbook.execution import pasting, postmortem, triage

        place = {"paste_error": pasting, "open_incident": postmortem}.get(name, triage)
        return getattr(place, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
