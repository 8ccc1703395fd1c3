"""faults, break, heal."""

from __future__ import annotations

from typing import Annotated

import typer

from cargo_runbook.cli.console import JsonOption, message, print_json, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import language_from
from cargo_sandbox.cli.options import NameOption, name_option, state_of
from cargo_sandbox.paths import DEFAULT_NAME
from cargo_sandbox.topology import OPERATOR

app = typer.Typer(rich_markup_mode=None)


@app.command(
    "faults",
    help=tell(
        """The faults that can be injected.

\b
Examples:
  cargo-runbook sandbox faults --json
  cargo-runbook sandbox faults --guide-map    the page docs/guide-map.md
""",
        """可以注入的故障。

\b
示例：
  cargo-runbook sandbox faults --json
  cargo-runbook sandbox faults --guide-map    生成 docs/guide-map.md
""",
    ),
)
def list_faults(
    name: NameOption = DEFAULT_NAME,
    as_json: JsonOption = False,
    guide_map: Annotated[
        bool,
        typer.Option(
            "--guide-map",
            help=tell(
                "Sections, notebooks, codes and faults as Markdown.", "以 Markdown 输出章节、Notebook、代码与故障。"
            ),
        ),
    ] = False,
) -> None:
    from cargo_runbook.execution.runbooks import runbooks_folder
    from cargo_sandbox import guide_map as guide
    from cargo_sandbox.drill import is_going_on
    from cargo_sandbox.faults.catalog import faults
    from cargo_sandbox.faults.engine import FaultEngine
    from cargo_sandbox.machines import processes

    if guide_map:
        print(guide.as_markdown(guide.rows(runbooks_folder())), end="")
        return
    state = state_of(name)
    # While a drill goes on nobody is told.
    broken = FaultEngine(state).broken() if processes.is_up(state) and not is_going_on(state) else ()
    if as_json:
        print_json(
            [
                {
                    "name": fault.name,
                    "section": fault.section,
                    "environment": fault.environment,
                    "needs": fault.needs,
                    "expected_root_causes": list(fault.expected_root_causes),
                    "client_text": fault.client.text,
                    "client_command": list(fault.client.command),
                    "title": fault.title.en,
                    "title_zh": fault.title.zh,
                    "broken": fault.name in broken,
                }
                for fault in faults()
            ]
        )
        return
    for fault in faults():
        mark = tell("  [broken]", "  [已注入]") if fault.name in broken else ""
        cause = ", ".join(fault.expected_root_causes) or tell("could not tell", "无法判断")
        needs = tell("  (needs --cluster)", "  （需要 --cluster）") if fault.needs == "cluster" else ""
        print(f"{fault.name:<28}{fault.environment:<9}{cause}{needs}{mark}")
        print(f"    {fault.text.say(language_from())}")


@app.command(
    "break",
    help=tell(
        """Inject a fault, and return when its effect is there.

\b
Examples:
  cargo-runbook sandbox break wrong-domain
  cargo-runbook sandbox break host-down
""",
        """注入一个故障，生效后返回。

\b
示例：
  cargo-runbook sandbox break wrong-domain
  cargo-runbook sandbox break host-down
""",
    ),
)
def break_fault(
    fault_name: Annotated[
        str, typer.Argument(metavar="FAULT", help=tell("A name that `faults` lists.", "`faults` 列出的名字。"))
    ],
    name: NameOption = DEFAULT_NAME,
) -> None:
    from cargo_sandbox import lab
    from cargo_sandbox.faults.catalog import fault
    from cargo_sandbox.faults.engine import FaultEngine

    state, wanted = state_of(name), fault(fault_name)
    with lab.only_one(state):
        done = FaultEngine(state).break_(wanted.name)
    if not done:
        message(tell(f"{wanted.name} is broken already.", f"{wanted.name} 已经注入。"))
        return
    message(f"{wanted.name}: {wanted.text.say(language_from())}")
    see = f"cargo-runbook sandbox run{name_option(name)} -- {' '.join(wanted.client.command)}"
    if not wanted.client.account:
        message(tell("See it with:  ", "查看现象：  ") + see)


@app.command(
    help=tell(
        """Undo a fault (or all), and return when its effect is gone. Changed files get back their very bytes.

\b
Examples:
  cargo-runbook sandbox heal wrong-domain
  cargo-runbook sandbox heal --all
""",
        """撤销一个（或全部）故障，恢复后返回。被修改的文件逐字节还原。

\b
示例：
  cargo-runbook sandbox heal wrong-domain
  cargo-runbook sandbox heal --all
""",
    )
)
def heal(
    fault_name: Annotated[
        str, typer.Argument(metavar="[FAULT]", help=tell("A name that `faults` lists.", "`faults` 列出的名字。"))
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help=tell("All that is broken.", "全部故障。"))] = False,
    name: NameOption = DEFAULT_NAME,
) -> None:
    from cargo_sandbox import lab
    from cargo_sandbox.faults.engine import FaultEngine
    from cargo_sandbox.machines.operator_shell import machine_of

    if bool(fault_name) == everything:
        raise UsageError(tell("heal needs the name of a fault, or --all", "heal 需要故障名或 --all"))
    state = state_of(name)
    machine_of(state, OPERATOR.name)
    with lab.only_one(state):
        engine = FaultEngine(state)
        healed = engine.heal_all() if everything else (fault_name,) * engine.heal(fault_name)
    message(tell("Healed: ", "已恢复：") + (", ".join(healed) or tell("nothing was broken", "没有故障")))
