"""Recorded exchanges of real Harbor 1.4.1 installations as observations and facts.

`tests/data/harbor-1.4` has lists of exchanges: `request`, `response`, `note`, some with the destination's logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cargo_runbook.facts.harbor.job_log import JobLog, read_job_log
from cargo_runbook.facts.harbor.jobs import JobList, join_pages, read_jobs
from cargo_runbook.facts.harbor.logs import read_front_log, read_registry_log
from cargo_runbook.facts.harbor.replication import (
    ReplicationFacts,
    read_answer,
    read_redirect,
    read_token_answer,
)
from cargo_runbook.observations import HttpRequest, Observation, Status

FOLDER = Path(__file__).parent / "data" / "harbor-1.4"
Exchange = dict[str, Any]


@cache
def recording(name: str) -> tuple[Exchange, ...]:
    """All exchanges of one file."""
    return tuple(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


def observation(exchange: Exchange, seconds: float = 0.0) -> Observation:
    """The exchange as an observation, made `seconds` after the newest time in it."""
    request, response = exchange["request"], exchange["response"]
    data: dict[str, Any] = {"status": response["status"], "headers": response.get("headers") or {}}
    if "jwt_claims" in response:
        data["token"] = {"ref": "token:ab", "header": response["jwt_header"], "claims": response["jwt_claims"]}
    body = response.get("body") or ""
    url = f"https://{request.get('host', 'harbor.example')}{request['path']}?{request.get('query', '')}"
    return Observation(
        question=HttpRequest(url=url, method=request["method"]),
        status=Status.ANSWERED,
        output=body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        data=data,
        started=_last_time(json.dumps(body)) + timedelta(seconds=seconds),
        duration=0.01,
        id=f"E{1 + _number(exchange)}",
    )


def _last_time(text: str) -> datetime:
    times = re.findall(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    return max((datetime.fromisoformat(t) for t in times), default=datetime(2026, 11, 24, 12, tzinfo=UTC))


def _number(exchange: Exchange) -> int:
    return int.from_bytes(json.dumps(exchange, sort_keys=True).encode(), "big") % 100_000


def at(name: str, *places: int) -> list[Exchange]:
    """Single exchanges of one file."""
    return [recording(name)[place] for place in places]


def is_jobs(exchange: Exchange) -> bool:
    request = exchange["request"]
    return request["method"] == "GET" and request["path"] == "/api/jobs/replication"


def is_log(exchange: Exchange) -> bool:
    request = exchange["request"]
    return request["method"] == "GET" and re.fullmatch(r"/api/jobs/replication/\d+/log", request["path"]) is not None


def logs(exchanges: Iterable[Exchange]) -> dict[int, JobLog]:
    return {int(e["request"]["path"].split("/")[-2]): read_job_log(observation(e)) for e in exchanges if is_log(e)}


def jobs(exchanges: Iterable[Exchange], seconds: float = 0.0) -> JobList | None:
    return join_pages(read_jobs(observation(e, seconds)) for e in exchanges if is_jobs(e))


def facts(exchanges: Iterable[Exchange]) -> ReplicationFacts:
    """The facts in exchanges that belong together: ping, jobs, logs of both sides, tokens, a redirect."""
    kept = tuple(exchanges)

    def some(path: str, when: Callable[[Exchange], bool] = lambda e: True) -> list[Exchange]:
        return [e for e in kept if e["request"]["path"] == path and when(e)]

    redirects = some("/v2/", lambda e: e["response"]["status"] in (301, 302, 200, 401))
    return ReplicationFacts(
        jobs=jobs(kept),
        logs=logs(kept),
        pings=tuple(read_answer(observation(e)) for e in some("/api/targets/ping")),
        tokens=tuple(
            read_token_answer(observation(e), scoped="scope=" in e["request"]["query"]) for e in some("/service/token")
        ),
        redirect=read_redirect(observation(redirects[0])) if redirects else None,
        registry_logs=tuple(
            read_registry_log("\n".join(e["destination_registry_log"]), observation(e).id)
            for e in kept
            if "destination_registry_log" in e
        ),
        front_logs=tuple(
            read_front_log("\n".join(e["destination_front_log"]), observation(e).id)
            for e in kept
            if "destination_front_log" in e
        ),
    )


def cases() -> dict[str, tuple[Exchange, ...]]:
    """The cases of `replication-cases`, name -> exchanges."""
    found: dict[str, list[Exchange]] = {}
    for exchange in recording("replication-cases"):
        found.setdefault(exchange["case"], []).append(exchange)
    return {name: tuple(exchanges) for name, exchanges in found.items()}
