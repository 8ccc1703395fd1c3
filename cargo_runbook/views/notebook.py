"""What a notebook shows: a step, the verdict, the note about the record. Each is text and HTML at once.

All text is escaped by the templates: what hosts print is hostile input. Nothing is loaded from elsewhere, and no
script runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Undefined
from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.findings import Diagnosis, Finding, Verdict
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.observations import Observation, Status
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.tables import Table
from cargo_runbook.texts import Text
from cargo_runbook.views import selection, svg, terminal, words

VERDICT_TYPE = "application/vnd.cargo-runbook.verdict+json"
"""Media type of a verdict in the outputs of a notebook: environment, status, root causes."""

COPYING = Text("copy", "复制")
"""On the button beside an output."""

_ORDER = (Verdict.FAULT, Verdict.UNKNOWN, Verdict.SKIPPED, Verdict.OK)


class View:
    """Something that a notebook can show; subclasses say with which template and as which text."""

    template = ""

    def _values(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def _text(self) -> RenderableType:
        raise NotImplementedError

    def to_html(self, *, live: bool = False) -> str:
        """A self-contained fragment of HTML, with its style.

        Args:
            live: with buttons that copy. They are not in what is kept: there no script runs.
        """
        return _templates().get_template(self.template).render(live=live, copying=COPYING, **self._values())

    def __str__(self) -> str:
        return terminal.as_text(self._text())

    __repr__ = __str__

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # Both arguments are hints of IPython's display protocol that may be ignored.
        return {"text/plain": str(self), "text/html": self.to_html()}


@dataclass(frozen=True, repr=False)
class StepView(View):
    """One step: its question, the answer in a line, what was found, its tables, the evidence folded away.

    Args:
        check: name of the check or of the section's step.
        question: by default the check's.
    """

    environment: str
    check: str
    findings: tuple[Finding, ...]
    evidence: tuple[Observation, ...] = ()
    replayed: str = ""
    question: Text | None = None
    tables: tuple[Table, ...] = ()

    template = "step.html.j2"

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings; `skipped` when there is none."""
        found = {finding.status for finding in self.findings}
        return next((verdict for verdict in _ORDER if verdict in found), Verdict.SKIPPED)

    @property
    def answer(self) -> Text:
        """The answer in one line: the summary of the finding that decides."""
        verdict = self.verdict
        deciding = next((finding for finding in self.findings if finding.status is verdict), None)
        return deciding.summary if deciding else Text("Nothing was asked", "没有进行任何检查")

    def _values(self) -> Mapping[str, Any]:
        rows = sorted(self.findings, key=lambda finding: _ORDER.index(finding.status))
        return {"step": self, "question": self._asked, "rows": rows}

    @property
    def _asked(self) -> Text:
        return self.question or words.QUESTIONS[self.check]

    def _text(self) -> RenderableType:
        question = self._asked
        lines: list[RenderableType] = [RichText(f"{question.en} {question.zh}")]
        sign = words.SIGNS[self.verdict]
        if self.findings or not self.tables:
            lines.append(RichText(f"{sign} {words.one_line(self.answer.en)} · {words.one_line(self.answer.zh)}"))
        lines += [terminal.plain_table(table) for table in self.tables]
        for observation in self.evidence:
            lines.append(RichText(f"  {observation.id}  {words.asked(observation)}: {result(observation)}"))
        if self.replayed:
            lines.append(RichText(words.one_line(self.replayed)))
        return Group(*lines)


