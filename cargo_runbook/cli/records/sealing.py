"""`cargo-runbook records seal`: what a run left that was cut off becomes a record, as the failed run that it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cargo_runbook.archive.reading.records import find_draft, list_drafts
from cargo_runbook.archive.record import Record, reports_folder
from cargo_runbook.cli.console import (
    InventoryOption,
    JsonOption,
    ReportsOption,
    SignKeyOption,
    complain,
    message,
    print_json,
    tell,
)
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.pasteable import pasteable
from cargo_runbook.views.words import near

_HELP = tell(
    """Seal what runs left that were cut off (kill -9, power loss): status failed, with what each step came to.

Nothing is added to what they left. It is looked through for secrets as every record is: by shape, and by the values that
the environment's file leads to. `records list` names such drafts.

\b
Examples:
  cargo-runbook records seal 20260304T100411Z-prod_1-00_triage-7f3a2c
  cargo-runbook records seal --all
""",
    """封存被中断的运行（kill -9、断电）留下的内容：状态为失败，并保留每一步的结果。

不会补充任何内容。与其他记录一样检查其中是否有密码：按格式，以及按环境文件引用的值。`records list` 会列出这些草稿。

\b
示例：
  cargo-runbook records seal 20260304T100411Z-prod_1-00_triage-7f3a2c
  cargo-runbook records seal --all
""",
)


def register(records: typer.Typer) -> None:
    """Adds the command."""
    records.command("seal", help=_HELP)(seal)


def seal(
    drafts: Annotated[
        list[str] | None, typer.Argument(metavar="[RECORD]...", help=tell("Ids.", "编号。"), show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=tell("All whose run is over.", "所有已结束的运行。"))] = False,
    sign_key: SignKeyOption = None,
    reports: ReportsOption = None,
    inventory: InventoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Seals the named drafts, or all that nobody writes any more."""
    from cargo_runbook.archive.sealing.interrupted import NotOver, seal_interrupted

    folder = reports_folder(reports)
    if bool(drafts) == every:
        raise UsageError(
            tell("name what is to be sealed, or --all", "请给出要封存的草稿，或使用 --all"),
            next_step=pasteable("cargo-runbook records list"),
        )
    found = list_drafts(folder) if every else [_draft(folder, name) for name in drafts or ()]
    sealed: list[Record] = []
    failed: RunbookError | None = None
    for draft in found:
        _learn_secrets(draft, inventory)
        try:
            sealed.append(seal_interrupted(folder, draft, key=sign_key))
        except NotOver as error:
            # Of all that there is, those that go on are none that was meant.
            failed = failed if every else error
            complain(str(error))
        except RunbookError as error:
            failed = error
            complain(str(error))
    if as_json:
        print_json([{"record": r.header.record, "path": str(r.path), "head": r.head, "status": r.header.status,
                     "reason": r.header.reason} for r in sealed])  # fmt: skip
    else:
        for record in sealed:
            print(record.header.record)
            message(f"  {near(record.path)}\n  {tell('head', '校验')}  {record.head}")
        if not sealed and failed is None:
            message(tell(f"nothing to seal below {folder}", f"{folder} 下没有可封存的内容"))
    if failed is not None:
        raise typer.Exit(failed.exit_code)


def _draft(folder: Path, name: str) -> Path:
    draft = find_draft(folder, name)
    if draft is None:
        raise UsageError(
            tell(f"there is no draft {name!r} below {folder}", f"{folder} 下没有草稿 {name!r}"),
            next_step=pasteable("cargo-runbook records list"),
        )
    return draft


def _learn_secrets(draft: Path, inventory: Path | None) -> None:
    """Resolves the credentials of the draft's environment, so that they are known by value."""
    from cargo_runbook.archive.sealing.interrupted import account_of
    from cargo_runbook.inventory.credentials import login_of
    from cargo_runbook.inventory.loader import find_inventory, load_environment

    account = account_of(draft)
    if account.about.get("replayed"):
        return
    try:
        environment = load_environment(account.environment, find_inventory(inventory))
    except RunbookError as error:
        complain(tell(f"secrets are looked for by shape alone: {error}", f"仅按格式检查密码：{error}"))
        return
    for each in environment.accounts:
        try:
            login_of(environment, each)
        except RunbookError as error:
            complain(tell(f"not known by value: {error}", f"无法按值检查：{error}"))
