"""One key of a ConfigMap is changed by a patch that the API server itself refuses when the object is another one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.connections.config_maps import read_key, write_key
from cargo_runbook.errors import StaleState

VERSION = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
KUBECTL = """#!/bin/sh
case " $* " in
*" get "*) cat "$FOLDER/object" ;;
*" patch "*) for word; do last=$word; done; printf %s "$last" >"$FOLDER/patch"; cat "$FOLDER/error" >&2; [ ! -s "$FOLDER/error" ] ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that shows the object and keeps the patch."""
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "error").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    return tmp_path


def patched(cluster: Path, data: dict[str, str] | None, value: str | None) -> list[dict[str, Any]]:
    body = {"metadata": {"resourceVersion": "7"}, **({} if data is None else {"data": data})}
    (cluster / "object").write_text(json.dumps(body))
    write_key(read_key("practice", "kube-system", "coredns-custom", "a.example/x"), value)
    found: list[dict[str, Any]] = json.loads((cluster / "patch").read_text())
    return found


@pytest.mark.parametrize(
    ("data", "value", "change"),
    [
        ({"a.example/x": "old"}, "new", {"op": "replace", "path": "/data/a.example~1x", "value": "new"}),
        ({"other": "1"}, "new", {"op": "add", "path": "/data/a.example~1x", "value": "new"}),
        ({"a.example/x": "old"}, None, {"op": "remove", "path": "/data/a.example~1x"}),
        (None, "new", {"op": "add", "path": "/data", "value": {"a.example/x": "new"}}),
        ({}, "new", {"op": "add", "path": "/data", "value": {"a.example/x": "new"}}),
    ],
    ids=["another value", "one key more", "taken away", "an object without data", "an object with empty data"],
)
def test_a_key_is_changed_and_the_version_is_compared_by_the_server(
    cluster: Path, data: dict[str, str] | None, value: str | None, change: dict[str, Any]
) -> None:
    assert patched(cluster, data, value) == [VERSION, change]


@pytest.mark.parametrize("said", ["the object has been modified", "testing path failed", "Conflict"])
def test_an_object_that_changed_meanwhile_is_left_as_it_is(cluster: Path, said: str) -> None:
    (cluster / "error").write_text(said)
    with pytest.raises(StaleState, match="has changed since the plan was made"):
        patched(cluster, {}, "new")
