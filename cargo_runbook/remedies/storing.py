"""Plans as JSON: for machines and people (masked), and for a change that is taken up again (with what it needs)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cargo_runbook.connections.api_calls import request_from
from cargo_runbook.connections.changing import FileState, digest_of
from cargo_runbook.connections.config_maps import KeyState
from cargo_runbook.errors import StaleState
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.remedies.actions import (
    Action,
    ApiCall,
    Durability,
    Effect,
    FileEdit,
    Jobs,
    KeyEdit,
    MadeBy,
    RunCommand,
    place_of,
)
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text, tell


def plan_to_json(plan: Plan, redactor: Redactor) -> dict[str, Any]:
    """The machine interface of the design (`fix --json`); no secret stands in it."""
    return {
        "plan": plan.remedy,
        "environment": plan.environment,
        "stage": plan.stage,
        "code": plan.code,
        "digest": plan.digest,
        "made": plan.made,
        "host_keys": dict(plan.host_keys),
        "notes": [note.en for note in plan.notes],
        "actions": [_shown(action, redactor) for action in plan.actions],
    }


def _shown(action: Action, redactor: Redactor) -> dict[str, Any]:
    body = {
        "host": place_of(action.vantage),
        "target": action.target,
        "effect": str(action.effect),
        "durability": action.durability.to_json(),
        "downtime": action.downtime.en,
        "diff": redactor.redact(action.diff()),
        "inverse": action.inverse.en,
    }
    if isinstance(action, FileEdit) and action.made_by:
        return {**body, "made_by": {"command": action.made_by.command, "script": action.made_by.digest}}
    if isinstance(action, RunCommand):
        return {**body, "command": " ".join(action.argv)}
    return {**body, "request": str(action.request)} if isinstance(action, ApiCall) else body


def store(plan: Plan, redactor: Redactor) -> dict[str, Any]:
    """What `restore` needs besides the files of the change."""
    stored = []
    for action in plan.actions:
        where = {"place": str(action.vantage.place), "host": action.vantage.host}
        if isinstance(action, FileEdit):
            state = action.before
            about = {"mode": state.mode, "owner": state.owner, "in_place": state.mounted}
            stored.append({"kind": "edit", **where, "path": state.path, **about, "new": state.content is None,
                           "removed": action.after is None, "sha256": [state.digest, action.after_digest],
                           "made_by": vars(action.made_by) if action.made_by else None})  # fmt: skip
        elif isinstance(action, KeyEdit):
            state_of = action.before
            stored.append(
                {
                    "kind": "key",
                    "context": state_of.context,
                    "namespace": state_of.namespace,
                    "name": state_of.name,
                    "key": state_of.key,
                    "version": state_of.version,
                    "new": state_of.value is None,
                    "removed": action.after is None,
                    "sha256": [_digest(state_of.value), _digest(action.after)],
                }
            )
        elif isinstance(action, ApiCall):
            stored.append(_stored_call(action))
        else:
            stored.append(
                {
                    "kind": "run",
                    **where,
                    "argv": list(action.argv),
                    "undo": list(action.undo),
                    "effect": str(action.effect),
                    "target": action.target,
                    "containers": dict(action.containers),
                    "downtime": [action.downtime.en, action.downtime.zh],
                }
            )
    return {**plan_to_json(plan, redactor), "stored": stored}


def _stored_call(action: ApiCall) -> dict[str, Any]:
    return {
        "kind": "call",
        "request": action.request.to_json(),
        "undo": action.undo.to_json() if action.undo else None,
        "effect": str(action.effect),
        "target": action.target,
        "shown": list(action.shown),
        "waits": vars(action.waits) if action.waits else None,
    }


def _restored_call(stored: Mapping[str, Any]) -> ApiCall:
    return ApiCall(
        request=request_from(stored["request"]),
        undo=request_from(stored["undo"]) if stored["undo"] else None,
        effect=Effect(stored["effect"]),
        target=stored["target"],
        shown=(stored["shown"][0], stored["shown"][1]),
        waits=Jobs(**stored["waits"]) if stored["waits"] else None,
    )


def keep_files(change: Change, plan: Plan) -> None:
    """Puts each file's content before and after beside the plan."""
    for number, action in enumerate(plan.actions, start=1):
        if isinstance(action, FileEdit):
            if action.before.content is not None:
                change.keep(f"before-{number}", action.before.content)
            if action.after is not None:
                change.keep(f"after-{number}", action.after)
        elif isinstance(action, KeyEdit):
            for name, value in (("before", action.before.value), ("after", action.after)):
                if value is not None:
                    change.keep(f"{name}-{number}", value.encode())


