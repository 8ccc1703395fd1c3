"""Which questions dockerd is asked itself, and its answers as docker's client prints them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from cargo_runbook.connections.docker.daemon import Daemon, Unexpected

ENDING = frozenset({"cat", "date", "df", "getent", "head", "hostname", "ls", "readlink", "stat"})
"""Programs that end by themselves whatever becomes of who asked. dockerd lets a command go on when its connection
breaks; one that could run for long is started by docker's client, over a session that ends it."""

_ALL = ("docker", "ps", "-a", "--no-trunc", "--format", "{{json .}}")
_INSPECT = ("docker", "inspect", "--format")
_INFO = ("docker", "info", "--format")
_SAME = ("ID", "Image", "State", "Status")
_VALUE = re.compile(r"\{\{(json )?\.([A-Za-z]+(?:\.[A-Za-z]+)*)\}\}")
_SPELT = {"HTTPProxy": "HttpProxy", "HTTPSProxy": "HttpsProxy"}
"""Names of Go that are spelt otherwise in JSON."""

Told = Callable[[Daemon], str]


def api_question(argv: tuple[str, ...]) -> Told | None:
    """How dockerd is asked for what a command of docker's client prints; None when only the client can be.

    What is asked raises as `Daemon.read` does.
    """
    if argv == _ALL:
        return _containers
    *words, form = argv[:4]
    if tuple(words) == _INSPECT and _is_known(form) and len(argv) > 4 and not any(w.startswith("-") for w in argv[4:]):
        return lambda daemon: _inspected(daemon, form, argv[4:])
    if tuple(words) == _INFO and _is_known(form) and len(argv) == 4:
        return lambda daemon: f"{filled(form, daemon.read('/info')[0])}\n"
    return None


def _containers(daemon: Daemon) -> str:
    """A line a container, with what is the same in the client's words; ports and ages, which it puts in its own, are not."""
    (rows,) = daemon.read("/containers/json?all=1")
    try:
        return "".join(f"{_compact(_row(row))}\n" for row in rows)
    except (KeyError, TypeError, AttributeError) as unlike:
        raise Unexpected("no list of containers") from unlike


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    names = ",".join(str(name).removeprefix("/") for name in row["Names"])
    return {"ID": str(row["Id"]), "Names": names, **{key: str(row[key]) for key in _SAME[1:]}}


def _inspected(daemon: Daemon, form: str, names: tuple[str, ...]) -> str:
    bodies = daemon.read(*(f"/containers/{quote(name, safe='')}/json" for name in names))
    return "".join(f"{filled(form, body)}\n" for body in bodies)


def _is_known(form: str) -> bool:
    return bool(_VALUE.search(form)) and "{{" not in _VALUE.sub("", form)


def filled(form: str, body: Any) -> str:
    """A format of docker's client (`{{.A.B}}` for text, `{{json .A.B}}`) with what the daemon says.

    Raises:
        Unexpected: it says nothing of the kind.

    >>> filled("{{.Name}} {{json .Host.Extra}}", {"Name": "/a", "Host": {"Extra": ["b:1"]}})
    '/a ["b:1"]'
    """
    return _VALUE.sub(lambda place: _value(place[2], body, as_json=bool(place[1])), form)


def _value(path: str, body: Any, *, as_json: bool) -> str:
    for word in path.split("."):
        key = _SPELT.get(word, word)
        if not isinstance(body, Mapping) or key not in body:
            raise Unexpected(f"no {path}")
        body = body[key]
    if as_json:
        return _compact(body)
    if not isinstance(body, str):
        raise Unexpected(f"{path} is no text")
    return body


def _compact(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
