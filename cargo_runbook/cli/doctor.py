"""`cargo-runbook doctor`: is this computer able, and what is to be typed where it is not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cargo_runbook.cli.choice import SomeEnvironmentsOption, chosen_environments
from cargo_runbook.cli.console import InventoryOption, JsonOption, ReportsOption, print_json, tell
from cargo_runbook.texts import Text, language_from

if TYPE_CHECKING:
    from cargo_runbook.workstation.check import Check

_HELP = tell(
    """Look whether this computer is able: Python, notebooks, SSH, kubectl, docker, inventory, the place for records.

With --env also what that environment needs: passwords, CA, SSH to its hosts and docker there, the cluster, the
registry's certificate. Nothing is changed anywhere; without --env no other machine is asked.

\b
Examples:
  cargo-runbook doctor
  cargo-runbook doctor --env prod-1
  cargo-runbook doctor --env 'prod-*' --json

Exit code: 0 able, 1 something is lacking, 2 wrong usage, 3 something could not be told.
""",
    """检查本机是否具备条件：Python、Notebook、SSH、kubectl、docker、环境清单、记录目录。

加 --env 还检查该环境所需：密码、CA、到主机的 SSH 及其 docker、集群、仓库证书。不做任何修改；不加 --env 时不访问其他机器。

\b
示例：
  cargo-runbook doctor
  cargo-runbook doctor --env prod-1
  cargo-runbook doctor --env 'prod-*' --json

退出码：0 可用，1 有缺失，2 用法错误，3 有项目无法判断。
""",
)
_STATES = {
    "ok": Text("ok", "正常"),
    "note": Text("note", "提示"),
    "lacks": Text("lacks", "缺失"),
    "unknown": Text("?", "?"),
}
_SIGNS = {"ok": ("●", "green"), "note": ("○", "yellow"), "lacks": ("✗", "bold red"), "unknown": ("?", "yellow")}
_NAMES = {
    "python": Text("Python", "Python"),
    "notebooks": Text("notebooks", "Notebook"),
    "archive": Text("records", "记录目录"),
    "inventory": Text("inventory", "环境清单"),
    "terminal": Text("terminal", "终端"),
    "passwords": Text("passwords", "密码"),
    "ca": Text("CA file", "CA 文件"),
    "certificate": Text("certificate", "仓库证书"),
}
_EXIT = {"ok": 0, "lacks": 1, "unknown": 3}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor", help=_HELP)(doctor)


def doctor(
    env: SomeEnvironmentsOption = None,
    inventory: InventoryOption = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Looks at this computer, and at what the chosen environments need of it."""
    # Late: connections and notebooks take their time to import.
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial

    from cargo_runbook.archive.record import reports_folder
    from cargo_runbook.workstation import machine, tools
    from cargo_runbook.workstation.check import worst
    from cargo_runbook.workstation.environment import look_at_environment

    names = chosen_environments(env, inventory, "") if env else ()
    readable, environments = machine.look_at_inventory(inventory)
    chosen = [each for each in environments if each.name in names]
    counted = chosen or environments
    looks = (
        machine.look_at_python,
        machine.look_at_kernel,
        partial(machine.look_at_archive, reports_folder(reports)),
        tools.look_at_ssh,
        tools.look_at_known_hosts,
        partial(tools.look_at_kubectl, counted),
        partial(tools.look_at_docker, counted),
    )
    with ThreadPoolExecutor(max_workers=16) as pool:
        looking = [pool.submit(look) for look in looks]
        asking = [pool.submit(look_at_environment, each) for each in chosen]
        checks = [readable, *(each.result() for each in looking), *machine.look_at_terminal()]
        for asked in asking:
            checks += asked.result()
    state = worst(checks)
    if as_json:
        print_json({"status": "able" if state == "ok" else str(state), "checks": [_as_json(check) for check in checks]})
    else:
        _print(checks)
    raise typer.Exit(_EXIT[state])


def _as_json(check: Check) -> dict[str, str]:
    do = check.do or Text("", "")
    return {
        "check": check.name,
        "environment": check.environment,
        "status": str(check.state),
        "seen": check.seen.en,
        "seen_zh": check.seen.zh,
        "do": do.en,
        "do_zh": do.zh,
    }


def _print(checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text as RichText

    from cargo_runbook.views.terminal import show
    from cargo_runbook.views.words import one_line

    say = language_from()
    for environment in dict.fromkeys(check.environment for check in checks):
        if environment:
            print()
            show(RichText(one_line(environment), style="bold"))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for check in (each for each in checks if each.environment == environment):
            sign, style = _SIGNS[check.state]
            named = _NAMES.get(check.name, Text(check.name, check.name)).say(say)
            told = RichText(one_line(check.seen.say(say)))
            if check.do is not None:
                told.append(f"\n→ {one_line(check.do.say(say))}", style="cyan")
            grid.add_row(
                RichText(f"{sign} {_STATES[check.state].say(say)}", style=style), RichText(one_line(named)), told
            )
        show(grid)
