"""One key of a ConfigMap: read as it is, and changed only where nobody has changed the object since.

The other part of `changing`: the same rules hold, nothing of it can be reached from a diagnosis.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cargo_runbook.connections.base import Deadline, Failure, as_text
from cargo_runbook.connections.local import Outcome, run
from cargo_runbook.errors import ConnectionFailed, StaleState
from cargo_runbook.texts import say, tell

SECONDS = 30.0


@dataclass(frozen=True)
class KeyState:
    """A key as it is now. `value` is None where the object has no such key, `bare` where it has no key at all."""

    context: str
    namespace: str
    name: str
    key: str
    value: str | None
    version: str
    bare: bool = False

    @property
    def target(self) -> str:
        return f"configmap/{self.name} {self.key}"


def read_key(context: str, namespace: str, name: str, key: str) -> KeyState:
    """The key, and the object's resourceVersion.

    Raises:
        ConnectionFailed: the object could not be read.
    """
    outcome = _kubectl(context, "get", f"configmap/{name}", "-n", namespace, "-o", "json")
    if outcome.exit_code != 0:
        raise _failed(
            context,
            tell(f"configmap/{name} in {namespace} could not be read", f"无法读取 {namespace} 中的 configmap/{name}"),
            outcome,
        )
    body: dict[str, Any] = json.loads(outcome.output)
    data = body.get("data") or {}
    value = data.get(key)
    version = str(body["metadata"]["resourceVersion"])
    return KeyState(context, namespace, name, key, None if value is None else str(value), version, not data)


def write_key(state: KeyState, value: str | None) -> None:
    """Gives the key another value, or takes it away; all other keys stay. The server itself compares the version.

    Raises:
        StaleState: the object has changed since `state` was read.
        ConnectionFailed: the server refused it, or could not be reached.
    """
    path = "/data/" + state.key.replace("~", "~0").replace("/", "~1")
    # JSON patch (RFC 6902): `test` makes the API server refuse the whole patch when the version is another one.
    patch: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/resourceVersion", "value": state.version}]
    if value is None:
        patch.append({"op": "remove", "path": path})
    elif state.bare:
        # There is nothing yet to add a key to.
        patch.append({"op": "add", "path": "/data", "value": {state.key: value}})
    else:
        patch.append({"op": "add" if state.value is None else "replace", "path": path, "value": value})
    words = ("patch", f"configmap/{state.name}", "-n", state.namespace, "--type=json", "-p", json.dumps(patch))
    outcome = _kubectl(state.context, *words)
    if outcome.exit_code == 0:
        return
    said = as_text(outcome.error)
    if "test failed" in said or "testing" in said or "Conflict" in said or "has been modified" in said:
        raise StaleState(
            tell(
                f"{state.target} has changed since the plan was made; it was left as it is",
                f"方案生成之后 {state.target} 已发生变化，因此保持原样",
            ),
            vantage=f"cluster {state.context}",
            next_step=tell("Look at it, then make the plan again.", "请检查后重新生成方案。"),
        )
    raise _failed(state.context, tell(f"{state.target} could not be changed", f"无法修改 {state.target}"), outcome)


def _kubectl(context: str, *words: str) -> Outcome:
    argv = ("kubectl", f"--context={context}", f"--request-timeout={int(SECONDS)}s", *words)
    try:
        return run(argv, Deadline(SECONDS + 5))
    except Failure as failure:
        raise ConnectionFailed(say(failure.sentence), vantage=f"cluster {context}") from failure


def _failed(context: str, what: str, outcome: Outcome) -> ConnectionFailed:
    return ConnectionFailed(what, vantage=f"cluster {context}", seen=as_text(outcome.error).strip()[-300:])
