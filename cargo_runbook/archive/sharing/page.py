"""One record as one HTML file, for those who have no Jupyter: nothing is loaded from anywhere, and no script runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo_runbook import views
from cargo_runbook.archive.files import parse, utc, write_text
from cargo_runbook.archive.keeping.seal import check_record
from cargo_runbook.archive.ledger import STEP_WORDS, LedgerError, read_account
from cargo_runbook.archive.ledger import Step as Ran
from cargo_runbook.archive.places import MANIFEST
from cargo_runbook.archive.reading.cells import cells_of_steps
from cargo_runbook.archive.reading.records import read_diagnosis, read_evidence_of, read_look, read_note
from cargo_runbook.archive.reading.rejudge import sealed_investigation
from cargo_runbook.archive.record import BY_HAND, NOTEBOOK, Record
from cargo_runbook.archive.sealing.look import target_rows
from cargo_runbook.archive.sharing.notebook import notebook_html
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.observations import Observation
from cargo_runbook.remedies.journal import FOLDER, PLAN, Change
from cargo_runbook.steps.names import matrix_table
from cargo_runbook.steps.step import Step
from cargo_runbook.tables import Table
from cargo_runbook.texts import Language, Text, language_from, tell
from cargo_runbook.views.svg import picture
from cargo_runbook.views.way import stations
from cargo_runbook.views.words import HEALTH, MEANINGS, SIGNS

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATE = "page.html.j2"
_LONGEST = 20_000
"""Characters of one answer that are shown; the whole stands in the record."""
_ACTION = dict.fromkeys(("effect", "host", "target", "request", "command", "diff"), "")
_EVENT = dict.fromkeys(("at", "event", "action", "reason", "operator", "proof"), "")
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
            tell(f"{target} can't be written: {error.strerror}", f"无法写入 {target}：{error.strerror}"),
            next_step=tell("Name another file.", "请换一个文件。"),
        ) from None


def page(record: Record, language: Language | None = None, *, bar: str = "") -> str:
    """The page as text, in the language (default: the reader's); `bar` is HTML that stands above it."""
    say = language or language_from()
    diagnosis = read_diagnosis(record)
    return (
        templates()
        .get_template(_TEMPLATE)
        .render(
            zh=say == "zh",
            say=say,
            bar=bar,
            record=record,
            header=record.header,
            health=HEALTH,
            diagnosis=diagnosis,
            # Without the client, from where it was looked.
            way=stations(diagnosis)[1:] if diagnosis else (),
            signs=SIGNS,
            meanings=MEANINGS,
            evidence=[shown_answer(each) for each in read_evidence_of(record)],
            # What is served is verified by the bar above it.
            problems=None if bar or not record.sealed else tuple(check_record(record.path)),
            made=utc(datetime.now(UTC)),
            targets=[(kind.say(say), name, value) for kind, name, value in target_rows(read_look(record) or {})],
            matrix=_matrix(record),
            style=(files(views) / "templates" / "notebook.css").read_text(encoding="utf-8"),
            picture=picture(diagnosis) if diagnosis else "",
            steps=_steps(record.path),
            by_hand=(record.path / BY_HAND).exists(),
            step_words=STEP_WORDS,
            changes=shown_changes(record.path),
            notebook=notebook_html(record.path / NOTEBOOK, say),
            note=read_note(record.path),
            manifest=_manifest(record.path / MANIFEST),
        )
    )


def templates(package: str = __package__, *, escape: bool = True) -> Environment:
    """The templates of a package of the archive, with those that are shared (`parts.html.j2`).

    Everything is escaped but for the notebook, which nbconvert has sanitised; and the page's policy lets no script run.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader(__package__, "")]),
        autoescape=escape,  # noqa: S701 - Markdown has its own
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _matrix(record: Record) -> Sequence[Table]:
    """Who resolved what, read out of the sealed evidence; nothing where it was not asked or the evidence was changed."""
    try:
        with sealed_investigation(record) as look:
            return look.look(_NAMES)[1]
    except RunbookError:
        return ()


def shown_answer(observation: Observation) -> dict[str, Any]:
    """One answer as the template `parts.html.j2` takes it, cut where it is very long."""
    parts = ("\n".join(_data(observation)), observation.output.rstrip(), observation.error.rstrip())
    said = "\n".join(part for part in parts if part)
    cut = len(said) > _LONGEST
    return {
        "id": observation.id,
        "vantage": str(observation.vantage),
        "question": str(observation.question),
        "status": str(observation.status),
        "at": observation.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "said": said[:_LONGEST] + ("\n…" if cut else ""),
    }


def _steps(folder: Path) -> Sequence[tuple[Ran, int]]:
    """The steps of the run by its ledger, each with the number of its cell: 0 where it has none."""
    try:
        steps = read_account(folder).steps
    except LedgerError:
        return ()
    if (folder / BY_HAND).exists():
        # Their cells are those that were executed, in that order.
        places = cells_of_steps(folder / NOTEBOOK)
        return [(step, places[step.id].number if step.id in places else 0) for step in steps]
    return [(step, step.cell + 1) for step in steps]


def _data(observation: Observation) -> Iterator[str]:
    """What an answer says beside its text: status and headers of HTTP, addresses of a name, a certificate's fields."""
    for name, value in observation.data.items():
        if name == "zh":
            # What the answer says in English already.
            continue
        if name == "headers" and isinstance(value, Mapping):
            yield from (f"{header}: {each}" for header, found in value.items()
                        for each in (found if isinstance(found, list) else [found]))  # fmt: skip
        else:
            yield f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def shown_changes(folder: Path) -> list[dict[str, Any]]:
    """Each change that is sealed in the record in a folder, as `parts.html.j2` takes it: plan, actions and journal."""
    found = []
    for each in sorted((folder / FOLDER).glob("*/")):
        try:
            plan = {**dict.fromkeys(("code", "plan", "digest"), ""), **parse((each / PLAN).read_bytes())}
            events = Change(each).events()
            actions = [{**_ACTION, **action} for action in plan.get("actions", ())]
        except (OSError, ValueError, TypeError):
            # Of another version, or damaged: its files are named with their digests.
            continue
        proof = next((event["proof"] for event in reversed(events) if "proof" in event), "")
        found.append({"id": each.name, "plan": plan, "actions": actions, "proof": proof,
                      "events": [{**_EVENT, **event} for event in events]})  # fmt: skip
    return found


def _manifest(path: Path) -> Sequence[tuple[str, int, str]]:
    try:
        found = parse(path.read_bytes())["files"]
        return [(name, entry["bytes"], entry["sha256"]) for name, entry in sorted(found.items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
