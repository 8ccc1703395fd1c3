"""What an engineer does in Harbor and Cargo-Admin, as commands. It runs on operator; faults and the first start use it.

`python -m cargo_sandbox.services.engineer INVENTORY VERB WORD...`; the verbs are the methods of `Engineer`. Passwords
are named by their file in the inventory (`@dave`), so none stands in a process list. What a verb found is printed.
"""

from __future__ import annotations

import calendar
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cargo_sandbox.services.go_http import Answer, Client, NetworkError
from cargo_sandbox.services.registry_client import basic

ZONE = "caicloudprivatetest.com"
CARGO_ADMIN = "http://203.0.113.20:8080/api/v2/replications"
JOBS = "/api/jobs/replication"
UNDER_WAY = frozenset({"pending", "running"})
PATIENCE = 60.0
# A start while jobservice comes up makes no job, and nobody says so.
NO_JOB_YET = 3.0
_TRIES = 8

Fields = dict[str, Any]


class NotDone(Exception):
    """Something was answered that is no success; the text says what."""


@dataclass
class Engineer:
    """`inventory` is the inventory's folder: the CA, and passwords by name."""

    inventory: Path
    said: list[str] = field(default_factory=list)

    def again(self, replication: str) -> None:
        """Stop the jobs of a replication and start it in Cargo-Admin; done when each repository has a new job that has
        ended or waits to be tried again. Prints the state of the newest job of each repository."""
        site, policy = self._policy(replication)
        wanted = self._repositories(site, replication)
        self._harbor(site, "PUT", JOBS, {"policy_id": policy, "status": "stop"})
        before = {job["id"] for job in self._jobs(site, policy)}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._start(replication)
            if self._settled(site, policy, before, wanted, end):
                self.jobs(replication)
                return
        raise NotDone(f"no job of {replication} came to an end")

    def until(self, replication: str, status: str) -> None:
        """The same again and again, until jobs have that state: where it fails only sometimes. All must have finished;
        of any other state one is enough."""
        reached = all if status == "finished" else any
        for _ in range(_TRIES):
            self.said.clear()
            self.again(replication)
            if self.said and reached(line.startswith(f"{status} ") for line in self.said):
                return
        raise NotDone(f"no job of {replication} became {status} in {_TRIES} starts")

    def start(self, replication: str) -> None:
        """Start a replication in Cargo-Admin; done when there is a job of it."""
        site, policy = self._policy(replication)
        before = {job["id"] for job in self._jobs(site, policy)}
        self._start(replication)
        self._wait(lambda: bool({job["id"] for job in self._jobs(site, policy)} - before), f"a job of {replication}")

    def jobs(self, replication: str) -> None:
        """Print state, age in seconds and repository of the newest job of each repository."""
        site, policy = self._policy(replication)
        newest: dict[str, Fields] = {}
        for job in sorted(self._jobs(site, policy), key=lambda job: int(job["id"])):
            newest[job["repository"]] = job
        for job in newest.values():
            since = time.time() - calendar.timegm(time.strptime(job["update_time"], "%Y-%m-%dT%H:%M:%SZ"))
            self.said.append(f"{job['status']} {since:.0f} s {job['repository']}")

    def target(self, site: str, name: str, *changes: str) -> None:
        """Change a saved target: `endpoint=...`, `username=...`, `password=@FILE`."""
        number = self._named(site, "/api/targets", name)["id"]
        self._harbor(site, "PUT", f"/api/targets/{number}", {"name": name, **self._fields(changes)})

    def policy(self, site: str, project: str, target: str, *values: str) -> None:
        """Save a target, and a policy PROJECT-to-TARGET for it; start it three times in Harbor itself."""
        self._harbor(site, "POST", "/api/targets", {"name": target, **self._fields(values)})
        name = f"{project}-to-{target}"
        policy = {
            "name": name,
            "projects": [{"project_id": self._named(site, "/api/projects", project)["project_id"]}],
            "targets": [{"id": self._named(site, "/api/targets", target)["id"]}],
            "trigger": {"kind": "Manual"},
        }
        self._harbor(site, "POST", "/api/policies/replication", policy)
        number = self._named(site, "/api/policies/replication", name)["id"]
        for count in range(1, 4):
            self._harbor(site, "POST", "/api/replications", {"policy_id": number})
            self._wait(
                lambda count=count: sum(job["status"] == "running" for job in self._jobs(site, number)) >= count,
                f"{count} running jobs of {name}",
            )

    def no_policy(self, site: str, project: str, target: str) -> None:
        """Stop, and remove policy and target; nothing happens where they are not."""
        policy, saved = f"{project}-to-{target}", self._find(site, "/api/targets", target)
        if (known := self._find(site, "/api/policies/replication", policy)) is not None:
            number = known["id"]

            def removed() -> bool:
                self._harbor(site, "PUT", JOBS, {"policy_id": number, "status": "stop"})
                answer = self._asked(site, "DELETE", f"/api/policies/replication/{number}")
                return answer.status == 200

            self._wait(removed, f"an end of the jobs of {policy}")
        if saved is not None:
            self._harbor(site, "DELETE", f"/api/targets/{saved['id']}")

    def user(self, site: str, name: str) -> None:
        """Make a platform's account known to a Harbor, with the same password."""
        secret = self._password(f"@{name}")
        wanted = {"username": name, "password": secret, "email": f"{name}@example.com", "realname": name}
        if self._find(site, "/api/users", name, key="username") is None:
            self._harbor(site, "POST", "/api/users", wanted)

    def no_user(self, site: str, name: str) -> None:
        """Remove a user from a Harbor; nothing happens where it is not."""
        if (known := self._find(site, "/api/users", name, key="username")) is not None:
            self._harbor(site, "DELETE", f"/api/users/{known['user_id']}")

    def _start(self, replication: str) -> None:
        answer = self._request("POST", f"{CARGO_ADMIN}/{replication}/action", {}, {"action": "Start"})
        if answer.status != 200:
            raise NotDone(f"Cargo-Admin answers {answer.status} to the start of {replication}: {_text(answer)}")

    def _settled(self, site: str, policy: int, before: set[int], wanted: set[str], end: float) -> bool:
        first = time.monotonic() + NO_JOB_YET
        while time.monotonic() < end:
            new = [job for job in self._jobs(site, policy) if job["id"] not in before]
            # Harbor makes the jobs one after the other, and none for a repository without tags.
            all_made = wanted <= {job["repository"] for job in new} or time.monotonic() > first
            if new and all_made and not UNDER_WAY & {job["status"] for job in new}:
                return True
            if not new and time.monotonic() > first:
                return False
            time.sleep(0.2)
        return False

    def _repositories(self, site: str, replication: str) -> set[str]:
        """The repositories of the project that a replication sends."""
        policy = self._named(site, "/api/policies/replication", replication.partition("-")[2])
        rows = self._harbor(site, "GET", f"/api/repositories?project_id={policy['projects'][0]['project_id']}").body
        return {row["name"] for row in json.loads(rows) or []}

    def _jobs(self, site: str, policy: int) -> list[Fields]:
        return json.loads(self._harbor(site, "GET", f"{JOBS}?policy_id={policy}").body) or []

    def _policy(self, replication: str) -> tuple[str, int]:
        """Source and policy of a replication of Cargo-Admin, which is called SITE-POLICY."""
        site, _, policy = replication.partition("-")
        return site, int(self._named(site, "/api/policies/replication", policy)["id"])

    def _named(self, site: str, path: str, name: str) -> Fields:
        found = self._find(site, path, name)
        if found is None:
            raise NotDone(f"Harbor on {site} has no {name} at {path}")
        return found

    def _find(self, site: str, path: str, name: str, *, key: str = "name") -> Fields | None:
        rows = json.loads(self._harbor(site, "GET", f"{path}?name={name}&username={name}").body) or []
        return next((row for row in rows if row[key] == name), None)

    def _fields(self, words: tuple[str, ...]) -> Fields:
        pairs = (word.partition("=") for word in words)
        return {key: self._password(value) for key, _, value in pairs}

    def _password(self, word: str) -> str:
        return (self.inventory / "passwords" / word[1:]).read_text().strip() if word.startswith("@") else word

    def _harbor(self, site: str, method: str, path: str, body: Fields | None = None) -> Answer:
        """The answer of a Harbor to its admin; a front that comes up again is waited for."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._asked(site, method, path, body)
            except NetworkError as error:
                answer, said = None, str(error)
            if answer is not None and answer.status < 400:
                return answer
            said = said if answer is None else f"{answer.status} {_text(answer)}"
            if (answer is not None and answer.status < 502) or time.monotonic() > end:
                raise NotDone(f"{method} {path} at {site}: {said}")
            time.sleep(0.3)

    def _asked(self, site: str, method: str, path: str, body: Fields | None = None) -> Answer:
        headers = basic("admin", self._password(f"@{site}-admin"))
        return self._request(method, f"https://{site}.{ZONE}{path}", headers, body)

    def _request(self, method: str, url: str, headers: dict[str, str], body: Fields | None) -> Answer:
        sent = {**headers, "Content-Type": "application/json"}
        client = Client(authorities=self.inventory)
        return client.request(method, url, headers=sent, body=json.dumps(body).encode() if body is not None else b"")

    @staticmethod
    def _wait(there: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not there():
            if time.monotonic() > end:
                raise NotDone(f"there is not {what}")
            time.sleep(0.2)


def _text(answer: Answer) -> str:
    return answer.body.decode(errors="replace").strip()


def main(inventory: str, verb: str, *words: str) -> int:
    """Carry out one verb; the exit code is 1 when it was not done, and standard error says why."""
    engineer = Engineer(Path(inventory))
    try:
        getattr(engineer, verb.replace("-", "_"))(*words)
    except (NotDone, NetworkError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(engineer.said))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
