"""Panels of the notebooks, a file each. All keep one contract, see `panel.py`."""

from __future__ import annotations

from cargo_runbook.views.panels.checks import ChecksPanel
from cargo_runbook.views.panels.conclude import ConcludePanel, NotesPanel
from cargo_runbook.views.panels.environment import EnvironmentPanel
from cargo_runbook.views.panels.fix import FixPanel
from cargo_runbook.views.panels.index import IndexPanel
from cargo_runbook.views.panels.language import LanguagePanel
from cargo_runbook.views.panels.panel import Panel
from cargo_runbook.views.panels.run import RunPanel
from cargo_runbook.views.panels.speech import SPEECH
from cargo_runbook.views.panels.symptom import SymptomPanel

__all__ = [
    "SPEECH",
    "ChecksPanel",
    "ConcludePanel",
    "EnvironmentPanel",
    "FixPanel",
    "IndexPanel",
    "LanguagePanel",
    "NotesPanel",
    "Panel",
    "RunPanel",
    "SymptomPanel",
]
