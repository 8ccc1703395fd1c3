"""How a diagnosis looks in a terminal: the verdict table, the verdict card, what to do next.

Everything is a rich renderable, fits 80 columns, and loses nothing but colour when it is piped.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as RichText

from cargo_runbook.findings import CHECKS, Diagnosis, Finding, Health, Verdict
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.observations import Observation
from cargo_runbook.pasteable import pasteable
from cargo_runbook.rules.catalog import catalog
from cargo_runbook.tables import Cell
from cargo_runbook.tables import Table as StepTable
from cargo_runbook.texts import Language, Text, language_from
from cargo_runbook.views import words
from cargo_runbook.views.selection import followers, unclear

STYLES: Mapping[Verdict, str] = {
    Verdict.OK: "green",
    Verdict.FAULT: "bold red",
    Verdict.SKIPPED: "dim",
    Verdict.UNKNOWN: "yellow",
}

_TRIAGE = "00_triage"
# Codes that are named of those that were ruled out or not tested.
_NAMED = 4
# Columns from which on evidence stands beside what it shows.
_WIDE = 104


def verdict_table(diagnoses: Sequence[Diagnosis], language: Language | None = None) -> RenderableType:
    """Environment x check, a row a diagnosis, with its legend below."""
    say = language or language_from()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(Text("environment", "环境").say(say), overflow="fold", max_width=20)
    for check in CHECKS:
        table.add_column(check if say == "en" else words.STATIONS[check].zh, no_wrap=True)
    for diagnosis in diagnoses:
        name = RichText(words.one_line(diagnosis.environment))
        table.add_row(name, *[_cell(diagnosis, check, verdict) for check, verdict in diagnosis.cells().items()])
    legend = RichText("   ").join(
        RichText(f"{words.SIGNS[v]} {meaning.say(say)}", style=STYLES[v]) for v, meaning in words.MEANINGS.items()
    )
    return Group(
        table,
        RichText(),
        legend,
        *[_stamp(text, say) for text in sorted({d.replayed for d in diagnoses if d.replayed})],
    )


def verdict_card(
    diagnosis: Diagnosis, evidence: Sequence[Observation] = (), language: Language | None = None
) -> RenderableType:
    """Each root cause with its chain, what could not be told, what was ruled out, what could not be tested."""
    say = language or language_from()
    known = {observation.id: observation for observation in evidence}
    parts: list[RenderableType] = []
    roots = diagnosis.roots()
    for root in roots:
        parts += [_title(diagnosis, root), *_chain(root, known, say)]
    if not roots:
        sentence = words.without_roots(diagnosis)
        style = STYLES[Verdict.OK if diagnosis.status is Health.HEALTHY else Verdict.UNKNOWN]
        parts.append(_line(f"{words.one_line(diagnosis.environment)}: {sentence.say(say)}", 0, style=f"bold {style}"))
    for finding in unclear(diagnosis):
        parts += [
            _line(f"? {_code(finding)}{words.one_line(finding.summary.say(say))}", 2),
            *_chain(finding, known, say),
        ]
    for finding in followers(diagnosis):
        why = words.FOLLOWS_FROM.fill({"codes": ", ".join(finding.consequence_of)}).say(say)
        parts.append(_line(f"{finding.code} {words.one_line(finding.summary.say(say))} ({why})", 2, style="dim"))
    # A healthy path rules everything out; that needs no list.
    refuted = diagnosis.refuted if diagnosis.status is not Health.HEALTHY else ()
    for label, codes in ((words.RULED_OUT, refuted), (words.UNTESTED, diagnosis.untested)):
        if codes:
            parts.append(_line(f"{label.say(say)}: {named(codes, say, _NAMED)}", 2, style="dim"))
    if diagnosis.replayed:
        parts.append(_stamp(diagnosis.replayed, say, indent=2))
    return Group(*parts)


def plain_table(shown: StepTable, language: Language | None = None) -> RenderableType:
    """A step's table, in one language; a verdict is a sign before the value."""
    say = language or language_from()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in shown.columns:
        table.add_column(words.one_line(column.say(say)), overflow="fold")
    for row in shown.rows:
        table.add_row(*[_value(cell, say) for cell in row])
    parts: list[RenderableType] = [RichText(words.one_line(shown.title.say(say)), style="bold"), table]
    if shown.note is not None:
        parts.append(RichText(words.one_line(shown.note.say(say)), style="dim"))
    return Group(*parts)


def next_steps(diagnoses: Sequence[Diagnosis], language: Language | None = None, *, replay: str = "") -> RenderableType:
    """Commands to type next, each with what it is for. Nothing when all is healthy.

    Args:
        replay: the recording that was looked at, where it was named: each command is about it as well.
    """
    say = language or language_from()
    ill = [d.environment for d in diagnoses if d.status is not Health.HEALTHY]
    if not ill:
        return Group()
    chosen = " ".join(f"--env {words.one_line(name)}" for name in ill[:3])
    roots = {NOTEBOOKS.get(root.section, ""): d.environment for d in diagnoses for root in d.roots()}
    sections = [
        (f"cargo-runbook run {notebook} --env {words.one_line(name)}", Text("the section of the guide", "指南对应章节"))
        for notebook, name in sorted(roots.items())
        if notebook not in ("", _TRIAGE)
    ]
    steps = [
        *sections[:3],
        (f"cargo-runbook run {_TRIAGE} {chosen}", Text("keep it as a record", "留下记录")),
        ("cargo-runbook notebook", Text("step through it", "逐步排查")),
    ]
    about = f" --replay {words.one_line(replay)}" if replay else ""
    return _Steps(
        f"{words.NEXT.say(say)}:", [(pasteable(f"{command}{about}"), purpose.say(say)) for command, purpose in steps]
    )