def _digest(value: str | None) -> str:
    return "-" if value is None else digest_of(value.encode())


def _kept(change: Change, number: int, stored: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    """What the file or key was before and is meant to be; None where there was none, or will be none.

    Raises:
        StaleState: a copy is not there any more, or is not what was kept.
    """
    found: list[bytes | None] = []
    digests = stored.get("sha256") or ("", "")
    for name, absent, digest in zip(("before", "after"), (stored["new"], stored["removed"]), digests, strict=True):
        content = None if absent else change.kept(f"{name}-{number}")
        if not absent and (content is None or (digest and digest_of(content) != digest)):
            raise StaleState(
                tell(
                    f"{change.path / f'{name}-{number}'} is not the copy that was kept, so nothing is written from it",
                    f"{change.path / f'{name}-{number}'} 不是当时保留的副本，因此不用它写入任何内容",
                ),
                seen=tell("it is gone", "它已不存在")
                if content is None
                else tell(
                    f"SHA-256 {digest_of(content)}, kept was {digest}",
                    f"SHA-256 {digest_of(content)}，当时保留的是 {digest}",
                ),
                next_step=tell(
                    f"{stored.get('path') or stored.get('name')} itself was not touched by this. Mend it by hand.",
                    f"{stored.get('path') or stored.get('name')} 本身没有被改动。请手动修复。",
                ),
            )
        found.append(content)
    return found[0], found[1]


def restore(change: Change, body: Mapping[str, Any]) -> Plan:
    """The plan of a change, to be finished or undone.

    Raises:
        StaleState: a copy of a file before or after is not what was kept.
    """
    actions: list[Action] = []
    for number, stored in enumerate(body["stored"], start=1):
        if stored["kind"] == "key":
            old, new = _kept(change, number, stored)
            key = KeyState(
                context=stored["context"],
                namespace=stored["namespace"],
                name=stored["name"],
                key=stored["key"],
                value=None if old is None else old.decode(),
                version=stored["version"],
            )
            actions.append(KeyEdit(before=key, after=None if new is None else new.decode()))
            continue
        if stored["kind"] == "call":
            actions.append(_restored_call(stored))
            continue
        vantage = Vantage(Place(stored["place"]), stored["host"])
        if stored["kind"] == "edit":
            before, after = _kept(change, number, stored)
            state = FileState(vantage, stored["path"], before, stored["mode"], stored["owner"], stored["in_place"])
            made_by = MadeBy(**stored["made_by"]) if stored.get("made_by") else None
            actions.append(FileEdit(before=state, after=after, made_by=made_by))
        else:
            actions.append(
                RunCommand(
                    vantage=vantage,
                    argv=tuple(stored["argv"]),
                    undo=tuple(stored["undo"]),
                    effect=Effect(stored["effect"]),
                    target=stored["target"],
                    containers=stored["containers"],
                    downtime=Text(*stored["downtime"]),
                    durability=Durability(),
                )
            )
    return Plan(
        environment=body["environment"],
        stage=body["stage"],
        code=body["code"],
        remedy=body["plan"],
        actions=tuple(actions),
        made=body["made"],
        host_keys=body.get("host_keys", {}),
    )
