"""An executed notebook as HTML in which nothing runs, and each cell has a place that a link can lead to."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from cargo_runbook.texts import Language

_UNSHOWN = re.compile(r"<(style|script|svg)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"<(/?)h([1-6])\b")
_TAGS = [
    *("b", "blockquote", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "em", "figcaption", "figure"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "section", "small", "span", "strong"),
    *("sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
]
_FORMS, _PICTURES = ("text/html", "text/plain"), ("image/png", "image/jpeg")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_MARK = "n"
_CELL = re.compile(rf'<div class="(cell [a-z_ -]+)" id="cell-id={_MARK}(\d+)">')


def anchor(cell: int, prefix: str = "") -> str:
    """Id of the place of a cell (its number, from 1) on a page."""
    return f"{prefix}cell-{cell}"


def notebook_html(path: Path, say: Language, only: Collection[int] | None = None, prefix: str = "") -> str:
    """The notebook as HTML without scripts, styles and handlers; empty where there is none to show.

    Args:
        only: numbers of the cells that are wanted (default: all).
        prefix: stands before the ids of the cells, where several notebooks stand on one page.
    """
    import nbformat
    from nbformat.reader import NotJSONError

    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for number, cell in enumerate(notebook.cells, start=1):
            # The exporter gives each cell its id as a place; ours are the numbers that people read.
            cell.id = f"{_MARK}{number}"
            # Tags and sizes of pictures would stand in the page as they are.
            cell.metadata = {}
        notebook.nbformat_minor = 5
        notebook.cells = [c for n, c in enumerate(notebook.cells, start=1) if only is None or n in only]
        for cell in notebook.cells:
            if "outputs" in cell:
                cell.outputs = list(filter(None, map(_shown, cell.outputs)))
        if not notebook.cells:
            return ""
        body, _ = _exporter().from_notebook_node(notebook)
    except (
        OSError,
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
        AssertionError,
        RecursionError,
        NotJSONError,
        nbformat.ValidationError,
    ):
        # None that can be shown; that it was changed, if so, is told elsewhere.
        return ""
    # The page has a first heading and a second level of its own.
    lowered = _HEADING.sub(lambda found: f"<{found[1]}h{min(6, int(found[2]) + 2)}", str(body))
    return _CELL.sub(lambda found: _place(int(found[2]), found[1], say, prefix), lowered)


def _shown(output: Any) -> Any:
    """An output with those of its forms that can be made safe; None where it has none."""
    if output.output_type in ("stream", "error"):
        return output
    kept = {kind: "".join(value) for kind, value in output.data.items() if kind in (*_FORMS, *_PICTURES)}
    if "text/html" in kept:
        # Only for the looks: their content would stand there as text. What is safe is decided by the exporter's filter.
        kept["text/html"] = _UNSHOWN.sub("", kept["text/html"])
    kept = {kind: value for kind, value in kept.items() if kind in _FORMS or _BASE64.fullmatch(value)}
    output.data, output.metadata = kept, {}
    return output if kept else None


@cache
def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    clean = SanitizeHTML(tags=_TAGS, attributes={"*": ["class"]}, strip=True)  # type: ignore[no-untyped-call]
    # In the place of nbconvert's filter, which knows no details and no table heads.
    filters = {"clean_html": lambda element: clean.sanitize_html_tags(str(element))}  # type: ignore[no-untyped-call]
    # A heading's own link is taken out with what leads elsewhere; its sign would stay behind it.
    options = {"template_name": "basic", "sanitize_html": True, "filters": filters, "anchor_link_text": ""}
    return HTMLExporter(**options)  # type: ignore[no-untyped-call]


def _place(number: int, kind: str, say: Language, prefix: str) -> str:
    """The begin of a cell. It can be focused, so that whoever follows a link by keyboard goes on from there."""
    name = f"单元 {number}" if say == "zh" else f"cell {number}"
    place = anchor(number, prefix)
    return (
        f'<div class="{kind}" id="{place}" role="group" aria-label="{name}" tabindex="-1">'
        f'<a class="number" href="#{place}">{name}</a>'
    )
