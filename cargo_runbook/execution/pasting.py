"""A pasted error text on its way through a command or a notebook: understood, filled in, compared with what was proven."""

from __future__ import annotations

from cargo_runbook.archive.record import in_a_run
from cargo_runbook.errors import UsageError
from cargo_runbook.execution.runbooks import runbooks_folder
from cargo_runbook.findings import Diagnosis
from cargo_runbook.inventory.models import Environment
from cargo_runbook.secret import Redactor
from cargo_runbook.symptoms import Book
from cargo_runbook.symptoms import explain as explain_text
from cargo_runbook.symptoms.answer import Answer, answer
from cargo_runbook.symptoms.causes import cause_of
from cargo_runbook.views.panels import SymptomPanel
from cargo_runbook.views.pasted import PastedView


def understood(text: str, book: Book | None = None) -> Answer:
    """What a text says, with the notebook that deals with it.

    Args:
        book: patterns to use; by default those that come with the program.
    """
    try:
        notebooks = frozenset(path.stem for path in runbooks_folder().glob("*.ipynb"))
    except UsageError:
        notebooks = frozenset()
    return answer(explain_text(text, book), Redactor(), notebooks)


def image_of(given: Answer, environment: Environment) -> str:
    """The image of a text, if it is one of this environment's registry; empty: the inventory's own."""
    subject = given.subject
    here = subject.domain.lower() in (environment.domain.lower(), environment.authority.lower())
    return f"{subject.repository}:{subject.tag or 'latest'}" if here and subject.repository else ""


def proven_causes(given: Answer, diagnosis: Diagnosis) -> dict[str, str]:
    """Code of each root cause -> the cause that it is; of several the one that the text suggests."""
    candidates = [candidate.cause for candidate in given.explanation.candidates]
    return {code: cause_of(code, candidates) for code in diagnosis.root_causes}


def paste_error(text: str = "", incident: str = "") -> SymptomPanel:
    """A box to paste an error text into, `text` in it, and a field for the incident; in a run without anybody at it,
    what `text` says. Run again, its cell keeps what was typed, unless the parameters are others now."""
    interactive = not in_a_run()
    if (box := _boxes.get((text, incident))) is None:
        box = SymptomPanel(text, _view, incident=incident, interactive=interactive)
        if interactive:
            _boxes[text, incident] = box
    return box


_boxes: dict[tuple[str, str], SymptomPanel] = {}


def _view(text: str) -> PastedView:
    return PastedView(understood(text) if text.strip() else None)
