"""What an incident leaves open, as far as its records show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cargo_runbook.archive.incident.words import Impact, Place, Question, Run
from cargo_runbook.archive.reading.records import read_look
from cargo_runbook.archive.sealing.changes import Change
from cargo_runbook.errors import RunbookError
from cargo_runbook.findings import Verdict
from cargo_runbook.texts import Text

CLOCK_SECONDS = 2.0
"""From this offset on, times of a host are not to be compared with those of others."""


def open_questions(
    runs: Sequence[Run], impacts: Iterable[Impact], changes: Iterable[Change], place_of: Callable[[Change], Place]
) -> Iterator[Question]:
    """What the records don't say.

    Args:
        runs: those with a verdict, by time.
        place_of: where a change stands.
    """
    for impact in impacts:
        when = Text(
            f"{impact.environment} was seen broken at {impact.begin}: when did it break? Clients' complaints before that "
            "stand in no record.",
            f"{impact.environment} 在 {impact.begin} 被发现有故障：何时开始的？此前客户端的报错没有记录。",
        )
        yield Question(when, impact.first)
        if not impact.end:
            since = Text(f"No run has found {impact.environment} healthy since.",
                         f"此后没有运行确认 {impact.environment} 恢复正常。")  # fmt: skip
            yield Question(since, impact.last)
    for change in changes:
        if change.proof != "proven" and not change.undone:
            proof = Text(f"The change {change.id} ({change.code}) is not proven to have mended it.",
                         f"变更 {change.id}（{change.code}）未被证明有效。")  # fmt: skip
            yield Question(proof, place_of(change))
    last = {run.record.header.environment: run for run in runs}
    for environment, run in last.items():
        header = run.record.header
        if run.diagnosis is None:
            why = Text(f"The last run for {environment} came to no verdict: {header.reason}",
                       f"{environment} 最后一次运行没有结论：{header.reason}")  # fmt: skip
            yield Question(why, run.place())
            continue
        unknown = [f.code for f in run.diagnosis.findings if f.status is Verdict.UNKNOWN]
        if codes := ", ".join(dict.fromkeys((*unknown, *run.diagnosis.untested))):
            told = Text(f"On {environment} it could not be told: {codes}", f"{environment} 上无法判断：{codes}")
            yield Question(told, run.place())


def clock_questions(runs: Iterable[Run]) -> Iterator[Question]:
    """Clocks that were off, which the times in the logs of their hosts are to be read with."""
    for run in runs:
        try:
            look = read_look(run.record) or {}
        except RunbookError:
            continue
        for place, ahead in dict(look.get("targets", {}).get("clocks", {})).items():
            if abs(ahead) > CLOCK_SECONDS:
                off = Text(f"The clock of {place} was {ahead:+.0f} s off: times in its logs are to be read with that.",
                           f"{place} 的时钟偏差 {ahead:+.0f} 秒：其日志时间须据此换算。")  # fmt: skip
                yield Question(off, run.place())
