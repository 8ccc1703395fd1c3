"""An explanation as an answer: cause, section, notebook with its parameters, and what tells the candidates apart."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.secret import Redactor
from cargo_runbook.symptoms.causes import causes
from cargo_runbook.symptoms.explaining import Explanation
from cargo_runbook.symptoms.patterns import UNKNOWN
from cargo_runbook.symptoms.subject import Subject, read_subject
from cargo_runbook.texts import Text

# Candidates that score less than this beside the first one are not worth a question.
_WORTH_ASKING = 0.45
_MOST = 3
_IN_REPLICATION = ("dns-unresolvable", "connection-refused-or-unreachable", "tls-trust", "http-vs-https")
FIRST_NOTEBOOK = "00_triage"


@dataclass(frozen=True)
class Answer:
    """What is shown. All texts in it are without secrets.

    Args:
        apart: candidate -> the question that proves or refutes it, where there is more than one.
        parameters: what the text fills in of the notebook's parameters.
    """

    explanation: Explanation
    subject: Subject
    section: str
    notebook: str
    parameters: Mapping[str, str]
    apart: Mapping[str, Text]
    redactor: Redactor

    @property
    def cause(self) -> str:
        return self.explanation.cause

    def command(self, environment: str = "ENV") -> str:
        """The command line that opens the notebook with the parameters."""
        image = self.parameters.get("image", "")
        filled = f" -p image={shlex.quote(image)}" if image else ""
        return f"cargo-runbook run {self.notebook} --env {environment}{filled}"

    def to_json(self) -> dict[str, Any]:
        """The answer as data."""
        return {
            "cause": self.cause,
            "causes": self.causes_json(),
            "section": self.section,
            "notebook": self.notebook,
            "parameters": dict(self.parameters),
            "subject": {
                "domain": self.subject.domain,
                "repository": self.subject.repository,
                "tag": self.subject.tag,
                "client": self.subject.client,
                "operation": self.subject.operation,
                "vantage": self.subject.vantage,
                "resolver": self.subject.resolver,
            },
            "apart": {cause: text.en for cause, text in self.apart.items()},
            "statements": [
                {"line": s.line, "cause": s.cause, "text": self.redactor.redact(s.text)}
                for s in self.explanation.statements
            ],
        }

    def causes_json(self) -> list[dict[str, Any]]:
        """The ranked causes as data, each with the words that decided."""
        return [
            {
                "cause": candidate.cause,
                "score": candidate.score,
                "evidence": [self.redactor.redact(words) for words in candidate.evidence],
                "line": candidate.line,
                "patterns": list(candidate.patterns),
            }
            for candidate in self.explanation.candidates
        ]


def answer(explanation: Explanation, redactor: Redactor, notebooks: frozenset[str] = frozenset()) -> Answer:
    """The answer that an explanation gives.

    Args:
        notebooks: those that there are; for a section whose notebook is not there the triage is named.
    """
    statement = next((s for s in explanation.statements if s.cause == explanation.cause), None)
    subject = read_subject(explanation.paste.text, statement.start if statement else 0)
    section = _section(explanation.cause, subject)
    notebook = NOTEBOOKS.get(section, FIRST_NOTEBOOK)
    if notebooks and notebook not in notebooks:
        notebook = FIRST_NOTEBOOK
    subject = _without_secrets(subject, redactor)
    parameters = {
        name: value
        for name in ("domain", "repository", "image", "client", "vantage")
        if (value := str(getattr(subject, name)))
    }
    return Answer(explanation, subject, section, notebook, parameters, _apart(explanation, subject), redactor)


def _section(cause: str, subject: Subject) -> str:
    if subject.client == "harbor replication" and cause in _IN_REPLICATION:
        return causes()["replication-stuck"].section
    entry = causes()[cause]
    return entry.section_in_pod if subject.vantage == "pod" else entry.section


def _apart(explanation: Explanation, subject: Subject) -> dict[str, Text]:
    worth = [c.cause for c in explanation.candidates if c.score >= _WORTH_ASKING][:_MOST]
    if explanation.cause == UNKNOWN or len(worth) < 2:
        return {}
    values = {"domain": subject.domain or "DOMAIN", "repository": subject.repository or "REPOSITORY"}
    return {cause: causes()[cause].tell.fill(values) for cause in worth}


def _without_secrets(subject: Subject, redactor: Redactor) -> Subject:
    return Subject(**{name: redactor.redact(value) for name, value in vars(subject).items()})