@dataclass(frozen=True, repr=False)
class VerdictCard(View):
    """The verdict: a card a root cause, the path of the pull, the chains with their evidence."""

    diagnosis: Diagnosis
    evidence: tuple[Observation, ...] = ()
    contact: str = ""

    template = "verdict.html.j2"

    def _values(self) -> Mapping[str, Any]:
        diagnosis = self.diagnosis
        roots = diagnosis.roots()
        unclear = selection.unclear(diagnosis)
        sentence = words.without_roots(diagnosis)
        return {
            "diagnosis": diagnosis,
            "roots": roots,
            "unclear": unclear,
            "followers": selection.followers(diagnosis),
            "evidence": self.evidence,
            "known": {observation.id: observation for observation in self.evidence},
            "catalog": catalog(),
            "notebooks": NOTEBOOKS,
            "path": Markup(svg.picture(diagnosis)),  # noqa: S704 - our own drawing, its texts escaped
            "plain_verdict": sentence,
            "contact": self.contact,
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        # For programs that read executed notebooks: nothing of it depends on time or machine.
        found = {
            "environment": self.diagnosis.environment,
            "status": str(self.diagnosis.status),
            "root_causes": list(self.diagnosis.root_causes),
        }
        return {**super()._repr_mimebundle_(), VERDICT_TYPE: found}

    def _text(self) -> RenderableType:
        table = terminal.verdict_table([self.diagnosis], "en")
        return Group(table, RichText(), terminal.verdict_card(self.diagnosis, self.evidence, "en"))


@dataclass(frozen=True, repr=False)
class RecordNote(View):
    """The last line of a runbook: where the record is. `head` is empty while the run that will seal it goes on;
    `follows` names the record that was sealed before it out of the same notebook,
    `fixes` what was changed, with its proof."""

    record: str
    path: str
    head: str = ""
    status: str = ""
    root_causes: tuple[str, ...] = ()
    replayed: str = ""
    sections: tuple[str, ...] = field(default=())
    follows: str = ""
    fixes: tuple[tuple[str, Text], ...] = ()

    template = "record.html.j2"

    def _values(self) -> Mapping[str, Any]:
        return {"note": self, "health": words.HEALTH.get(self.status, Text(self.status, self.status))}

    def _text(self) -> RenderableType:
        sealed = f"head {words.one_line(self.head)}" if self.head else "sealed when the run ends"
        lines = [f"record {words.one_line(self.record)} ({sealed})", f"  {words.one_line(self.path)}"]
        if self.replayed:
            lines.append(f"  {words.one_line(self.replayed)}")
        return Group(*map(RichText, lines))


def result(observation: Observation) -> str:
    """How asking ended, in few words: `exit code 1`, `HTTP 401`, `NXDOMAIN`, `timeout`, `refused`."""
    data = observation.data
    if observation.status is not Status.ANSWERED:
        reason = data.get("reason") or observation.error
        return words.one_line(f"{observation.status}: {reason}" if reason else observation.status)
    if observation.exit_code is not None:
        return f"exit code {observation.exit_code}"
    if "status" in data:
        return words.one_line(f"HTTP {data['status']}")
    if "rcode" in data:
        addresses = ", ".join(map(str, data.get("addresses") or ()))
        return words.one_line(f"{data['rcode']} {addresses}")
    if "trusted" in data:
        return "trusted" if data["trusted"] else words.one_line(f"not trusted: {data.get('problem', '')}")
    return str(observation.status)


def compile_templates() -> None:
    """Compiles all templates ahead of their use; it takes longer than to fill them."""
    templates = _templates()
    for name in templates.list_templates(extensions=["j2"]):
        templates.get_template(name)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("cargo_runbook.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every expression passes here: control characters become visible before the template escapes the rest.
        finalize=_visible,
    )
    templates.globals.update(words=words, result=result, named=_named, details=_details)
    return templates


def _visible(value: object) -> object:
    return value if isinstance(value, Markup | Undefined) else words.plain(value)


def _named(codes: Sequence[str]) -> list[tuple[str, Text]]:
    known = catalog()
    return [(code, known[code].title if code in known else Text(code, code)) for code in codes]


def _details(observation: Observation) -> str:
    """The structured part of an answer, a value a line: `headers.www-authenticate: Bearer ...`."""
    return "\n".join(f"{name}: {value}" for name, value in _flat("", observation.data))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}".lstrip("."), inner)
    elif isinstance(value, list | tuple) and all(isinstance(inner, str | int | float) for inner in value):
        yield name, ", ".join(map(str, value)) or "-"
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _flat(f"{name}[{number}]", inner)
    else:
        yield name, str(value)