@dataclass(frozen=True)
class _Steps:
    """Commands beside what they are for; below it where that does not fit, since a command in two lines is two."""

    label: str
    steps: Sequence[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = Table.grid(padding=(0, 3, 0, 0))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        for number, (command, purpose) in enumerate(self.steps):
            label = RichText("" if number else self.label, style="bold")
            grid.add_row(label, RichText(command, style="cyan"), RichText(purpose))
        widths = [max(map(cell_len, column)) for column in ([self.label], *zip(*self.steps, strict=True))]
        if sum(widths) + 2 * 3 <= options.max_width:
            yield grid
            return
        yield _whole(RichText(self.label, style="bold"))
        for command, purpose in self.steps:
            yield _whole(RichText(f"  # {purpose}", style="dim"))
            yield _whole(RichText(f"  {command}", style="cyan"))


def _whole(line: RichText) -> RichText:
    line.no_wrap, line.overflow = True, "ignore"
    return line


def named(codes: Sequence[str], language: Language, most: int) -> str:
    """Codes with their titles: `The domain does not resolve (CRG101), ... and 12 more`.

    Of many, those are named that stand for a station each, in the order of the path.
    """
    known = catalog()
    one_each = {known[code].check: code for code in reversed(codes) if code in known and known[code].check in CHECKS}
    chosen = [c for c in codes if c in one_each.values()][:most] if len(codes) > most else list(codes)
    text = ", ".join(f"{known[c].title.say(language)} ({c})" if c in known else words.one_line(c) for c in chosen)
    rest = len(codes) - len(chosen)
    return text + (words.AND_MORE.fill({"rest": rest}).say(language) if rest else "")


def show(renderable: RenderableType) -> None:
    """Prints to standard output: in colour on a terminal, as lines without trailing spaces when it is piped."""
    console = Console(highlight=False, emoji=False, markup=False)
    if console.is_terminal:
        console.print(renderable, crop=False)
    else:
        print(as_text(renderable, console.width))


def as_text(renderable: RenderableType, width: int = 100) -> str:
    """The renderable as plain text, without any escape sequence and without spaces at line ends."""
    console = _plain(width)
    with console.capture() as capture:
        console.print(renderable, crop=False)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).strip("\n")


@cache
def _plain(width: int) -> Console:
    """Made once: that takes as long as to fill it with a short text. Each thread that prints has a buffer of its own."""
    # In a kernel rich would show what it captures as an output of its own.
    return Console(
        file=io.StringIO(),
        width=width,
        color_system=None,
        force_jupyter=False,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _cell(diagnosis: Diagnosis, check: str, verdict: Verdict) -> RichText:
    text = words.SIGNS[verdict]
    if verdict is Verdict.FAULT:
        faults = [f for f in diagnosis.findings if f.check == check and f.status is Verdict.FAULT]
        # The root cause names the cell, not what merely follows from it.
        faults.sort(key=lambda f: f.code not in diagnosis.root_causes)
        text = f"{text} {faults[0].code.removeprefix('CRG')}"
    return RichText(text, style=STYLES[verdict])


def _value(cell: Cell, language: Language) -> RichText:
    text = words.one_line(cell.said.say(language))
    if cell.verdict is None:
        return RichText(text)
    return RichText(f"{words.SIGNS[cell.verdict]} {text}", style=STYLES[cell.verdict])


def _title(diagnosis: Diagnosis, root: Finding) -> RenderableType:
    title = RichText(f"{words.one_line(diagnosis.environment)}: ")
    title.append(words.one_line(f"{root.code} {root.title.en}"), style="bold red")
    title.append(f"   {words.one_line(root.title.zh)}")
    return title


def _chain(finding: Finding, known: Mapping[str, Observation], language: Language) -> list[RenderableType]:
    indent = 2 if finding.status is Verdict.FAULT else 4
    if finding.chain:
        return [Padding(_Chain(finding, known, language), (0, 0, 0, indent))]
    return [_line(words.one_line(finding.summary.say(language)), indent)] if finding.status is Verdict.FAULT else []


@dataclass(frozen=True)
class _Chain:
    """The links of a finding: beside each its evidence where there is room for it, else below it."""

    finding: Finding
    known: Mapping[str, Observation]
    language: Language

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= _WIDE
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(ratio=1, overflow="fold")
        if wide:
            grid.add_column(no_wrap=True, style="cyan")
            grid.add_column(ratio=1, overflow="fold", style="dim")
        consequence = ""
        for link in self.finding.chain:
            seen = self.known.get(link.observation)
            rule, place = words.one_line(link.rule.say(self.language)), words.asked(seen) if seen else ""
            if wide:
                grid.add_row(RichText(rule), RichText(words.one_line(link.observation)), RichText(place))
            else:
                grid.add_row(RichText(rule))
                if link.observation:
                    mark = RichText(f"{words.one_line(link.observation)}  ", style="cyan").append(place, style="dim")
                    grid.add_row(Padding(mark, (0, 0, 0, 4)))
            follows = words.one_line(link.consequence.say(self.language))
            if follows and follows != consequence:
                grid.add_row(RichText(f"→ {follows}", style="bold"))
                consequence = follows
        yield grid


def _line(text: str, indent: int, style: str = "") -> RenderableType:
    return Padding(RichText(text, style=style, overflow="fold"), (0, 0, 0, indent))


def _code(finding: Finding) -> str:
    return f"{finding.code} " if finding.code else ""


def _stamp(text: str, say: Language, indent: int = 0) -> RenderableType:
    return _line(f"⟲ {words.replayed(text).say(say)}", indent, style="magenta")
