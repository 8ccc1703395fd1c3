"""`cargo-runbook summary`: what a batch said in all, once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli.choice import worst
from cargo_runbook.cli.console import JsonOption, ReportsOption, message, print_json, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.views.words import near

if TYPE_CHECKING:
    from cargo_runbook.execution.batch.summary import Summary

EXIT_CODES = {"healthy": 0, "fault": 1, "unknown": 3, "failed": 3}

_HELP = tell(
    """Sum up a batch again: matrix, groups by root cause, what changed since the batch before.

\b
Examples:
  cargo-runbook summary                          the last batch
  cargo-runbook summary --runbook 00_triage      the last one of this runbook
  cargo-runbook summary 20261124T0910 --to matrix.parquet
                                                 or .csv, or .html: a heat map

What could not be told is a value of its own, and so is what was not run.

Exit code: as the batch's: 0 all healthy, 1 a fault in any, 2 wrong usage, 3 one could not be told, failed or was not run.
""",
    """再次汇总一个批次：矩阵、按根本原因分组、与上一批次的差异。

\b
示例：
  cargo-runbook summary                          最近的批次
  cargo-runbook summary --runbook 00_triage      该 Runbook 最近的批次
  cargo-runbook summary 20261124T0910 --to matrix.parquet
                                                 也可为 .csv，或 .html（热力图）

无法判断是一种独立的结果，未运行的环境同样如此。

退出码：与批次相同：0 全部正常，1 有环境存在故障，2 用法错误，3 有环境无法判断、运行失败或未运行。
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("summary", help=_HELP)(summary)


def summary(
    batch: Annotated[
        str,
        typer.Argument(
            metavar="[BATCH]",
            help=tell("Id of the batch, or its start.", "批次编号，或其开头部分。"),
            show_default=False,
        ),
    ] = "",
    runbook: Annotated[
        str, typer.Option(metavar="NAME", help=tell("The last batch of this runbook.", "该 Runbook 最近的批次。"))
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=tell("Write it to a .csv, .parquet or .html file.", "写入 .csv、.parquet 或 .html 文件。"),
        ),
    ] = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prints or writes the summary."""
    from cargo_runbook.archive.record import reports_folder
    from cargo_runbook.execution.batch.summary import read_summary

    folder = reports_folder(reports)
    found = read_summary(folder, batch, runbook)
    if to is not None:
        _write(found, to)
    if as_json:
        print_json(found.to_json())
    elif to is None:
        print_summary(found)
    raise typer.Exit(worst([EXIT_CODES[outcome.status] for outcome in found.outcomes]))


def print_summary(found: Summary) -> None:
    """Matrix, groups and changes for a terminal."""
    from cargo_runbook.rules.catalog import titles
    from cargo_runbook.views.matrix import change_lines, group_lines, matrix_table
    from cargo_runbook.views.terminal import show

    show(matrix_table(found.rows()))
    if found.groups:
        print()
        show(group_lines(found.groups, titles()))
    if found.before:
        print()
        show(change_lines(found.before, found.changes))


def _write(found: Summary, to: Path) -> None:
    from cargo_runbook.archive.files import write_bytes
    from cargo_runbook.rules.catalog import titles
    from cargo_runbook.views.matrix import matrix_page

    forms: dict[str, Callable[[], bytes]] = {
        ".csv": lambda: found.csv().encode(),
        ".parquet": found.parquet,
        ".html": lambda: matrix_page(found, titles()).encode(),
    }
    make = forms.get(to.suffix.lower())
    if make is None:
        raise UsageError(
            tell(f"{to} has no form that can be written", f"{to} 的格式无法写入"),
            next_step=tell(f"Name it with {', '.join(forms)}.", f"请使用后缀 {'、'.join(forms)}。"),
        )
    try:
        write_bytes(to, make())
    except OSError as error:
        raise UsageError(
            tell(f"{to} can't be written: {error.strerror}", f"无法写入 {to}：{error.strerror}"),
            next_step=tell("Name another file.", "请换一个文件。"),
        ) from None
    message(tell(f"written to {near(to)}", f"已写入 {near(to)}"))
