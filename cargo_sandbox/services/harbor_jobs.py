"""Harbor's API: replication jobs. harbor-ui lists them from the database; all else is asked from jobservice."""

from __future__ import annotations

import calendar
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cargo_sandbox.services.go_http import Answer, BadStatus, Client, NetworkError
from cargo_sandbox.services.harbor_api import Call, Refused, administers, pretty
from cargo_sandbox.services.harbor_database import Database, DatabaseDown, Row, Tables, row
from cargo_sandbox.services.registry_client import Registry
from cargo_sandbox.services.web import Response

UNDER_WAY = ("pending", "running", "retrying")
SHOWN = ("id", "status", "repository", "policy_id", "operation", "tags", "creation_time", "update_time")
ERROR_PAGE = (
    b"\n<!DOCTYPE html>\n<html>\n<head>\n<title>beego application error</title>\n</head>\n"
    b"<body><h2>runtime error: invalid memory address or nil pointer dereference</h2></body>\n</html>\n"
)


@dataclass(frozen=True)
class JobQueue:
    """The way to jobservice: `url` is its address, `secret` is what both know, `registry` Harbor's own registry."""

    database: Database
    registry: Callable[[], Registry]
    url: str
    secret: str

    def ask(self, method: str, path: str, body: Row | None = None) -> Answer:
        """Ask jobservice.

        Raises:
            NetworkError: it does not answer.
        """
        headers = {"Cookie": f"secret={self.secret}"}
        return Client().request(
            method, f"{self.url}{path}", headers=headers, body=json.dumps(body).encode() if body else b""
        )

    def start(self, policy: int) -> None:
        """Make a job for each known repository of the policy; nobody waits for it, and nobody hears of a failure."""
        self._in_background(policy)

    def pushed(self, repository: str, tag: str) -> None:
        """An image was pushed: start the policies that wait for that."""
        for policy in self.database.read()["policies"]:
            if policy["trigger"]["kind"] == "Immediate":
                self._in_background(policy["id"], repository, tag)

    def _in_background(self, policy: int, *which: str) -> None:
        threading.Thread(target=self._start, args=(policy, *which), name=f"policy-{policy}", daemon=True).start()

    def _start(self, number: int, only: str = "", tag: str = "") -> None:
        try:
            tables = self.database.read()
            policy = row(tables["policies"], "id", number)
            if policy is None:
                return
            for repository in _chosen(policy, tables):
                if only and repository != only:
                    continue
                tags = [tag] if tag else self.registry().tags(repository)
                wanted = [each for each in tags if _passes(policy, "tag", each)]
                if wanted:
                    job = {"policy_id": number, "repository": repository, "operation": "transfer", "tags": wanted}
                    self.ask("POST", "/api/jobs/replication", job)
        except (NetworkError, BadStatus, DatabaseDown) as error:
            print(f"policy {number} could not be started: {error}", flush=True)


def _passes(policy: Row, kind: str, name: str) -> bool:
    return all(fnmatchcase(name, each["pattern"]) for each in policy["filters"] if each["kind"] == kind)


def _chosen(policy: Row, tables: Tables) -> list[str]:
    return [
        each["name"]
        for each in tables["repositories"]
        if each["project_id"] == policy["project_id"] and _passes(policy, "repository", each["name"].partition("/")[2])
    ]


@dataclass(frozen=True)
class Jobs:
    database: Database
    queue: JobQueue

    def all(self, call: Call) -> Response:
        """Newest change first."""
        call.signed_in()
        query = call.request.query
        text = call.request.parameter("policy_id")
        number = int(text) if text.isdigit() else 0
        if number < 1:
            raise Refused(400, "invalid policy_id")
        tables = self.database.read()
        self._administered(call, tables, number)
        since, until = self._time(call, "start_time"), self._time(call, "end_time")
        found = [
            {key: job[key] for key in SHOWN}
            for job in tables["jobs"]
            if job["policy_id"] == number
            and ("status" not in query or job["status"] in query["status"])
            and call.request.parameter("repository") in job["repository"]
            and (since is None or seconds(job["creation_time"]) >= since)
            and (until is None or seconds(job["creation_time"]) <= until)
        ]
        found.sort(key=lambda job: (job["update_time"], job["id"]), reverse=True)
        page, headers = call.page(found)
        return pretty(page, headers=headers)

    @staticmethod
    def _time(call: Call, name: str) -> int | None:
        text = call.request.parameter(name)
        if text and not text.isdigit():
            raise Refused(400, f"invalid {name}")
        return int(text) if text else None

    @staticmethod
    def _administered(call: Call, tables: Tables, policy: int) -> None:
        known = row(tables["policies"], "id", policy)
        if known is None:
            raise Refused(404, f"policy {policy} not found")
        project = row(tables["projects"], "project_id", known["project_id"])
        if project is None or not administers(project, call.account):
            raise Refused(403)

    def log(self, call: Call) -> Response:
        call.signed_in()
        tables, number = self.database.read(), call.number()
        job = row(tables["jobs"], "id", number)
        if job is None:
            raise Refused(404, f"replication job {number} not found\n")
        if row(tables["policies"], "id", job["policy_id"]) is None:
            return Response(500, ERROR_PAGE, "text/html; charset=utf-8")
        self._administered(call, tables, job["policy_id"])
        try:
            answer = self.queue.ask("GET", f"/api/jobs/replication/{number}/log")
        except NetworkError as error:
            raise Refused(500, f"{error}\n") from error
        text = answer.body.decode(errors="replace")
        if answer.status != 200:
            raise Refused(answer.status, f"message from jobservice: {text}\n")
        return Response(200, text.encode(), "text/plain")

    def stop(self, call: Call) -> Response:
        """Stop all jobs of a policy; 200 also when there is nothing to stop."""
        call.admin()
        wanted = call.body()
        number = wanted.get("policy_id", 0)
        if not isinstance(number, int):
            raise Refused(400, "Invalid json request")
        if number < 1:
            raise Refused(400, "policy_id invalid value \n")
        if wanted.get("status") != "stop":
            raise Refused(400, "status invalid status, valid values: [stop] \n")
        if row(self.database.read()["policies"], "id", number) is None:
            raise Refused(404, f"policy {number} not found")
        try:
            answer = self.queue.ask("POST", "/api/jobs/replication/actions", {"policy_id": number, "action": "stop"})
        except NetworkError as error:
            raise Refused(500) from error
        return Response(200) if answer.status == 200 else Response.text(500, "\n")

    def delete(self, call: Call) -> Response:
        call.admin()
        with self.database.change() as tables:
            job = row(tables["jobs"], "id", call.number())
            if job is None:
                raise Refused(404, f"job {call.number()} not found")
            if job["status"] in {"pending", "running"}:
                raise Refused(400, f"job is {job['status']}, can not be deleted")
            tables["jobs"].remove(job)
        return Response(200)


def seconds(text: str) -> float:
    """The seconds since 1970 of a time as Harbor's API writes it."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
