"""The step of the triage beside the path of a pull: 进阶步骤, the logs of cargo-token and cargo-admin."""

from __future__ import annotations

from cargo_runbook.facts.service_logs import SERVICES, ServiceLog, ServicesFacts
from cargo_runbook.findings import Verdict
from cargo_runbook.steps.step import Gathered, Step
from cargo_runbook.tables import Cell, Table
from cargo_runbook.texts import Text

_COLUMNS = (
    Text("service", "服务"),
    Text("what it says", "含义"),
    Text("times", "次数"),
    Text("last at (UTC)", "最近时间（UTC）"),
    Text("the line", "日志原文"),
    Text("speaks for", "支持"),
)


def logs_table(gathered: Gathered) -> tuple[Table, ...]:
    """What the services say, what points at a fault first; without a cluster the commands to type there."""
    facts: ServicesFacts | None = gathered.concerns.get("services")
    if facts is None:
        return ()
    title = Text("What cargo-token and cargo-admin say", "cargo-token 和 cargo-admin 的日志")
    if not facts.logs:
        typed = tuple((Cell(each), Cell(f"kubectl logs deploy/{each} --tail=2000 --timestamps")) for each in SERVICES)
        columns = (_COLUMNS[0], Text("to type where the cluster is", "请在集群中执行"))
        return (Table(title, columns, typed, _contact(gathered)),)
    rows = tuple(row for log in facts.logs for row in _rows(log))
    return (Table(title, _COLUMNS, rows, _contact(gathered)),)


def _rows(log: ServiceLog) -> tuple[tuple[Cell, ...], ...]:
    if log.reason:
        return ((Cell(log.service), Cell(log.reason, Verdict.UNKNOWN, evidence=log.evidence), *[Cell("-")] * 4),)
    if not log.said:
        nothing = Text(f"no known line among {log.lines}", f"{log.lines} 行中没有已知内容")
        return ((Cell(log.service), Cell(nothing, evidence=log.evidence), *[Cell("-")] * 4),)
    return tuple(
        (
            Cell(log.service, hint=f"{log.lines} lines since {log.since}" if log.since else ""),
            Cell(each.meaning, evidence=log.evidence),
            Cell(str(each.count)),
            Cell(each.when.removesuffix("Z").partition("T")[2] or "-", hint=each.when),
            Cell(each.last),
            Cell(", ".join(each.codes) or "-"),
        )
        for each in log.said
    )


def _contact(gathered: Gathered) -> Text | None:
    """Whom to ask when the path is at its end (找 …)."""
    contact = gathered.environment.contact
    if contact is None:
        return None
    who = f"{contact.name} {contact.how}".strip()
    return Text(f"Still unclear? Ask {who}, with the record's head.", f"仍不明确？请带上记录的 head 联系 {who}。")


STEPS = (
    Step(
        "logs",
        Text("What do cargo-token and cargo-admin say?", "cargo-token 和 cargo-admin 的日志说了什么？"),
        ("services",),
        ("CRG810", "CRG811"),
        logs_table,
    ),
)
