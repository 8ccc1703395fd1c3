"""Incidents: records and notes that belong together, and the postmortem that is drafted from them."""

from cargo_runbook.archive.incident.draft import draft_html, draft_markdown
from cargo_runbook.archive.incident.notes import write_note
from cargo_runbook.archive.incident.story import tell_story
from cargo_runbook.archive.incident.words import Story

__all__ = ["Story", "draft_html", "draft_markdown", "tell_story", "write_note"]
