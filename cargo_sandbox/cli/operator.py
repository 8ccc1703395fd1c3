"""run, shell, notebook: what the engineer does on operator."""

from __future__ import annotations

from typing import Annotated

import typer

from cargo_runbook.cli.console import tell
from cargo_runbook.errors import UsageError
from cargo_sandbox.cli.options import NameOption, state_of
from cargo_sandbox.paths import DEFAULT_NAME
from cargo_sandbox.topology import MACHINES, OPERATOR

app = typer.Typer(rich_markup_mode=None)


PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command(
    context_settings=PASS_THROUGH,
    help=tell(
        """Run a command on operator, in the project's folder, with the project's Python environment.

\b
Examples:
  cargo-runbook sandbox run -- docker pull cargo.caicloudprivatetest.com/library/tiny:1
  cargo-runbook sandbox run -- cargo-runbook diagnose --env cargo
  cargo-runbook sandbox run -- ssh cargo docker exec tengine cat /etc/hosts
""",
        """在 operator 上执行命令，工作目录为项目目录，使用项目的 Python 环境。

\b
示例：
  cargo-runbook sandbox run -- docker pull cargo.caicloudprivatetest.com/library/tiny:1
  cargo-runbook sandbox run -- cargo-runbook diagnose --env cargo
  cargo-runbook sandbox run -- ssh cargo docker exec tengine cat /etc/hosts
""",
    ),
)
def run(
    command: Annotated[
        list[str], typer.Argument(metavar="CMD...", help=tell("The command, after `--`.", "`--` 之后的命令。"))
    ],
    name: NameOption = DEFAULT_NAME,
) -> None:
    from cargo_sandbox.machines import operator_shell

    raise typer.Exit(operator_shell.run(state_of(name), command))


@app.command(
    help=tell(
        """Open a shell on a machine.

\b
Examples:
  cargo-runbook sandbox shell
  cargo-runbook sandbox shell cargo
""",
        """打开某台机器的 shell。

\b
示例：
  cargo-runbook sandbox shell
  cargo-runbook sandbox shell cargo
""",
    )
)
def shell(
    machine: Annotated[
        str, typer.Argument(metavar="[MACHINE]", help=", ".join(machine.name for machine in MACHINES))
    ] = OPERATOR.name,
    name: NameOption = DEFAULT_NAME,
) -> None:
    from cargo_sandbox.machines import operator_shell

    names = [known.name for known in MACHINES]
    if machine not in names:
        raise UsageError(
            tell(f'there is no machine "{machine}"', f"没有机器 “{machine}”"),
            next_step=tell("Take one of: ", "可选：") + ", ".join(names),
        )
    raise typer.Exit(operator_shell.shell(state_of(name), machine))


@app.command(
    help=tell(
        """Open JupyterLab on operator; this computer's browser reaches it on 127.0.0.1.

\b
Examples:
  cargo-runbook sandbox notebook
  cargo-runbook sandbox notebook --port 8890
""",
        """在 operator 上打开 JupyterLab，本机浏览器通过 127.0.0.1 访问。

\b
示例：
  cargo-runbook sandbox notebook
  cargo-runbook sandbox notebook --port 8890
""",
    )
)
def notebook(
    port: Annotated[int, typer.Option("--port", min=1024, max=65535, help=tell("Port.", "端口。"))] = 8888,
    name: NameOption = DEFAULT_NAME,
) -> None:
    from cargo_sandbox.machines import operator_shell
    from cargo_sandbox.machines.forward import forwarded

    state = state_of(name)
    with forwarded(operator_shell.machine_of(state, OPERATOR.name), port):
        code = operator_shell.run(state, ["cargo-runbook", "notebook", "--port", str(port), "--no-browser"])
    raise typer.Exit(code)
