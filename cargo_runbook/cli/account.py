"""What a ledger says of a run, in a terminal: of one that goes on or was cut off, and of one that did not end well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cargo_runbook.archive.ledger import (
    STEP_WORDS,
    LedgerError,
    RunState,
    Step,
    StepStatus,
    account_to_json,
    read_account,
)
from cargo_runbook.cli.console import print_json, print_table, tell
from cargo_runbook.pasteable import pasteable
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import near, one_line

STATES = {
    RunState.RUNNING: Text("the run goes on", "正在运行"),
    RunState.INTERRUPTED: Text("interrupted: the runner was cut off", "被中断：执行程序意外退出"),
    RunState.ENDED: Text("ended, but not sealed", "已结束，但未封存"),
}
_GOOD = (StepStatus.OK, StepStatus.SKIPPED)


def told_of_draft(draft: Path) -> str:
    """A line about a draft: whether its run goes on, was cut off and where."""
    from cargo_runbook.archive.sealing.interrupted import account_of

    name = draft.name
    account = account_of(draft)
    done = sum(step.status in (StepStatus.OK, StepStatus.WARNED) for step in account.steps)
    state = STATES[account.state].say(language_from())
    told = tell(
        f"{name}: {state} ({done} of {len(account.steps)} steps done)",
        f"{name}：{state}（{len(account.steps)} 步中完成 {done} 步）",
    )
    if account.state is RunState.RUNNING:
        return told
    return f"{told}\n  {pasteable(f'cargo-runbook records seal {name}')}"


def show_account(draft: Path, as_json: bool) -> None:
    """Shows what is known of a run that has no record (yet)."""
    from cargo_runbook.archive.sealing.interrupted import account_of

    account = account_of(draft)
    name = draft.name
    if as_json:
        print_json({"record": name, "status": account.state, "path": str(draft), **account_to_json(account)})
        return
    for label, value in (
        (tell("run", "运行"), name),
        (tell("folder", "目录"), near(draft)),
        (tell("state", "状态"), STATES[account.state].say(language_from())),
        (tell("begun", "开始"), account.started),
        (tell("runner", "执行程序"), f"{account.host}, pid {account.pid}" if account.pid else ""),
        (tell("reason", "原因"), account.reason),
    ):
        if value:
            print(f"{label}  {one_line(value)}")
    _print(account.steps)


def show_steps(record: Path) -> None:
    """Shows the steps of a sealed record's run, if one of them did not end well."""
    try:
        steps = read_account(record).steps
    except LedgerError:
        # Stepped through by hand, or older than ledgers.
        return
    if any(step.status not in _GOOD for step in steps):
        _print(steps)


def _print(steps: Sequence[Step]) -> None:
    if steps:
        print()
        say = language_from()
        headings = (tell("cell", "单元"), tell("step", "步骤"), tell("result", "结果"), tell("reason", "原因"))
        rows = [(str(step.cell + 1), step.id, STEP_WORDS[step.status].say(say), step.reason) for step in steps]
        print_table(headings, [[one_line(cell) for cell in row] for row in rows])
