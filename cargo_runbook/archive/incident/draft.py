"""The draft of a postmortem, in Markdown and in HTML, in either language. People finish it: it says what is known."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from cargo_runbook.archive.incident.story import Place, Story
from cargo_runbook.archive.record import NOTE, NOTEBOOK
from cargo_runbook.texts import Language, Text, language_from

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def draft_markdown(story: Story, beside: Path, language: Language | None = None) -> str:
    """The draft in Markdown.

    Args:
        beside: the folder that links are relative to.
    """
    return _render("postmortem.md.j2", story, beside, language, escape=False)


def draft_html(story: Story, beside: Path, language: Language | None = None) -> str:
    """The draft as one HTML page that loads nothing and runs nothing."""
    return _render("postmortem.html.j2", story, beside, language, escape=True)


def _render(name: str, story: Story, beside: Path, language: Language | None, *, escape: bool) -> str:
    from jinja2 import Environment, StrictUndefined

    say = language or language_from()
    text = (files(__package__) / name).read_text(encoding="utf-8")
    environment = Environment(
        # Markdown is escaped by `md`.
        autoescape=escape,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = _plain

    def told(what: Text | str) -> str:
        return what.say(say) if isinstance(what, Text) else str(what)

    def link(place: Place) -> str:
        page = place.path / NOTEBOOK
        return _relative(page if page.exists() else place.path, beside)

    values: dict[str, Any] = {"story": story, "zh": say == "zh", "say": told, "link": link, "NOTE": NOTE}
    return environment.from_string(text).render(**values)


def _relative(path: Path, beside: Path) -> str:
    return Path(os.path.relpath(path.absolute(), beside.absolute())).as_posix()


def _plain(text: object) -> str:
    """Text in Markdown that is nothing but text, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
