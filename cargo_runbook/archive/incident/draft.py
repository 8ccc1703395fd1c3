"""The draft of a postmortem, in Markdown and in HTML, in either language. People finish it: it says what is known.

Each line leads to what it rests on: in Markdown to the files of the record, in HTML to what is cited of it at the end of
the same page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cargo_runbook.archive.incident.words import Place, Story
from cargo_runbook.archive.places import MANIFEST
from cargo_runbook.archive.reading.records import UnreadableRecord, read_evidence_of, read_note
from cargo_runbook.archive.record import EVIDENCE, NOTE, NOTE_FILE, NOTEBOOK, Record
from cargo_runbook.archive.sharing.notebook import notebook_html
from cargo_runbook.archive.sharing.page import shown_answer, shown_changes, templates
from cargo_runbook.remedies.journal import FOLDER
from cargo_runbook.texts import Language, Text, language_from

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def draft_markdown(story: Story, beside: Path, language: Language | None = None) -> str:
    """The draft in Markdown.

    Args:
        beside: the folder that links are relative to.
    """

    def link(place: Place, anchor: str) -> str:
        path = place.path / _file(place, anchor)
        # JupyterLab goes to the cell; others open the notebook.
        cell = f"#cell-id={place.cell_id}" if path.name == NOTEBOOK and place.cell_id else ""
        return _relative(path if path.exists() else place.path, beside) + cell

    return _render("postmortem.md.j2", story, language, link)


def draft_html(story: Story, beside: Path, language: Language | None = None) -> str:
    """The draft as one HTML page that loads nothing and runs nothing.

    Args:
        beside: the folder that the links to whole records are relative to.
    """
    say = language or language_from()
    cited = templates(__package__).get_template("cited.html.j2").render(
        zh=say == "zh", records=[_cited(record, story, beside, say) for record in story.records]
    )  # fmt: skip

    def link(place: Place, anchor: str) -> str:
        wanted = f"{place.record}.{anchor}"
        return wanted if f'id="{wanted}"' in cited else f"{place.record}.record"

    return _render("postmortem.html.j2", story, say, link, cited=cited)


def _render(
    name: str, story: Story, language: Language | None, link: Callable[[Place, str], str], **more: Any
) -> str:  # fmt: skip
    say = language or language_from()
    # Markdown is escaped by `md`.
    environment = templates(__package__, escape=name.endswith(".html.j2"))
    environment.filters["md"] = _plain

    def told(what: Text | str) -> str:
        return what.say(say) if isinstance(what, Text) else str(what)

    values: dict[str, Any] = {"story": story, "zh": say == "zh", "say": told, "link": link, "NOTE": NOTE, **more}
    return environment.get_template(name).render(**values)


def _file(place: Place, anchor: str) -> str:
    """The file of a record that holds what an anchor stands for on its page."""
    if anchor == "head":
        return MANIFEST
    if anchor == place.evidence:
        return EVIDENCE
    if place.change:
        return f"{FOLDER}/{place.change}"
    return NOTE_FILE if place.note else NOTEBOOK


def _cited(record: Record, story: Story, beside: Path, say: Language) -> dict[str, Any]:
    """What the lines of a story lead to in one record."""
    name = record.header.record
    places = [place for place in _places(story) if place.record == name]
    evidence = {place.evidence for place in places}
    answers: list[dict[str, Any]] = []
    with suppress(UnreadableRecord):
        answers = [shown_answer(each) for each in read_evidence_of(record) if each.id in evidence]
    cells = {place.cell for place in places if place.cell}
    return {
        "id": name,
        "link": _relative(record.path, beside),
        "header": record.header,
        "head": record.head,
        "note": read_note(record.path),
        "changes": shown_changes(record.path),
        "evidence": answers,
        "cells": notebook_html(record.path / NOTEBOOK, say, cells, f"{name}."),
    }


def _places(story: Story) -> Iterator[Place]:
    for impact in story.impacts:
        yield from (impact.first, impact.last)
    for cause in story.causes:
        yield cause.place
        yield from (place for _, _, place in cause.chain)
    yield from (event.place for event in story.events)
    yield from (question.place for question in story.questions)
    yield from map(story.place_of, story.changes)


def _relative(path: Path, beside: Path) -> str:
    return Path(os.path.relpath(path.absolute(), beside.absolute())).as_posix()


def _plain(text: object) -> str:
    """Text in Markdown that is nothing but text, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
