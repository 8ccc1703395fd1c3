"""Every question of every recorded diagnosis, in all states of the practice installation, only looks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import pytest

from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, observation_from_json
from cargo_runbook.recordings import list_recordings, recordings_folder

# Kept apart from the list in connections/readonly.py on purpose: that one can't excuse itself.
PROGRAMS = {"cat", "head", "tail", "ls", "stat", "getent", "date", "df", "curl", "docker", "nslookup"}
DOCKER = {"ps", "inspect", "logs", "info", "version"}
KUBECTL = {"get", "logs", "exec", "version", "config", "describe"}
IN_POD = {"getent", "nslookup", "cat"}
CURL_WRITES = {"-o", "-O", "-d", "--data", "-F", "-T", "-X", "--upload-file", "-K", "-u"}


@cache
def recorded(name: str) -> tuple[Observation, ...]:
    lines = [line for file in sorted((recordings_folder() / name).glob("*.jsonl")) for line in file.open("rb")]
    return tuple(observation_from_json(json.loads(line)) for line in lines)


def writes(seen: Observation) -> Iterator[str]:
    """What is wrong with a question; nothing for one that only looks."""
    match seen.question:
        case Command(argv=argv):
            if argv[0] not in PROGRAMS or (argv[0] == "docker" and argv[1] not in DOCKER):
                yield " ".join(argv)
            thrown_away = "-o /dev/null" in " ".join(argv)
            if argv[0] == "curl" and (CURL_WRITES - ({"-o"} if thrown_away else set())) & set(argv):
                yield " ".join(argv)
        case KubeCommand(args=args):
            inner = args[args.index("--") + 1] if "--" in args else ""
            if args[0] not in KUBECTL or (args[0] == "exec") != bool(inner) or (inner and inner not in IN_POD):
                yield " ".join(args)
        case HttpRequest(method=method, url=url, body=body):
            ping = url.endswith("/api/targets/ping") and re.fullmatch(r'\{"id": ?\d+\}', body)
            if method not in ("GET", "HEAD") and not (method == "POST" and ping):
                yield f"{method} {url} {body}"


@pytest.mark.parametrize("name", list_recordings())
def test_a_diagnosis_in_this_state_asked_nothing_that_changes_anything(name: str) -> None:
    asked = recorded(name)
    assert len(asked) > 60
    assert [wrong for seen in asked for wrong in writes(seen)] == []
    assert [str(seen.question) for seen in asked if seen.data.get("reason") == "not_read_only"] == []
