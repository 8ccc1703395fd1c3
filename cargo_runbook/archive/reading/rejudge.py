"""Judging again: today's rules over the sealed evidence of a record. Nothing is asked of any host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.archive.keeping.seal import check_record
from cargo_runbook.archive.reading.compare import FindingChange, finding_changes
from cargo_runbook.archive.reading.records import (
    UnreadableRecord,
    read_diagnosis,
    read_evidence_of,
    read_look,
    read_record,
)
from cargo_runbook.archive.record import LOOK, Record
from cargo_runbook.archive.sealing.look import inventory_of
from cargo_runbook.connections import Evidence, ReplayConnections
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.findings import Diagnosis
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.investigation import Investigation
from cargo_runbook.observations import Observation
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import tell


class NotJudgeable(UsageError):
    """A record holds nothing that could be judged again, or is not as it was sealed."""


@dataclass(frozen=True)
class Judgement:
    """A record judged again.

    Args:
        before: the verdict of that day; None where the run ended without one.
        now: what today's rules say of the same evidence.
        evidence: what they were given, in the order in which they asked.
        changes: findings whose status differs.
    """

    record: str
    before: Diagnosis | None
    now: Diagnosis
    evidence: tuple[Observation, ...]
    changes: tuple[FindingChange, ...]

    @property
    def differs(self) -> bool:
        """Whether status, root causes or the status of any finding is another one than on that day.

        Where there was no verdict there is none to differ from.
        """
        before = self.before
        if before is None:
            return False
        return bool(self.changes) or (before.status, before.root_causes) != (self.now.status, self.now.root_causes)

    def to_json(self) -> dict[str, Any]:
        """The machine interface, without the diagnosis itself."""
        return {
            "record": self.record,
            "differs": self.differs,
            "before": _summary(self.before) if self.before else None,
            "now": _summary(self.now),
            "findings": [change.to_json() for change in self.changes],
        }


def judge_again(record: Record) -> Judgement:
    """Judges the sealed evidence of a record by the rules of this version.

    Raises:
        NotJudgeable: it has no `look.json` (older versions wrote none), or is not as it was sealed.
        UnreadableRecord: a file of it can't be read.
    """
    with sealed_investigation(record) as investigation:
        now = investigation.diagnose()
        evidence = investigation.evidence
    before = read_diagnosis(record)
    return Judgement(record.header.record, before, now, evidence, finding_changes(before, now) if before else ())


def judge_folder(folder: Path) -> Judgement | str:
    """`judge_again` for a pool of processes: an error comes back as its sentence."""
    try:
        return judge_again(read_record(folder))
    except RunbookError as error:
        return str(error)


@contextmanager
def sealed_investigation(record: Record) -> Iterator[Investigation]:
    """A look that is answered from a record alone: what was not asked on that day is an error, never a guess.

    Raises:
        NotJudgeable, UnreadableRecord: as `judge_again`.
    """
    if changed := next(check_record(record.path), None) if record.sealed else None:
        verify = pasteable("cargo-runbook records verify")
        raise NotJudgeable(
            tell(
                f"{record.header.record} is not as it was sealed: {changed.file}: {changed.problem.en}",
                f"{record.header.record} 与封存时不一致：{changed.file}：{changed.problem.zh}",
            ),
            next_step=tell(f"{verify}   names all that was changed", f"用 {verify} 查看所有被修改的内容"),
        )
    look = read_look(record)
    if look is None:
        raise NotJudgeable(
            tell(
                f"{record.header.record} can't be judged again: it has no {LOOK}",
                f"{record.header.record} 无法重新判断：缺少 {LOOK}",
            ),
            next_step=tell(
                "Its run ended before the verdict, or it is of a version that did not keep it.",
                "该运行在得出结论之前结束，或由不保存该文件的旧版本生成。",
            ),
        )
    recorded = ReplayConnections(read_evidence_of(record))
    try:
        with inventory_of(look) as folder, Evidence(recorded, keep_ids=True) as evidence:
            yield Investigation(
                load_environment(record.header.environment, folder),
                evidence,
                image=look["image"],
                account=look["account"],
                action=look["action"],
                policy=look["policy"],
                replayed=_banner(record),
                concerns=look["concerns"],
                # Older records have none.
                operation=str(look.get("operation", "")),
            )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableRecord(
            tell(
                f"{record.path / LOOK} is not what a look leaves: {error!r}",
                f"{record.path / LOOK} 不是一次检查留下的内容：{error!r}",
            )
        ) from None


def _banner(record: Record) -> str:
    header = record.header
    return f"sealed evidence of {header.started[:10]}" + (f" ({header.replayed})" if header.replayed else "")


def _summary(diagnosis: Diagnosis) -> dict[str, Any]:
    causes: Sequence[str] = diagnosis.root_causes
    return {"status": str(diagnosis.status), "root_causes": list(causes)}
