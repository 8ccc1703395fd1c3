"""Doing a plan, action by action, with each step announced in the journal before it is done; and undoing it.

Whatever ends this process between two lines of the journal leaves every file as it was before or as it is meant to
be: so a change can be finished (`resume`) or undone (`undo`) from its folder alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cargo_runbook.connections.changing import Changing, Ended, FileState, digest_of
from cargo_runbook.connections.config_maps import read_key, write_key
from cargo_runbook.errors import ConnectionFailed, StaleState
from cargo_runbook.remedies.actions import Action, ApiCall, FileEdit, KeyEdit, RunCommand
from cargo_runbook.remedies.jobs import send_and_wait
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.texts import tell

Tell = Callable[[str, str], None]
"""Told `begin`, `done`, `undo` or `undone` with the target of an action, and `said` with what was seen doing it."""


def do(plan: Plan, change: Change, changing: Changing, tell: Tell) -> None:
    """Does all actions that are not done yet.

    Raises:
        StaleState: a file is neither as before nor as planned; what was done so far is in the journal.
        ConnectionFailed: a machine could not be reached, or a command failed.
    """
    done = {event["action"] for event in change.events() if event["event"] == "done"}
    for number, action in enumerate(plan.actions, start=1):
        if number in done:
            continue
        change.note("begin", action=number)
        tell("begin", action.target)
        said = _do(action, changing)
        change.note("done", action=number, **({"said": said} if said else {}))
        tell("done", action.target)
        if said:
            tell("said", said)


def undo(plan: Plan, change: Change, changing: Changing, tell: Tell) -> None:
    """Takes back all that was begun: commands with an inverse and edits in reverse, then once more those that made them
    effective. What was never begun is left alone.

    Raises:
        StaleState: a file was changed by somebody since; nothing of it is overwritten.
        ConnectionFailed: as `do`.
    """
    begun = {event["action"] for event in change.events() if event["event"] == "begin"}
    actions = [(number, action) for number, action in enumerate(plan.actions, start=1) if number in begun]
    edited = False
    for number, action in reversed(actions):
        if isinstance(action, RunCommand | ApiCall) and not action.undo:
            continue
        change.note("undo", action=number)
        tell("undo", action.target)
        if isinstance(action, FileEdit):
            edited |= _write(changing, action, action.before.content)
        elif isinstance(action, KeyEdit):
            _set_key(action, action.before.value)
        elif isinstance(action, ApiCall):
            if action.undo:
                changing.apis.send(action.undo)
        else:
            _run(changing, action, action.undo)
        change.note("undone", action=number)
        tell("undone", action.target)
    if not edited and not _undone_before(change):
        return
    for number, action in actions:
        if isinstance(action, RunCommand) and not action.undo:
            change.note("undo", action=number)
            tell("undo", action.target)
            _run(changing, action, action.argv)
            change.note("undone", action=number)
            tell("undone", action.target)


def _undone_before(change: Change) -> bool:
    """Whether an undo that was cut off has already written files back."""
    return any(event["event"] == "undone" for event in change.events())


def _do(action: Action, changing: Changing) -> str:
    """What was seen doing it that is worth telling."""
    if isinstance(action, FileEdit):
        _write(changing, action, action.after)
    elif isinstance(action, KeyEdit):
        _set_key(action, action.after)
    elif isinstance(action, ApiCall):
        return send_and_wait(action, changing.apis)
    else:
        _run(changing, action, action.argv)
    return ""


def _write(changing: Changing, action: FileEdit, content: bytes | None) -> bool:
    """The file gets this content; False when it has it already."""
    now = changing.read(action.vantage, action.target)
    if now.digest == ("-" if content is None else digest_of(content)):
        return False
    if now.digest not in (action.before.digest, action.after_digest):
        raise StaleState(
            tell(
                f"{action.target} is neither as it was nor as it was meant to be; it was left as it is",
                f"{action.target} 既不是修改前的内容，也不是计划写入的内容，因此保持原样",
            ),
            vantage=str(action.vantage),
            seen=tell(
                f"SHA-256 {now.digest} now, {action.before.digest} before, {action.after_digest} planned",
                f"当前 SHA-256 {now.digest}，修改前 {action.before.digest}，计划 {action.after_digest}",
            ),
            next_step=tell(
                "Somebody else is at work there. Compare the file with the copies in the folder of the change.",
                "有其他人正在修改。请与变更目录中的副本比较。",
            ),
        )
    changing.write(_as_planned(now, action.before), content)
    return True


def _set_key(action: KeyEdit, value: str | None) -> None:
    """The key gets this value; nothing is done where it has it, or where somebody else changed it."""
    before = action.before
    now = read_key(before.context, before.namespace, before.name, before.key)
    if now.value == value:
        return
    if now.value not in (before.value, action.after):
        raise StaleState(
            tell(
                f"{before.target} is neither as it was nor as it was meant to be; it was left as it is",
                f"{before.target} 既不是修改前的内容，也不是计划写入的内容，因此保持原样",
            ),
            vantage=f"cluster {before.context}",
            next_step=tell(
                "Somebody else is at work there. Compare it with the copies in the folder of the change.",
                "有其他人正在修改。请与变更目录中的副本比较。",
            ),
        )
    write_key(now, value)


def _as_planned(now: FileState, before: FileState) -> FileState:
    """Written in the way, and with the mode and owner, that the plan was made with."""
    return replace(now, mounted=before.mounted, mode=before.mode, owner=before.owner)


def _run(changing: Changing, action: RunCommand, argv: tuple[str, ...]) -> None:
    ended: Ended = changing.run(action.vantage, argv)
    if ended.exit_code != 0:
        raise ConnectionFailed(
            tell(f"{' '.join(argv)} failed", f"{' '.join(argv)} 执行失败"),
            vantage=str(action.vantage),
            seen=(ended.error or ended.output).strip()[-400:],
        )
