"""What changed between two runs: the verdict, the findings behind it, what the hosts answered, and who was looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from cargo_runbook.archive.index import Filter, Index, Row
from cargo_runbook.archive.reading.records import read_diagnosis, read_evidence_of, read_look
from cargo_runbook.archive.record import Record
from cargo_runbook.findings import Diagnosis, Finding
from cargo_runbook.observations import Command, HttpRequest, Observation

ABSENT = ""
"""Status of a finding that one of the two runs does not have."""
_DIFF_LINES = 40
_CLOCK_SECONDS = 2.0
# Numbers of masked secrets hold for one run only.
_TOKEN = re.compile(r"‹secret \w+ ")
_HEADERS = ("www-authenticate", "location")


@dataclass(frozen=True)
class FindingChange:
    """A finding whose status is another one; ABSENT where a run does not have it."""

    code: str
    vantage: str
    before: str
    after: str

    def to_json(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True)
class AnswerChange:
    """A question that got another answer. `matters`: a finding that changed rests on it."""

    question: str
    vantage: str
    before: Observation
    after: Observation
    matters: bool

    @property
    def diff(self) -> tuple[str, ...]:
        """Lines that went (`-`) and came (`+`), cut where there are very many."""
        lines = unified_diff(_said(self.before), _said(self.after), lineterm="", n=0)
        changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return (*changed[:_DIFF_LINES], *(["…"] if len(changed) > _DIFF_LINES else []))

    def to_json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "vantage": self.vantage,
            "before": self.before.id,
            "after": self.after.id,
            "matters": self.matters,
            "diff": list(self.diff),
        }


@dataclass(frozen=True)
class Other:
    """Anything else that differs: `what` is the field's name, or its path."""

    what: str
    before: str
    after: str

    def to_json(self) -> dict[str, str]:
        return dict(vars(self))


@dataclass(frozen=True)
class Comparison:
    """Two records against each other, the earlier first. Codes that came and went are those of root causes."""

    before: Record
    after: Record
    findings: tuple[FindingChange, ...]
    answers: tuple[AnswerChange, ...]
    others: tuple[Other, ...]

    @property
    def came(self) -> tuple[str, ...]:
        return _without(self.after.header.root_causes, self.before.header.root_causes)

    @property
    def went(self) -> tuple[str, ...]:
        return _without(self.before.header.root_causes, self.after.header.root_causes)

    @property
    def same(self) -> bool:
        """Whether the two came to the same: status, root causes and findings."""
        return not self.findings and _verdict(self.before) == _verdict(self.after)

    def to_json(self) -> dict[str, Any]:
        """The machine interface."""
        return {
            "before": self.before.header.record,
            "after": self.after.header.record,
            "status": [self.before.header.status, self.after.header.status],
            "root_causes": {"came": list(self.came), "went": list(self.went)},
            "findings": [change.to_json() for change in self.findings],
            "answers": [change.to_json() for change in self.answers],
            "others": [other.to_json() for other in self.others],
            "same": self.same,
        }


def compare(one: Record, other: Record) -> Comparison:
    """Compares two records, whichever is given first.

    Raises:
        UnreadableRecord: a file of one of them can't be read.
    """
    before, after = sorted((one, other), key=lambda record: (record.header.started, record.sequence))
    verdicts = read_diagnosis(before), read_diagnosis(after)
    findings = finding_changes(*verdicts)
    answers = tuple(sorted(_answers(before, after, findings, verdicts), key=lambda change: not change.matters))
    return Comparison(before, after, findings, answers, tuple(_others(before, after)))


def last_good(reports: Path, record: Record) -> Row | None:
    """The last healthy run before a record, of the same environment and runbook."""
    header = record.header
    wanted = Filter(environments=(header.environment,), runbook=header.runbook, status="healthy", until=header.started)
    with Index(reports) as index:
        found = index.find(wanted, limit=1)
    return found[0] if found else None


