"""What a ledger says of a run, in a terminal: of one that goes on or was cut off, and of one that did not end well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cargo_runbook.archive.ledger import Account, LedgerError, RunState, Step, StepStatus, account_to_json, read_account
from cargo_runbook.cli.console import print_json, print_table, tell
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import near, one_line

STEPS = {
    StepStatus.NOT_RUN: Text("not run", "未执行"),
    StepStatus.RUNNING: Text("running", "执行中"),
    StepStatus.OK: Text("ok", "完成"),
    StepStatus.WARNED: Text("ok, with warnings", "完成，有警告"),
    StepStatus.FAILED: Text("failed", "失败"),
    StepStatus.TIMED_OUT: Text("timed out", "超时"),
    StepStatus.KERNEL_DIED: Text("kernel died", "内核退出"),
    StepStatus.INTERRUPTED: Text("interrupted", "被中断"),
    StepStatus.SKIPPED: Text("skipped", "跳过"),
}
STATES = {
    RunState.RUNNING: Text("the run goes on", "正在运行"),
    RunState.INTERRUPTED: Text("interrupted: the runner was cut off", "被中断：执行程序意外退出"),
    RunState.ENDED: Text("ended, but not sealed", "已结束，但未封存"),
}
_GOOD = (StepStatus.OK, StepStatus.SKIPPED)


def told_of_draft(draft: Path) -> str:
    """A line about a draft: whether its run goes on, was cut off and where."""
    name = draft.name
    account = _account(draft)
    done = sum(step.status in (StepStatus.OK, StepStatus.WARNED) for step in account.steps)
    state = STATES[account.state].say(language_from())
    return tell(
        f"{name}: {state} ({done} of {len(account.steps)} steps done)",
        f"{name}：{state}（{len(account.steps)} 步中完成 {done} 步）",
    )


def show_account(draft: Path, as_json: bool) -> None:
    """Shows what is known of a run that has no record (yet)."""
    account = _account(draft)
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


def _account(draft: Path) -> Account:
    try:
        return read_account(draft)
    except LedgerError as error:
        return Account(RunState.INTERRUPTED, reason=str(error))


def _print(steps: Sequence[Step]) -> None:
    if steps:
        print()
        say = language_from()
        headings = (tell("cell", "单元"), tell("step", "步骤"), tell("result", "结果"), tell("reason", "原因"))
        rows = [(str(step.cell + 1), step.id, STEPS[step.status].say(say), step.reason) for step in steps]
        print_table(headings, [[one_line(cell) for cell in row] for row in rows])
