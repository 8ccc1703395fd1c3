"""`cargo-runbook batch`: one runbook over many environments, each run a record of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli.choice import ReplayOption, RunbookArgument, worst
from cargo_runbook.cli.console import InventoryOption, JsonOption, ReportsOption, complain, message, tell
from cargo_runbook.cli.run import IncidentOption, parameters_from, stopping
from cargo_runbook.cli.summary import EXIT_CODES, print_summary
from cargo_runbook.errors import UsageError
from cargo_runbook.light_start import goes_on_for_long, import_papermill
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import near

if TYPE_CHECKING:
    from cargo_runbook.execution.batch.place import Place
    from cargo_runbook.execution.batch.plan import BatchPlan
    from cargo_runbook.execution.batch.summary import Summary
    from cargo_runbook.execution.remote.cluster import Cluster
    from cargo_runbook.execution.warm.kernels import WarmKernels

_AT_ONCE, _MOST = 16, 256
_AGE = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_HELP = tell(
    """Execute a runbook for many environments at the same time; each run leaves a record.

\b
Examples:
  cargo-runbook batch 00_triage --env 'prod-*'
  cargo-runbook batch 00_triage --env '*' -j 16 --incident INC-4711 --json
  cargo-runbook batch 00_triage --resume 20261124T0910          what is missing or failed
  cargo-runbook batch 00_triage --resume 20261124T0910 --max-age 2h
                                                                and what is older than two hours
  cargo-runbook batch 00_triage --env '*' --scheduler tls://dask:8786
                                                                on the workers of a Dask cluster

A matrix (matrix.csv) and a page (summary.html) are left in reports/batches/BATCH; cargo-runbook summary shows them again.
What changed a host is never repeated.

Exit code: 0 all healthy, 1 a fault in any, 2 wrong usage or configuration, 3 one could not be told or failed.
""",
    """对多个环境同时执行 Runbook，每次运行都会留下记录。

\b
示例：
  cargo-runbook batch 00_triage --env 'prod-*'
  cargo-runbook batch 00_triage --env '*' -j 16 --incident INC-4711 --json
  cargo-runbook batch 00_triage --resume 20261124T0910          补跑缺失或失败的环境
  cargo-runbook batch 00_triage --resume 20261124T0910 --max-age 2h
                                                                并重跑两小时以前的结果
  cargo-runbook batch 00_triage --env '*' --scheduler tls://dask:8786
                                                                在 Dask 集群的 worker 上执行

矩阵（matrix.csv）和页面（summary.html）保存在 reports/batches/批次 中，可用 cargo-runbook summary 再次查看。修改过主机的运行绝不会重复。

