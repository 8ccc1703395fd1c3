"""One record as one HTML file, for those who have no Jupyter: nothing is loaded from anywhere, and no script runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from cargo_runbook import views
from cargo_runbook.archive.files import utc, write_text
from cargo_runbook.archive.keeping.seal import check_record
from cargo_runbook.archive.ledger import STEP_WORDS, LedgerError, read_account
from cargo_runbook.archive.ledger import Step as Ran
from cargo_runbook.archive.places import MANIFEST
from cargo_runbook.archive.reading.records import read_diagnosis, read_evidence_of, read_look
from cargo_runbook.archive.reading.rejudge import sealed_investigation
from cargo_runbook.archive.record import NOTEBOOK, Record
from cargo_runbook.archive.sealing.look import target_rows
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import CHECKS
from cargo_runbook.observations import Observation
from cargo_runbook.remedies.journal import FOLDER, PLAN, Change
from cargo_runbook.steps.names import matrix_table
from cargo_runbook.steps.step import Step
from cargo_runbook.tables import Table
from cargo_runbook.texts import Language, Text, language_from, tell
from cargo_runbook.views.svg import pull_path
from cargo_runbook.views.words import HEALTH, MEANINGS, SIGNS, STATIONS

_TEMPLATE = "page.html.j2"
_UNSHOWN = re.compile(r"<(style|script|svg)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"<(/?)h([1-6])\b")
_TAGS = [
    *("b", "blockquote", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "em", "figcaption", "figure"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "section", "small", "span", "strong"),
    *("sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
]
_LONGEST = 20_000
"""Characters of one answer that are shown; the whole stands in the record."""
_NAMES = Step("names", Text("Who resolves what?", "各位置如何解析？"), ("dns", "matrix"), (), matrix_table)


def write_page(record: Record, target: Path, language: Language | None = None) -> None:
    """Writes the page, whole or not at all.

    Raises:
        UsageError: the file can't be written.
        UnreadableRecord: a file of the record can't be read.
    """
    text = page(record, language)
    try:
        write_text(target, text)
    except OSError as error:
        raise UsageError(
            f"{target} can't be written: {error.strerror}", next_step=tell("Name another file.", "请换一个文件。")
        ) from None


def page(record: Record, language: Language | None = None, *, bar: str = "") -> str:
    """The page as text, in the language (default: the reader's); `bar` is HTML that stands above it."""
    from jinja2 import Environment, StrictUndefined

    # Everything is escaped but for the notebook, which nbconvert has sanitised; and the page's policy lets no script run.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    say = language or language_from()
    diagnosis = read_diagnosis(record)
    template = environment.from_string((files(__name__.rpartition(".")[0]) / _TEMPLATE).read_text(encoding="utf-8"))
    return template.render(
        zh=say == "zh",
        say=say,
        bar=bar,
        record=record,
        header=record.header,
        health=HEALTH,
        diagnosis=diagnosis,
        cells=diagnosis.cells() if diagnosis else {},
        checks=CHECKS,
        stations=STATIONS,
        signs=SIGNS,
        meanings=MEANINGS,
        evidence=[_shown(each) for each in read_evidence_of(record)],
        # What is served is verified by the bar above it.
        problems=None if bar or not record.sealed else tuple(check_record(record.path)),
        made=utc(datetime.now(UTC)),
        targets=[(kind.say(say), name, value) for kind, name, value in target_rows(read_look(record) or {})],
        matrix=_matrix(record),
        style=(files(views) / "templates" / "notebook.css").read_text(encoding="utf-8"),
        picture=pull_path(diagnosis) if diagnosis else "",
        steps=_steps(record.path),
        step_words=STEP_WORDS,
        changes=_changes(record.path),
        notebook=_notebook(record.path / NOTEBOOK),
        manifest=_manifest(record.path / MANIFEST),
    )


def _matrix(record: Record) -> Sequence[Table]:
    """Who resolved what, read out of the sealed evidence; nothing where it was not asked or the evidence was changed."""
    try:
        with sealed_investigation(record) as look:
            return look.look(_NAMES)[1]
    except RunbookError:
        return ()


def _shown(observation: Observation) -> dict[str, Any]:
    said = "\n".join(part for part in (observation.output.rstrip(), observation.error.rstrip()) if part)
    cut = len(said) > _LONGEST
    return {
        "id": observation.id,
        "vantage": str(observation.vantage),
        "question": str(observation.question),
        "status": str(observation.status),
        "at": observation.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "said": said[:_LONGEST] + ("\n…" if cut else ""),
    }


def _notebook(path: Path) -> str:
    """The executed notebook as HTML without scripts, styles and handlers; empty where there is none to show."""
    import nbformat
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors.sanitize import SanitizeHTML
    from nbformat.reader import NotJSONError

    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, AttributeError, NotJSONError):
        return ""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        data = output.get("data", {})
        if "text/html" in data:
            # Only for the looks: their content would stand there as text. What is safe is decided below.
            data["text/html"] = _UNSHOWN.sub("", data["text/html"])
    clean = SanitizeHTML(tags=_TAGS, attributes={"*": ["class"]}, strip=True)  # type: ignore[no-untyped-call]
    # In the place of nbconvert's filter, which knows no details and no table heads.
    filters = {"clean_html": lambda element: clean.sanitize_html_tags(str(element))}  # type: ignore[no-untyped-call]
    exporter = HTMLExporter(template_name="basic", sanitize_html=True, filters=filters)  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(notebook)
    # The page has a first heading and a second level of its own.
    return _HEADING.sub(lambda found: f"<{found[1]}h{min(6, int(found[2]) + 2)}", str(body))


def _steps(folder: Path) -> Sequence[Ran]:
    """The steps of the run by its ledger; none where it was stepped through by hand."""
    try:
        return read_account(folder).steps
    except LedgerError:
        return ()


def _changes(folder: Path) -> list[dict[str, Any]]:
    """Each change that was made during the run: its plan, and the journal's events."""
    found = []
    for each in sorted((folder / FOLDER).glob("*/")):
        try:
            plan = json.loads((each / PLAN).read_bytes())
            events = Change(each).events()
        except (OSError, ValueError):
            continue
        proof = next((event["proof"] for event in reversed(events) if "proof" in event), "")
        found.append({"id": each.name, "plan": plan, "events": events, "proof": proof})
    return found


def _manifest(path: Path) -> Sequence[tuple[str, int, str]]:
    try:
        found = json.loads(path.read_bytes())["files"]
        return [(name, entry["bytes"], entry["sha256"]) for name, entry in sorted(found.items())]
    except (OSError, ValueError, KeyError, TypeError):
        return []
