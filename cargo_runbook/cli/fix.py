"""`cargo-runbook fix`: shows what would mend a finding; does it when its digest is confirmed; takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cargo_runbook.cli.console import InventoryOption, JsonOption, ReportsOption, complain, message, print_json, tell
from cargo_runbook.cli.diagnose import AccountOption, ActionOption, ImageOption
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.pasteable import pasteable

if TYPE_CHECKING:
    from cargo_runbook.remedies.fixing import Fixing
    from cargo_runbook.remedies.outcome import Outcome
    from cargo_runbook.remedies.plan import Plan

_HELP = tell(
    """Show the fix for a finding; apply it only when its digest is confirmed.

\b
Examples:
  cargo-runbook fix CRG201 --env prod-1                     the plan; nothing is changed
  cargo-runbook fix CRG201 --env prod-1 --confirm 7b1e4c02a9d1
                                                            does exactly that plan, and proves it
  cargo-runbook fix --env prod-1 --rollback ID              takes a fix back
  cargo-runbook fix --env prod-1 --resume ID                finishes one that was cut off

Exit code: 0 plan shown, or fix proven; 2 wrong usage, or a plan that has changed; 3 could not be done;
4 done but not proven (it was taken back, but for --keep).
""",
    """显示某个诊断结果的修复方案；只有确认其摘要后才执行。

\b
示例：
  cargo-runbook fix CRG201 --env prod-1                     只显示方案，不做修改
  cargo-runbook fix CRG201 --env prod-1 --confirm 7b1e4c02a9d1
                                                            执行该方案并证明有效
  cargo-runbook fix --env prod-1 --rollback ID              撤销一次修复
  cargo-runbook fix --env prod-1 --resume ID                继续被中断的修复

退出码：0 已显示方案或修复已证实，2 用法错误或方案已变化，3 无法执行，4 已执行但未证实（除非 --keep，否则已回滚）。
""",
)

_PHASES = {
    "diagnose": tell("looking for the cause", "正在诊断"),
    "plan": tell("making the plan", "正在生成方案"),
    "before": tell("trying the clients before", "修复前先用客户端验证"),
    "after": tell("trying the clients again", "再次用客户端验证"),
    "undo": tell("taking it back", "正在回滚"),
}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("fix", help=_HELP)(fix)


def fix(
    env: Annotated[str, typer.Option("--env", "-e", metavar="NAME", help=tell("Environment.", "环境名称。"))],
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help=tell("The finding, such as CRG201.", "诊断代码。"))
    ] = "",
    confirm: Annotated[
        str, typer.Option(metavar="DIGEST", help=tell("Do the plan with this digest.", "执行具有该摘要的方案。"))
    ] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help=tell("Why; production asks for it.", "原因；生产环境必填。"))
    ] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help=tell("Don't take it back where it is not proven.", "未证实时也不回滚。"))
    ] = False,
    remedy: Annotated[
        str, typer.Option(metavar="NAME", help=tell("Another remedy of the finding.", "选用另一种修复方法。"))
    ] = "",
    resume: Annotated[
        str, typer.Option(metavar="ID", help=tell("Finish a change that was cut off.", "继续被中断的修复。"))
    ] = "",
    rollback: Annotated[str, typer.Option(metavar="ID", help=tell("Take a change back.", "撤销一次修复。"))] = "",
    image: ImageOption = "",
    account: AccountOption = "",
    action: ActionOption = "",
    as_json: JsonOption = False,
    inventory: InventoryOption = None,
    reports: ReportsOption = None,
) -> None:
    """One environment at a time: a change is looked at before it is made."""
    from cargo_runbook.archive.record import reports_folder
    from cargo_runbook.remedies.fixing import Fixing
    from cargo_runbook.remedies.outcome import Wish

    if bool(code) + bool(resume) + bool(rollback) != 1:
        raise UsageError(
            tell(
                "name one of: a finding's CODE, --resume ID, --rollback ID",
                "请给出其一：诊断代码、--resume ID、--rollback ID",
            )
        )
    folder = reports_folder(reports)
    with Fixing(env, inventory=inventory, reports=folder, tell=_tell) as fixing:
        if resume or rollback:
            outcome = fixing.resume(resume) if resume else fixing.rollback(rollback)
            _end(fixing, outcome, folder, as_json, rollback=bool(rollback))
        wish = Wish(code.upper(), env, image, account, action)
        if confirm:
            _end(fixing, fixing.apply(wish, confirm, reason=reason, keep=keep, remedy=remedy), folder, as_json)
        plan = fixing.preview(wish, remedy)
        if as_json:
            print_json(fixing.shown(plan))
        else:
            _show_plan(fixing, plan)


def _tell(phase: str) -> None:
    what, _, target = phase.partition(" ")
    if what in _PHASES and not target:
        message(f"· {_PHASES[what]}")
    elif what == "change":
        message(f"· {tell('change', '变更')} {target}")
    elif what in ("done", "undone"):
        message(f"  ✓ {target}")
    elif what == "said":
        message(f"    {target}")


def _show_plan(fixing: Fixing, plan: Plan) -> None:
    from cargo_runbook.views.plan import plan_card
    from cargo_runbook.views.terminal import show

    show(plan_card(plan, fixing.redactor))
    if plan.actions:
        reason = tell(" --reason TEXT", " --reason 原因") if plan.stage == "production" else ""
        print()
        print(tell("Apply with:", "执行："))
        again = pasteable(f"cargo-runbook fix {plan.code} --env {plan.environment}")
        print(f"  {again} --confirm {plan.digest[:16]}{reason}")


def _end(fixing: Fixing, outcome: Outcome, folder: Path, as_json: bool, *, rollback: bool = False) -> None:
    from cargo_runbook.archive.sealing.changes import seal_change

    try:
        kept = seal_change(folder, outcome, fixing.redactor).header.record
    except RunbookError as error:
        # What was done stays done, and its journal stays where it is.
        complain(str(error))
        kept = ""
    if as_json:
        body: dict[str, Any] = {
            **fixing.shown(outcome.plan),
            "applied": outcome.applied,
            "rolled_back": outcome.rolled_back,
            "change": outcome.change.id,
            "record": kept,
        }
        if outcome.before is not None and outcome.after is not None:
            body |= {"proof": str(outcome.proof), "before": outcome.before.to_json(), "after": outcome.after.to_json()}
        print_json(body)
    else:
        from cargo_runbook.views.plan import outcome_card
        from cargo_runbook.views.terminal import show

        show(outcome_card(outcome))
        if outcome.applied and outcome.plan.can_be_undone:
            undo = pasteable(f"cargo-runbook fix --env {outcome.plan.environment} --rollback {outcome.change.id}")
            print(f"  {tell('Undo:', '撤销：')}  {undo}")
    raise typer.Exit(0 if rollback else outcome.exit_code)
