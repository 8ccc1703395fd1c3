"""up, down, status."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from cargo_runbook.cli.console import JsonOption, message, print_json, tell
from cargo_sandbox.cli.options import NameOption, name_option, state_of
from cargo_sandbox.paths import DEFAULT_NAME
from cargo_sandbox.topology import CONTEXT, MACHINES, OTHER_CONTEXT, SITES

app = typer.Typer(rich_markup_mode=None)


@app.command(
    help=tell(
        """Start it: three Cargos (one on two hosts), their cluster's master, a DNS server, and operator, where you sit.

\b
Examples:
  cargo-runbook sandbox up
  cargo-runbook sandbox up --cluster     master then runs a real Kubernetes; built once, about 6 minutes
  cargo-runbook sandbox up --name second
""",
        """启动：三套 Cargo（其中一套在两台主机上）、集群的 master、DNS 服务器，以及供你操作的 operator。

\b
示例：
  cargo-runbook sandbox up
  cargo-runbook sandbox up --cluster     master 上运行真实的 Kubernetes；首次需编译约 6 分钟
  cargo-runbook sandbox up --name second
""",
    )
)
def up(
    name: NameOption = DEFAULT_NAME,
    cluster: Annotated[
        bool, typer.Option("--cluster", help=tell("With a real Kubernetes cluster.", "包含真实的 Kubernetes 集群。"))
    ] = False,
) -> None:
    from cargo_sandbox import lab
    from cargo_sandbox.progress import shown_progress

    state = state_of(name)
    # So that a start that is ended by SIGTERM leaves as little as one ended by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with shown_progress() as progress:
        started = lab.up(state, progress, cluster=cluster)
    if not started:
        message(tell(f'The sandbox "{name}" is up already.', f"沙箱 “{name}” 已在运行。"))
    message(tell(f"Inventory: {state.inventory}", f"环境清单：{state.inventory}"))
    run_on_operator = f"cargo-runbook sandbox run{name_option(name)} --"
    message(tell("Next:", "接下来：") + f"  {run_on_operator} docker pull {SITES[0].domain}/library/tiny:1")


@app.command(
    help=tell(
        """Build Kubernetes for `up --cluster`, once: from Debian's source package, into the cache.

\b
Example:
  cargo-runbook sandbox kubernetes
""",
        """为 `up --cluster` 编译 Kubernetes（仅一次）：使用 Debian 源码包，结果存入缓存。

\b
示例：
  cargo-runbook sandbox kubernetes
""",
    )
)
def kubernetes() -> None:
    from cargo_sandbox.cluster import build
    from cargo_sandbox.paths import cache_folder
    from cargo_sandbox.progress import shown_progress

    cache = cache_folder()
    if build.find(cache) is None:
        message(
            tell(
                "Kubernetes is not in the cache: it is built now, which takes about 6 minutes on two cores, once.",
                "缓存中没有 Kubernetes：现在开始编译，双核约需 6 分钟，仅此一次。",
            )
        )
    with shown_progress() as progress:
        made = build.build(cache, lambda doing: progress("kubernetes", doing))
        progress("kubernetes", "ready")
    print(tell(f"Kubernetes {made.source_version}: {made.folder}", f"Kubernetes {made.source_version}：{made.folder}"))


@app.command(
    help=tell(
        """Stop it and remove everything of it: processes, namespaces, control groups, files.

\b
Example:
  cargo-runbook sandbox down
""",
        """停止并清除：进程、命名空间、cgroup、文件。

\b
示例：
  cargo-runbook sandbox down
""",
    )
)
def down(name: NameOption = DEFAULT_NAME) -> None:
    from cargo_sandbox import lab

    if lab.down(state_of(name)):
        message(tell(f'The sandbox "{name}" is down; nothing of it is left.', f"沙箱 “{name}” 已停止，没有任何残留。"))
    else:
        message(tell(f'There is no sandbox "{name}".', f"没有名为 “{name}” 的沙箱。"))


@app.command(
    help=tell(
        """Say whether it runs, what is broken, and where its inventory is.

\b
Example:
  cargo-runbook sandbox status --json
""",
        """是否在运行、哪里有故障、环境清单在哪里。

\b
示例：
  cargo-runbook sandbox status --json
""",
    )
)
def status(name: NameOption = DEFAULT_NAME, as_json: JsonOption = False) -> None:
    from cargo_sandbox.drill import is_going_on
    from cargo_sandbox.faults.engine import FaultEngine
    from cargo_sandbox.machines import processes

    state = state_of(name)
    is_up = processes.is_up(state)
    drill = is_up and is_going_on(state)
    broken = FaultEngine(state).broken() if is_up and not drill else ()
    if as_json:
        print_json(
            {
                "name": name,
                "up": is_up,
                "cluster": is_up and state.cluster is not None,
                "environments": [site.name for site in SITES] if is_up else [],
                "inventory": str(state.inventory) if is_up else "",
                "machines": {machine.name: machine.address for machine in MACHINES} if is_up else {},
                "broken": list(broken),
                "drill": drill,
            }
        )
        return
    if not is_up:
        print(tell(f"{name}: down", f"{name}：未运行"))
        return
    print(tell(f"{name}: up", f"{name}：运行中"))
    for machine in MACHINES:
        print(f"  {machine.name:<10} {machine.address}")
    if state.cluster:
        print(tell("cluster: kubectl contexts ", "集群：kubectl context ") + f"{CONTEXT}, {OTHER_CONTEXT}")
    print(tell(f"inventory: {state.inventory}", f"环境清单：{state.inventory}"))
    if drill:
        print(tell("broken: kept back while a drill goes on", "故障：演练进行中，不显示"))
    else:
        print(tell("broken: ", "故障：") + (", ".join(broken) or tell("nothing", "无")))
