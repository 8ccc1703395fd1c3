"""The stand-in of Harbor 1.4 answers recorded requests as the real Harbor did, request by request.

Compared are the status, the headers Location, X-Total-Count, Link, Set-Cookie and Content-Type, texts word for word,
of JSON the field names and what is null or empty, of a token who it is for and what it grants, of a job's log every
line. Not compared: values of ids and times, sizes, and the pages of HTML errors.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cargo_sandbox.material import pki
from cargo_sandbox.services import harbor_api
from cargo_sandbox.services.harbor_database import insert, insert_repository
from tests.sandbox import harbor_states as states
from tests.sandbox.harbor_replay import (
    PASSWORD,
    RECORDINGS,
    Harbor,
    Replay,
    difference,
    lines_of,
    recorded,
    started,
)
from tests.sandbox.test_harbor_destinations import CASES
from tests.waiting import free_port, until

pytestmark = pytest.mark.services("docker-registry")

# Exchanges in a replayed file that are not replayed: (file, index) -> why.
LEFT_OUT: dict[tuple[str, int], str] = {
    ("logs", 9): "the end of the log was not recorded",
    ("jobs", 16): "after five minutes: retries have a test of their own",
    ("logs", 12): "after five minutes: retries have a test of their own",
    ("targets", 19): "its cause, a user without a role, was made past the API",
    ("jobs-more", 3): "the log of a job with 32 tags that is not replayed",
    ("targets-more", 11): "a destination with a certificate for another name",
    ("targets-more", 12): "a destination that is a registry without Harbor",
    ("repositories", 9): "the access log is not made",
    ("repositories", 10): "the configuration is not made",
    ("repositories", 11): "the configuration is not made",
    **{
        ("stop-more", n): "jobs whose destination becomes right again: see the test of retries"
        for n in (11, 14, 17, 18)
    },
    **{
        ("services-down", n): "the front's own answer, with no stand-in behind it" for n in (12, *range(16, 20), 22, 33)
    },
    **{("services-down", n): "there is no adminserver apart from the ui" for n in (20, 21, 23, 24)},
}
# Recorded files of which nothing is replayed -> why.
NOT_REPLAYED = {
    "challenge": "the registry itself, which is real in the sandbox",
    "registry-direct": "the registry itself, which is real in the sandbox",
    "registry-2.6.2": "the registry itself, which is real in the sandbox",
    "clients": "what docker and skopeo print: the sandbox's tests run the real clients",
    "guest-images": "changing rights between starts: the log lines are those of replication-cases",
    "immediate": "deletion is not replicated by the stand-in",
    "no-private-key": "a ui without its key is not made",
    "push-agents": "needs many pushes: which agents are noticed has a test of its own",
    "replication-2.6.2": "broken destinations: the sandbox's faults make them",
    "replication-cases": "not in order: each case is played by the tests of destinations",
    "retry": "five minutes: retries have a test of their own",
    "retry-long": "five minutes: retries have a test of their own",
    "timeline": "a course of time: the states are those of the jobs' test",
    "workers-blocked": "a course of time: a silent destination has a test of its own",
}
COUNTS = {
    **{"challenge": 10, "registry-direct": 23, "registry-2.6.2": 36, "clients": 53, "guest-images": 8, "immediate": 11},
    **{"no-private-key": 11, "push-agents": 46, "replication-2.6.2": 39, "replication-cases": 151, "retry": 19},
    **{"retry-long": 20, "timeline": 15, "workers-blocked": 19},
}
IN_ORDER = ("systeminfo", "login", "users", "projects", "members", "token", "targets", "policies")
IN_ORDER_TOO = ("trigger", "jobs", "logs", "stop")
BUSY = ("jobs-more", "policies-more", "targets-more", "members-more", "token-more", "session", "not-in-1.4")
BUSY_TOO = ("repositories", "jobs-old", "stop-more", "jobs-paging", "services-down")


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the recordings do not resolve, and no name server is asked; a wrong password takes no time."""
    resolve = socket.getaddrinfo

    def on_loopback(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", on_loopback)
    monkeypatch.setattr(harbor_api, "FAILED_LOGIN_SECONDS", 0)


def differences(
    replay: Replay, name: str, chosen: range | None = None, before: dict[int, Callable[[], object]] | None = None
) -> list[str]:
    found = []
    for number, entry in enumerate(recorded(name)):
        if chosen is not None and number not in chosen:
            continue
        if before and number in before:
            before[number]()
        if (name, number) in LEFT_OUT:
            continue
        differs = difference(entry, replay.ask(entry), replay)
        if differs:
            found.append(f"{name}[{number}] {entry['request']['path']} ({entry['note']}): {differs}")
    return found


def test_the_course_of_a_first_installation_is_answered_as_recorded(tmp_path: Path):
    source = Harbor(tmp_path / "source", states.empty(PASSWORD), images=states.SOURCE_IMAGES)
    destination = Harbor(tmp_path / "destination", states.fresh(PASSWORD, {"library": True}))
    names = {"127.0.14.2:8200": f"127.0.0.1:{destination.front}", "127.0.14.9:8300": f"127.0.0.1:{free_port()}"}
    replay = Replay(source, names)
    found: list[str] = []
    with started(source, destination):
        source.start_jobservice()
        for name in IN_ORDER[:-2]:
            found += differences(replay, name)
        with source.database.change() as tables:
            for repository in ("redis", "node"):
                insert_repository(tables, f"devops_test/{repository}")
        found += differences(replay, "targets", range(15))
        found += differences(replay, "policies")
        for number in range(3):
            found += differences(replay, "trigger", range(number, number + 1))
            settled(source, number + 4)
        found += differences(replay, "trigger", range(3, 5))
        found += differences(replay, "jobs", range(11))
        found += log_differences(replay, range(7), {0: 2, 1: 1, 2: 4, 3: 3, 4: 6, 5: 5})
        found += differences(replay, "stop")
        found += differences(replay, "targets", range(15, 19))
        found += broken_destinations(replay, destination)
    assert found == []


def settled(harbor: Harbor, policy: int, jobs: int = 2) -> list[dict[str, Any]]:
    def those() -> list[dict[str, Any]]:
        return [job for job in harbor.database.read()["jobs"] if job["policy_id"] == policy]

    until(lambda: len(those()) >= jobs and not any(job["status"] in {"pending", "running"} for job in those()))
    return those()


def log_differences(replay: Replay, chosen: range, jobs: dict[int, int]) -> list[str]:
    """The log of each recorded job against the log of a job here; which of two creates a project is chance."""
    found = []
    for number in chosen:
        entry = recorded("logs")[number]
        path = (
            re.sub(r"/\d+/log", f"/{jobs[number]}/log", entry["request"]["path"])
            if number in jobs
            else entry["request"]["path"]
        )
        answer = replay.ask({**entry, "note": "", "request": {**entry["request"], "path": path}})
        if answer.status != entry["response"]["status"]:
            found.append(f"logs[{number}]: status {answer.status}")
        seen, wanted = (
            [line for line in lines_of(text, replay) if "creating project" not in line or "ERROR" in line]
            for text in (answer.text, entry["response"]["body"])
        )
        seen, wanted = ([line for line in lines if " is created on " not in line] for lines in (seen, wanted))
        if seen != wanted:
            found += [f"logs[{number}]: {a!r}, recorded {b!r}" for a, b in zip(seen, wanted, strict=False) if a != b]
            found += [f"logs[{number}]: {len(seen)} lines, recorded {len(wanted)}"] if len(seen) != len(wanted) else []
    return found


def broken_destinations(replay: Replay, destination: Harbor) -> list[str]:
    """Wrong password, no role, all right, a key that is not trusted, a registry that is down: start, jobs, log."""
    other = pki.token_signer("another").key_pem

    def credentials(user: str, password: str) -> None:
        with replay.harbor.database.change() as tables:
            tables["targets"][0] |= {"username": user, "password": password}

    def without_a_role() -> None:
        with destination.database.change() as tables:
            insert(tables, "users", "user_id", {"username": "pusher", "password": PASSWORD, "has_admin_role": 0})
        credentials("pusher", PASSWORD)

    broken: tuple[Callable[[], object], ...] = (
        lambda: credentials("admin", "wrong"),
        without_a_role,
        lambda: credentials("admin", PASSWORD),
        lambda: (destination.folder / "key.pem").write_bytes(other),
        lambda: destination.stop("registry"),
    )
    found: list[str] = []
    for number, break_ in enumerate(broken):
        break_()
        found += differences(replay, "trigger", range(number + 5, number + 6))
        jobs = settled(replay.harbor, 4, 2 * number + 4)
        found += differences(replay, "jobs", range(number + 11, number + 12))
        if ("logs", number + 7) not in LEFT_OUT:
            latest = max(job["id"] for job in jobs if job["repository"] == "devops_test/node")
            found += log_differences(replay, range(number + 7, number + 8), {number + 7: latest})
    return found


@pytest.mark.parametrize("name", [*BUSY, *BUSY_TOO])
def test_a_harbor_in_use_answers_as_recorded(tmp_path: Path, name: str):
    state = {"jobs-paging": states.many_jobs, "services-down": states.blocked}.get(name, states.busy)
    tables = state(PASSWORD, free_port())
    harbor = Harbor(tmp_path / "harbor", tables, images=states.SOURCE_IMAGES)
    states.write_logs(harbor.folder / "logs", tables)
    jobservice = f"127.0.0.1:{harbor.jobs_port}"
    before: dict[int, Callable[[], object]] = {}
    if name == "services-down":
        before = {
            1: lambda: harbor.stop("jobservice"),
            8: lambda: (until(no_start_is_under_way), harbor.start_jobservice(work=False)),
            10: lambda: harbor.stop("registry"),
            20: harbor.start_registry,
            26: lambda: harbor.file.rename(harbor.file.with_name("away")),
        }
    with started(harbor):
        harbor.start_jobservice(work=False)
        assert differences(Replay(harbor, {"127.0.0.1:9103": jobservice}), name, before=before) == []


def no_start_is_under_way() -> bool:
    """Nobody waits for the start of a policy: one that meets no jobservice must have met none before it is back."""
    return not any(thread.name.startswith("policy-") for thread in threading.enumerate())


def test_what_is_not_replayed_is_listed_and_the_share_that_is_stands_in_the_test():
    files = {path.stem for path in RECORDINGS.glob("*.json")}
    replayed = {*IN_ORDER, *IN_ORDER_TOO, *BUSY, *BUSY_TOO}
    assert replayed <= files
    assert set(NOT_REPLAYED) == set(COUNTS)
    assert not replayed & set(NOT_REPLAYED)
    counts = {name: len(recorded(name)) for name in replayed}
    assert all(name in replayed and number < counts[name] for name, number in LEFT_OUT)
    offered = sum(counts.values())
    one_by_one = 4 * len(CASES)
    replayed_here = offered - len(LEFT_OUT)
    assert (replayed_here, offered, one_by_one, offered + sum(COUNTS.values())) == (331, 356, 100, 817)