def finding_changes(before: Diagnosis | None, after: Diagnosis | None) -> tuple[FindingChange, ...]:
    """The findings whose status differs, by code and vantage."""
    old, new = _statuses(before), _statuses(after)
    return tuple(
        FindingChange(code, vantage, old.get((code, vantage), ABSENT), new.get((code, vantage), ABSENT))
        for code, vantage in sorted({*old, *new})
        if old.get((code, vantage)) != new.get((code, vantage))
    )


def _statuses(diagnosis: Diagnosis | None) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], list[str]] = {}
    for finding in diagnosis.findings if diagnosis else ():
        found.setdefault((finding.code, finding.vantage), []).append(str(finding.status))
    # One code may be found several times from one place, once for each image for instance.
    return {key: ", ".join(sorted(statuses)) for key, statuses in found.items()}


def _answers(
    before: Record, after: Record, changes: Sequence[FindingChange], verdicts: tuple[Diagnosis | None, ...]
) -> Iterator[AnswerChange]:
    old = {observation.question.key(): observation for observation in read_evidence_of(before)}
    changed = {(change.code, change.vantage) for change in changes}
    rests_on = [_evidence_of(verdict, changed) for verdict in verdicts]
    for observation in read_evidence_of(after):
        earlier = old.get(observation.question.key())
        if earlier is not None and _said(earlier) != _said(observation):
            matters = earlier.id in rests_on[0] or observation.id in rests_on[1]
            yield AnswerChange(str(observation.question), str(observation.vantage), earlier, observation, matters)


def _evidence_of(diagnosis: Diagnosis | None, changed: set[tuple[str, str]]) -> set[str]:
    findings: Sequence[Finding] = diagnosis.findings if diagnosis else ()
    return {link.observation for f in findings if (f.code, f.vantage) in changed for link in f.chain}


def _said(observation: Observation) -> list[str]:
    """An answer as lines, without what differs from run to run: times, durations, numbers of masked secrets."""
    lines = [f"status: {observation.status}"]
    if observation.exit_code:
        lines.append(f"exit code: {observation.exit_code}")
    if isinstance(observation.question, HttpRequest) and observation.answered:
        lines.append(f"HTTP {observation.data.get('status')}")
        lines += [f"{name}: {observation.header(name)}" for name in _HEADERS if observation.header(name)]
    if isinstance(observation.question, Command) and observation.question.argv[0] == "date":
        # The clock's offset is compared as what it is, among the targets.
        return lines
    lines += f"{observation.output.rstrip()}\n{observation.error.rstrip()}".strip("\n").split("\n")
    return [_TOKEN.sub("‹secret ", line) for line in lines]


def _others(before: Record, after: Record) -> Iterator[Other]:
    for name in ("version", "runbook", "runbook_sha256", "opened_from", "edited", "environment", "domain", "operator",
                 "machine", "replayed"):  # fmt: skip
        old, new = getattr(before.header, name), getattr(after.header, name)
        if old != new:
            yield Other(name, old, new)
    yield from _flat("parameters", before.header.parameters, after.header.parameters)
    looks = read_look(before) or {}, read_look(after) or {}
    for name in ("image", "account", "action", "policy", "inventory", "targets"):
        for other in _flat(name, looks[0].get(name), looks[1].get(name)):
            if not (other.what.startswith("targets.clocks.") and _near(other)):
                yield other


def _flat(path: str, before: Any, after: Any) -> Iterator[Other]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from _flat(f"{path}.{name}", before.get(name), after.get(name))
    elif (before is None and isinstance(after, Mapping)) or (after is None and isinstance(before, Mapping)):
        yield from _flat(path, before or {}, after or {})
    else:
        yield Other(path, _shown(before), _shown(after))


def _near(other: Other) -> bool:
    try:
        return abs(float(other.before) - float(other.after)) < _CLOCK_SECONDS
    except ValueError:
        # One of the two runs did not come to see it.
        return True


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _verdict(record: Record) -> tuple[str, tuple[str, ...]]:
    return record.header.status, record.header.root_causes


def _without(codes: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for code in codes if code not in others)
