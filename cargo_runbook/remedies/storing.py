"""Plans as JSON: for machines and people (masked), and for a change that is taken up again (with what it needs)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cargo_runbook.connections.api_calls import request_from
from cargo_runbook.connections.changing import FileState
from cargo_runbook.connections.config_maps import KeyState
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.remedies.actions import (
    Action,
    ApiCall,
    Durability,
    Effect,
    FileEdit,
    Jobs,
    KeyEdit,
    RunCommand,
    place_of,
)
from cargo_runbook.remedies.journal import Change
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text


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
                           "removed": action.after is None})  # fmt: skip
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


def restore(change: Change, body: Mapping[str, Any]) -> Plan:
    """The plan of a change, to be finished or undone."""
    actions: list[Action] = []
    for number, stored in enumerate(body["stored"], start=1):
        if stored["kind"] == "key":
            old, new = (change.kept(f"{name}-{number}") for name in ("before", "after"))
            key = KeyState(
                context=stored["context"],
                namespace=stored["namespace"],
                name=stored["name"],
                key=stored["key"],
                value=None if stored["new"] else (old or b"").decode(),
                version=stored["version"],
            )
            actions.append(KeyEdit(before=key, after=None if stored["removed"] else (new or b"").decode()))
            continue
        if stored["kind"] == "call":
            actions.append(_restored_call(stored))
            continue
        vantage = Vantage(Place(stored["place"]), stored["host"])
        if stored["kind"] == "edit":
            before = None if stored["new"] else change.kept(f"before-{number}")
            state = FileState(vantage, stored["path"], before, stored["mode"], stored["owner"], stored["in_place"])
            after = None if stored["removed"] else change.kept(f"after-{number}")
            actions.append(FileEdit(before=state, after=after))
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
