"""`cargo-runbook env`: the inventory of environments."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cargo_runbook.cli.console import InventoryOption, JsonOption, complain, message, print_json, print_table, tell
from cargo_runbook.errors import InventoryError, UsageError
from cargo_runbook.pasteable import pasteable

if TYPE_CHECKING:
    from cargo_runbook.inventory.models import Environment

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")

app = typer.Typer(
    help=tell(
        """Describe environments: one file each, without secrets.

\b
Example:
  cargo-runbook env init prod-1
""",
        """环境清单：每个环境一个文件，不含密码。

\b
示例：
  cargo-runbook env init prod-1
""",
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(root: typer.Typer) -> None:
    """Add the group `env`."""
    root.add_typer(app, name="env")


@app.command(
    help=tell(
        """Write an example file to fill in; never overwrites.

\b
Example:
  cargo-runbook env init prod-1
""",
        """生成示例文件；绝不覆盖已有文件。

\b
示例：
  cargo-runbook env init prod-1
""",
    )
)
def init(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=tell("Name of the environment.", "环境名。"))] = "cargo",
    inventory: InventoryOption = None,
) -> None:
    from cargo_runbook.inventory.loader import SUFFIXES, inventory_folder

    if not _NAME.fullmatch(name):
        raise UsageError(
            tell(f'"{name}" can\'t be the name of an environment', f"“{name}” 不能作为环境名"),
            next_step=tell(
                "Use small letters, digits, '.', '_' and '-', as in prod-1.",
                "只能使用小写字母、数字和 . _ -，例如 prod-1。",
            ),
        )
    folder = inventory_folder(inventory)
    there = next((f for suffix in SUFFIXES if (f := folder / f"{name}{suffix}").exists()), None)
    file = folder / f"{name}.yaml"
    if there is not None or not _write_new(
        file, files("cargo_runbook.inventory").joinpath("example.yaml").read_bytes()
    ):
        raise UsageError(
            tell(f"{there or file} is there already; nothing was written", f"{there or file} 已存在，没有写入任何内容")
        )
    print(file)
    check = pasteable(f"cargo-runbook env check {name}")
    message(tell(f"Fill it in, then: {check}", f"填写后执行：{check}"))


def _write_new(file: Path, content: bytes) -> bool:
    """Write a file whole or not at all, and only where none is. Gives False when one is there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.") as draft:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).chmod(0o644)
            os.link(draft.name, file)
    except FileExistsError:
        return False
    except OSError as error:
        raise _unwritable(file, error) from None
    return True


def _unwritable(file: Path, error: OSError) -> UsageError:
    return UsageError(tell(f"{file} can't be written: {error.strerror}", f"无法写入 {file}：{error.strerror}"))


@app.command(
    "list",
    help=tell(
        """All environments, one a line.

\b
Example:
  cargo-runbook env list --json
""",
        """列出所有环境。

\b
示例：
  cargo-runbook env list --json
""",
    ),
)
def list_environments(inventory: InventoryOption = None, as_json: JsonOption = False) -> None:
    environments, problems = _load_each(inventory, [])
    if as_json:
        print_json([_summary(environment) for environment in environments])
    elif environments:
        rows = [list(_summary(environment).values()) for environment in environments]
        print_table([tell("name", "环境"), tell("stage", "阶段"), tell("domain", "域名"), tell("hosts", "主机"),
                     tell("cluster", "集群")], rows)  # fmt: skip
    if not environments and not problems:
        init = pasteable("cargo-runbook env init NAME")
        message(tell(f"There is no environment yet: {init}", f"还没有环境：{init}"))
    _end_with(problems)


@app.command(
    help=tell(
        """One environment with its defaults; secrets are not looked up.

\b
Example:
  cargo-runbook env show prod-1
""",
        """显示一个环境（含默认值）；不读取密码。

\b
示例：
  cargo-runbook env show prod-1
""",
    )
)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help=tell("Name of the environment.", "环境名。"))],
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> None:
    from cargo_runbook.inventory.loader import find_inventory, load_environment

    environment = load_environment(name, find_inventory(inventory))
    data = {**environment.model_dump(mode="json"), "file": str(environment.file)}
    if as_json:
        print_json(data)
        return
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    yaml.dump({key: value for key, value in data.items() if value not in (None, "", [])}, sys.stdout)


@app.command(
    help=tell(
        """Are the files right? Tells every mistake with file, line and key.

\b
Examples:
  cargo-runbook env check
  cargo-runbook env check 'prod-*' --json
""",
        """检查环境文件，列出全部错误（文件、行、键）。

\b
示例：
  cargo-runbook env check
  cargo-runbook env check 'prod-*' --json
""",
    )
)
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help=tell("Names or patterns (prod-*).", "环境名或通配。")),
    ] = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> None:
    from cargo_runbook.inventory.checks import look_closer

    environments, problems = _load_each(inventory, names or [])
    notes: list[InventoryError] = []
    for environment in environments:
        closer = look_closer(environment)
        problems += closer.problems
        notes += closer.notes
    if as_json:
        print_json(
            {
                "ok": not problems,
                "environments": [environment.name for environment in environments],
                "problems": [_problem(problem) for problem in problems],
                "notes": [_problem(note) for note in notes],
            }
        )
        raise typer.Exit(2 if problems else 0)
    for note in notes:
        message(f"{note}\n  ({tell('not a mistake of the file, but it will be missed', '文件无误，但执行时会缺少')})")
    if not problems:
        print(tell(f"{len(environments)} environment files are right", f"{len(environments)} 个环境文件正确"))
    _end_with(problems)


@app.command(
    help=tell(
        """JSON Schema of an environment file, for editors.

\b
Example:
  cargo-runbook env schema --output environment.schema.json
""",
        """输出环境文件的 JSON Schema，供编辑器使用。

\b
示例：
  cargo-runbook env schema --output environment.schema.json
""",
    )
)
def schema(
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help=tell("Write it to a file.", "写入文件。"))
    ] = None,
) -> None:
    from cargo_runbook.inventory.schema import json_schema

    if output is None:
        print_json(json_schema())
        return
    try:
        output.write_text(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise _unwritable(output, error) from None
    message(tell(f"{output} written", f"已写入 {output}"))


def _load_each(inventory: Path | None, patterns: list[str]) -> tuple[list[Environment], list[InventoryError]]:
    """The environments that can be read, and what is wrong with the others."""
    from cargo_runbook.inventory.loader import choose, each_problem, find_inventory, load_environment

    folder = find_inventory(inventory)
    environments: list[Environment] = []
    problems: list[InventoryError] = []
    for name in choose(folder, patterns or ["*"]):
        try:
            environments.append(load_environment(name, folder))
        except InventoryError as error:
            problems.extend(each_problem(error))
    return environments, problems


def _end_with(problems: list[InventoryError]) -> None:
    for problem in problems:
        message(str(problem))
    if problems:
        count = len(problems)
        complain(tell(f"{count} mistake{'s' * (count > 1)} in the environment files", f"环境文件有 {count} 处错误"))
        raise typer.Exit(2)


def _summary(environment: Environment) -> dict[str, Any]:
    return {
        "name": environment.name,
        "stage": str(environment.stage),
        "domain": environment.authority,
        "hosts": ", ".join(host.name for host in environment.hosts),
        "cluster": environment.kubernetes.context if environment.kubernetes else "",
    }


def _problem(error: InventoryError) -> dict[str, Any]:
    return {"file": error.file, "line": error.line, "key": error.key, "problem": str(error)}
