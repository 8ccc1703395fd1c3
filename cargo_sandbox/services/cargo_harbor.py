"""How Cargo-Admin talks to the Harbor of a registry, and what it makes of Harbor's jobs."""

from __future__ import annotations

import calendar
import json
import re
import time
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_sandbox.services.go_http import Answer, Client, NetworkError

SYNCING = frozenset({"running", "pending", "retrying"})
FAILED = frozenset({"error", "stopped", "canceled"})
TOGETHER_SECONDS = 1  # jobs that were made so close to each other are one record


class HarborFailed(Exception):
    """Harbor did not answer as wanted."""


@dataclass
class Harbor:
    """One Harbor, asked with a session; `authorities` is the folder with the CA."""

    url: str
    user: str
    password: str
    authorities: Path
    cookie: str = ""

    def get(self, path: str) -> Any:
        """The JSON that Harbor answers.

        Raises:
            HarborFailed: it does not.
        """
        return json.loads(self._ask("GET", path).body)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Send JSON.

        Raises:
            HarborFailed: the answer is not 200 or 201.
        """
        self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        for _ in range(2):
            headers = {"Cookie": self.cookie, "Content-Type": "application/json"}
            answer = self._request(method, path, headers, body)
            if answer.status in {200, 201}:
                return answer
            if answer.status != 401 and answer.status < 500:
                break
            self._login()
        raise HarborFailed(f"{answer.status} {answer.body.decode(errors='replace').strip()}".strip())

    def _login(self) -> None:
        query = urllib.parse.urlencode({"principal": self.user, "password": self.password})
        answer = self._request("POST", f"/login?{query}", {}, b"")
        if answer.status != 200:
            raise HarborFailed(f"login as {self.user}: {answer.status}")
        self.cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        client = Client(authorities=self.authorities)
        try:
            return client.request(method, f"{self.url}{path}", headers=headers, body=body)
        except NetworkError as error:
            # The password stands in the address of a log-in.
            raise HarborFailed(re.sub(r"\?[^\"]*", "", str(error))) from error


def record_status(statuses: Iterable[str]) -> str:
    """What a record is called, from the states of its jobs: one that still waits keeps all of it syncing."""
    seen = set(statuses)
    if seen & SYNCING:
        return "Syncing"
    return "Failed" if seen & FAILED else "Success"


def records_of(jobs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Jobs grouped into records by the time of their making, newest first."""
    groups: list[list[dict[str, Any]]] = []
    for job in sorted(jobs, key=lambda each: (str(each["creation_time"]), int(each["id"]))):
        if groups and _seconds(job) - _seconds(groups[-1][-1]) <= TOGETHER_SECONDS:
            groups[-1].append(job)
        else:
            groups.append([job])
    return [
        {
            "id": number,
            "status": record_status(job["status"] for job in group),
            "triggerTime": group[0]["creation_time"],
            "successCount": sum(job["status"] == "finished" for job in group),
            "totalCount": len(group),
            "jobs": [job["id"] for job in group],
        }
        for number, group in reversed(list(enumerate(groups, start=1)))
    ]


def _seconds(job: dict[str, Any]) -> int:
    return calendar.timegm(time.strptime(str(job["creation_time"]), "%Y-%m-%dT%H:%M:%SZ"))
