"""All steps of a runbook for one environment, each with the commands that its questions are."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cargo_runbook.connections import Connections, Evidence
from cargo_runbook.errors import UsageError
from cargo_runbook.findings import CHECKS
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.inventory.models import Environment
from cargo_runbook.investigation import Investigation
from cargo_runbook.observations import Command, DnsQuery, HttpRequest, Question, TlsHandshake
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.shell.expected import FILL_INS, Expected
from cargo_runbook.shell.typed import Typed, Typist
from cargo_runbook.steps import SECTIONS
from cargo_runbook.texts import Text, tell
from cargo_runbook.views.words import QUESTIONS

VERDICT = "verdict"
_VERDICT = Text("What else the verdict looks at", "结论还需要的检查")


@dataclass(frozen=True)
class SheetStep:
    """One step of the runbook.

    Args:
        name, title: as the notebook has them.
        sections: of the guide.
        commands: what it asks, in an order in which it can be typed.
        deeper: what it asks besides where an answer shows that something is wrong.
    """

    name: str
    title: Text
    sections: tuple[str, ...]
    commands: tuple[Typed, ...] = ()
    deeper: tuple[Typed, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The commands of a whole runbook. `cas` maps a variable of the shell to the path of a CA file."""

    environment: Environment
    runbook: str
    steps: tuple[SheetStep, ...]
    cas: dict[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> Iterator[Typed]:
        for step in self.steps:
            yield from (*step.commands, *step.deeper)


def step_names(notebook: Path) -> tuple[str, ...]:
    """The steps of a notebook in its order: what it looks at, and `verdict`.

    Raises:
        UsageError: it has no steps that ask anything.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    names: list[str] = []
    for cell in cells:
        if cell["cell_type"] == "code":
            names += _calls("".join(cell["source"]))
    if not names or notebook.stem not in SECTIONS:
        raise UsageError(
            tell(f"{notebook.stem} asks nothing of an environment", f"{notebook.stem} 不检查任何环境"),
            next_step=tell(f"There are: {', '.join(SECTIONS)}.", f"可选：{', '.join(SECTIONS)}。"),
        )
    return tuple(dict.fromkeys(names))


def _calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        match node.func.attr, node.args:
            case "look", [ast.Constant(value=str(name)), *_]:
                yield name
            case "verdict", _:
                yield VERDICT


def make_sheet(
    environment: Environment,
    notebook: Path,
    lookup: Callable[[str], Environment],
    *,
    answers: Connections | None = None,
    image: str = "",
    account: str = "",
    action: str = "",
) -> Sheet:
    """The commands of a runbook for an environment. Nothing is sent anywhere.

    Args:
        lookup: another environment of the inventory by name.
        answers: recorded answers, for what is asked then; default: those of an installation that is well, and
            beside them what is asked where it is not.
        image, account, action: as for a diagnosis.
    """
    names = step_names(notebook)
    typist = Typist(environment, lookup)

    def walk(connections: Connections) -> dict[str, list[Question]]:
        asked = Evidence(connections)
        investigation = Investigation(environment, asked, image=image, account=account, action=action)
        walked = _walk(investigation, notebook.stem, names)
        for observation in investigation.evidence:
            typist.note(observation)
        return walked

    first = walk(answers or Expected(environment))
    later = {} if answers else walk(Expected(environment, troubled=True))
    known: set[str] = set()
    steps = []
    for name in names:
        commands = _typed(typist, first[name], known)
        deeper = _typed(typist, later.get(name, ()), known | _keys(q for n in names for q in first[n]))
        known |= {typed.asks.key() for typed in (*commands, *deeper)}
        steps.append(SheetStep(name, _title(notebook.stem, name), _sections(notebook.stem, name), commands, deeper))
    others = {name for step in steps for c in (*step.commands, *step.deeper) if (name := c.asks.environment)}
    cas = {typist.ca(each): str(each.path(each.ca)) for each in (environment, *map(lookup, others)) if each.ca}
    return Sheet(environment, notebook.stem, tuple(steps), cas)


def _keys(questions: Iterable[Question]) -> set[str]:
    return {question.key() for question in questions}


def _walk(investigation: Investigation, runbook: str, names: Sequence[str]) -> dict[str, list[Question]]:
    """What each step asks that no step before it has asked."""
    steps = {step.name: step for step in SECTIONS[runbook]}
    asked: dict[str, list[Question]] = {}
    known: set[str] = set()
    for name in names:
        if name == VERDICT:
            investigation.diagnose()
        elif name in steps:
            investigation.look(steps[name])
        else:
            investigation.check(name)
        new = [each.question for each in investigation.evidence if each.question.key() not in known]
        asked[name] = sorted(new, key=_order)
        known |= _keys(new)
    return asked


def _order(question: Question) -> tuple[object, ...]:
    """What an answer tells before what is asked with it; then machine by machine, so that one changes place seldom."""
    kinds = (DnsQuery, TlsHandshake, HttpRequest)
    kind = next((place for place, each in enumerate(kinds) if isinstance(question, each)), len(kinds))
    bearer = isinstance(question, HttpRequest) and bool(question.bearer)
    account = question.account if isinstance(question, HttpRequest) else ""
    container = question.vantage.container if isinstance(question, Command) else ""
    on = str(question.vantage.place in ("operator", "cluster")) if kind == len(kinds) else ""
    filled = max((place for place, text in enumerate(FILL_INS, 1) if text in str(question)), default=0)
    return (kind, bearer, filled, not on, question.vantage.host, container, account, str(question), question.attempt)


def _typed(typist: Typist, questions: Sequence[Question], known: set[str]) -> tuple[Typed, ...]:
    return tuple(typist.type(question) for question in questions if question.key() not in known)


def _title(runbook: str, name: str) -> Text:
    if name == VERDICT:
        return _VERDICT
    found = next((step.title for step in SECTIONS[runbook] if step.name == name), None)
    return found or QUESTIONS[name]


def _sections(runbook: str, name: str) -> tuple[str, ...]:
    """The guide's sections that a step is about: those of its codes, else the runbook's own."""
    own = tuple(section for section, notebook in NOTEBOOKS.items() if notebook == runbook)
    step = next((step for step in SECTIONS[runbook] if step.name == name), None)
    codes = step.codes if step else ()
    if step is None and name in CHECKS:
        codes = tuple(code for code, entry in catalog().items() if entry.check == name)
    return tuple(dict.fromkeys(catalog()[code].section for code in codes)) or own