退出码：0 全部正常，1 有环境存在故障，2 用法或配置错误，3 有环境无法判断或运行失败。
""",
)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("batch", help=_HELP)(batch)


def batch(
    runbook: RunbookArgument,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            "-e",
            metavar="NAME",
            help=tell(
                "Environment; may be given again, and as a pattern ('prod-*').", "环境名称；可多次给出，可用通配符。"
            ),
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="KEY=VALUE", help=tell("Parameter of the runbook.", "Runbook 的参数。")
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            help=tell(
                "Runs at the same time. Default: 16; with --scheduler the threads of its workers.",
                "同时运行的数量。默认 16；使用 --scheduler 时为其 worker 的线程总数。",
            ),
            show_default=False,
        ),
    ] = None,
    per_host: Annotated[
        int,
        typer.Option(min=1, help=tell("Of these, that ask one Cargo host.", "其中访问同一台 Cargo 主机的数量。")),
    ] = 4,
    per_cluster: Annotated[
        int, typer.Option(min=1, help=tell("Of these, that ask one cluster.", "其中访问同一集群的数量。"))
    ] = 8,
    run_deadline: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help=tell("For one run; 0: none.", "单次运行的时限，0 为不限。")),
    ] = 1800,
    deadline: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help=tell("For the batch; 0: none.", "整个批次的时限，0 为不限。")),
    ] = 0,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help=tell(
                "Send the runs to this Dask cluster (tcp://HOST:8786).", "把运行发送到该 Dask 集群（tcp://主机:8786）。"
            ),
            show_default=False,
        ),
    ] = "",
    incident: IncidentOption = "",
    resume: Annotated[
        str,
        typer.Option(
            metavar="BATCH",
            help=tell("Go on with this batch: what is missing or failed.", "继续该批次：补跑缺失或失败的环境。"),
        ),
    ] = "",
    max_age: Annotated[
        str,
        typer.Option(
            metavar="AGE",
            help=tell(
                "With --resume: also what is older (90s, 30m, 2h, 1d).", "与 --resume 合用：更早的也重跑（如 2h）。"
            ),
        ),
    ] = "",
    reports: ReportsOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
    replay: ReplayOption = "",
) -> None:
    """Runs the chosen environments, as many at a time as may be."""
    from cargo_runbook.archive.record import reports_folder

    began = time.monotonic()
    folder = reports_folder(reports)
    age = _age(max_age) if max_age else None
    values = parameters_from(parameter, resolve=not scheduler)
    if bool(resume) == bool(env) or (max_age and not resume):
        raise UsageError(
            tell(
                "a batch is either begun with --env or gone on with by --resume",
                "用 --env 开始一个批次，或用 --resume 继续，二者选一",
            ),
            next_step=tell(
                "cargo-runbook batch 00_triage --env 'prod-*'   or   --resume BATCH [--max-age 2h]",
                "cargo-runbook batch 00_triage --env 'prod-*'   或   --resume 批次 [--max-age 2h]",
            ),
        )
    with ExitStack() as stack:
        kernels = None if scheduler else stack.enter_context(_kernels(runbook))
        if kernels is not None:
            # Before there are threads, in each of which a run would import it.
            import_papermill()
        from cargo_runbook.cli.batch_progress import progress_of

        # Not needed before the end; but now nothing else can be done than to wait for the first kernel.
        from cargo_runbook.execution.batch import report

        report.prepare()
        from cargo_runbook.execution.batch.book import Book
        from cargo_runbook.execution.batch.place import ThisMachine
        from cargo_runbook.execution.batch.plan import new_batch, resumed
        from cargo_runbook.execution.batch.queue import Limits
        from cargo_runbook.execution.batch.runner import Batch, Deadlines, totals
        from cargo_runbook.execution.warm.open_files import slots_that_fit

        if resume:
            plan = resumed(folder, resume, runbook, inventory=inventory, parameters=values or None, max_age=age)
        else:
            plan = new_batch(
                runbook, env or (), inventory=inventory, parameters=values, incident=incident, replay=replay
            )
        place: Place
        if kernels is None:
            place = cluster = stack.enter_context(_cluster(scheduler, plan, folder, inventory))
            jobs = jobs or min(cluster.slots, _MOST) or None
        else:
            place = ThisMachine(plan, kernels, folder, inventory)
            jobs = slots_that_fit(jobs or _AT_ONCE, _notice)
        limits = Limits(jobs or _AT_ONCE, per_host, per_cluster)
        book = Book(folder, plan.order)
        stack.callback(book.release)
        if not as_json:
            _greet(plan)
        shown = stack.enter_context(progress_of(plan, limits, as_json=as_json))
        running = Batch(plan, book, place, shown, limits, Deadlines(run=run_deadline, batch=deadline))
        stopped = stack.enter_context(stopping(running))
        goes_on_for_long()
        outcomes = running.run()
    summary, files = _filed(folder, plan.order.batch)
    seconds = round(time.monotonic() - began, 3)
    if as_json:
        print(json.dumps({"batch": plan.order.batch, **totals(outcomes), "seconds": seconds}), flush=True)
    else:
        print_summary(summary)
        print()
        print("   ".join(near(path) for path in files.values()))
    if stopped:
        raise typer.Exit(128 + stopped[0])
    raise typer.Exit(worst([EXIT_CODES[outcome.status] for outcome in outcomes]))


def _kernels(runbook: str) -> WarmKernels:
    # First of all: what kernels are forked from imports its libraries while we import ours.
    from cargo_runbook.execution.runbooks import find_runbook, order_of
    from cargo_runbook.execution.warm.kernels import WarmKernels

    order = None
    # One that is not there is told where it is needed.
    with suppress(UsageError):
        order = order_of(find_runbook(runbook))
    return WarmKernels(notice=_notice, order=order)


def _notice(text: Text) -> None:
    complain(text.say(language_from()))


def _cluster(address: str, plan: BatchPlan, reports: Path, inventory: Path | None) -> Cluster:
    try:
        from cargo_runbook.execution.remote.cluster import Cluster
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise UsageError(
            tell("--scheduler needs Dask, which is not installed", "--scheduler 需要 Dask，但没有安装"),
            next_step="pip install 'cargo-runbook[dask]'",
        ) from None
    cluster = Cluster(address, plan, reports, inventory)
    if not address.startswith("tls:"):
        complain(
            tell(
                "the connection to the scheduler is neither encrypted nor authenticated; outside a closed network use tls://",
                "与调度器的连接未加密、未认证；在不封闭的网络中请使用 tls://",
            )
        )
    return cluster


def _greet(plan: BatchPlan) -> None:
    left, known = len(plan.jobs), len(plan.known)
    there = tell(f", {known} are there", f"，已有 {known} 个") if known else ""
    message(
        tell(f"batch {plan.order.batch}: {left} to run{there}", f"批次 {plan.order.batch}：待运行 {left} 个{there}")
    )


def _filed(reports: Path, batch: str) -> tuple[Summary, Mapping[str, Path]]:
    from cargo_runbook.execution.batch.report import write_files
    from cargo_runbook.execution.batch.summary import read_summary

    summary = read_summary(reports, batch)
    return summary, write_files(reports, summary, parquet=False)


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(
            tell(f"{text!r} is no age", f"{text!r} 不是有效的时长"),
            next_step=tell("Give it as 90s, 30m, 2h or 1d.", "写法如 90s、30m、2h 或 1d。"),
        )
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
