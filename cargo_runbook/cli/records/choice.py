"""Which records a command means, and the options by which it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli.console import tell
from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Health

if TYPE_CHECKING:
    from cargo_runbook.archive.index import Filter

STATUSES = (*(str(health) for health in Health), "failed")

RecordArgument = Annotated[
    str, typer.Argument(metavar="RECORD", help=tell("Id, start of an id, or folder.", "编号、编号开头或目录。"))
]
EnvironmentFilter = Annotated[
    list[str] | None,
    typer.Option("--env", "-e", metavar="NAME", help=tell("Of this environment; or a pattern.", "环境，可用通配符。")),
]
RunbookFilter = Annotated[
    str, typer.Option("--runbook", metavar="NAME", help=tell("Of this runbook; or a pattern.", "Runbook，可用通配符。"))
]
CodeFilter = Annotated[
    str, typer.Option("--code", metavar="CODE", help=tell("With this root cause.", "根因为该诊断代码。"))
]
StatusFilter = Annotated[
    str, typer.Option("--status", metavar="STATUS", help=tell(f"One of {', '.join(STATUSES)}.", "运行结果。"))
]
SinceFilter = Annotated[
    str,
    typer.Option(
        "--since",
        metavar=tell("TIME", "时间"),
        help=tell("Begun at or after it (UTC), or an age: 7d, 12h.", "不早于该时间（UTC），或 7d、12h 之内。"),
    ),
]
UntilFilter = Annotated[
    str, typer.Option("--until", metavar=tell("TIME", "时间"), help=tell("Begun before it.", "早于该时间。"))
]
IncidentFilter = Annotated[
    str, typer.Option("--incident", metavar="ID", help=tell("Of this incident.", "属于该事件。"))
]
PrunedFilter = Annotated[
    bool,
    typer.Option("--pruned", help=tell("Also those of which only the manifest is left.", "包括已清理的记录。")),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=0,
        help=tell("The newest N; 0 for all. Default: 50, and all with --json.", "最新的 N 条，0 为全部。"),
    ),
]
SHOWN = 50


def chosen(
    environments: list[str] | None,
    runbook: str,
    code: str,
    status: str,
    since: str,
    until: str,
    incident: str,
    *,
    pruned: bool = False,
    text: str = "",
) -> Filter:
    """What the options ask for.

    Raises:
        UsageError: there is no such status, or a time is none.
    """
    from cargo_runbook.archive.index import Filter, moment

    if status and status not in STATUSES:
        raise UsageError(
            tell(f"{status!r} is no status of a record", f"{status!r} 不是记录的状态"),
            next_step=tell(f"There are: {', '.join(STATUSES)}.", f"可选：{'、'.join(STATUSES)}。"),
        )
    return Filter(
        environments=tuple(environments or ()),
        runbook=runbook,
        code=code,
        status=status,
        since=moment(since) if since else "",
        until=moment(until) if until else "",
        incident=incident,
        pruned=pruned,
        # What belongs to an incident is all of it.
        notes=bool(incident),
        text=text,
    )
