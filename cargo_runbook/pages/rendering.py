"""Templates of the pages. Everything that comes from a record is escaped; the one exception is nbconvert's sanitised HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from cargo_runbook.rules.catalog import catalog
from cargo_runbook.texts import Language
from cargo_runbook.views.words import HEALTH, MEANINGS

FILTERS = ("q", "env", "runbook", "code", "status", "since", "until", "incident")
"""Parameters of the list, as the command line calls them; `q` is text."""


def render(template: str, say: Language, **values: Any) -> str:
    """A page (or a part of one) in the language."""
    return (
        _templates()
        .get_template(f"{template}.html.j2")
        .render(
            say=say,
            zh=say == "zh",
            health=HEALTH,
            meanings={str(k): v for k, v in MEANINGS.items()},
            catalog=catalog(),
            **values,
        )
    )


def sentence(say: Language, text: str) -> str:
    """A page that says one thing, such as why there is nothing to see."""
    return render("sentence", say, text=text)


@cache
def _templates() -> Environment:
    folder = files(__package__) / "templates"

    def load(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    return Environment(
        loader=FunctionLoader(load), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
