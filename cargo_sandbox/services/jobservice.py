"""Stand-in for harbor-jobservice of Harbor 1.4: replication jobs, three at a time, retried until they are stopped.

A network error makes a job `retrying` and it is tried again some time later (Harbor: 5 minutes), an HTTP status makes
it `error` at once. A destination that never answers keeps its worker. After a restart jobs go on without waiting.

`python -m cargo_sandbox.services.jobservice`: /etc/jobservice holds settings.json and secret.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cargo_sandbox.services.go_http import AUTHORITIES, Client
from cargo_sandbox.services.harbor_database import Database, DatabaseDown, Row, insert, now, row
from cargo_sandbox.services.registry_client import Registry, TokenService
from cargo_sandbox.services.transfer import Destination, JobLog, Transfer
from cargo_sandbox.services.web import Request, Response, serve

JOBS = "/api/jobs/replication"
UNDER_WAY = ("pending", "running", "retrying")
NOT_FOUND = Response.text(404, "404 page not found\n")


@dataclass(frozen=True)
class Settings:
    """`retry_seconds` are 300 in Harbor. URLs are those that jobservice itself uses."""

    database: str = "/data/database/harbor.json"
    logs: str = "/var/log/jobs"
    registry: str = "http://registry:5000"
    tokens: str = "http://ui:8080/service/token"
    workers: int = 3
    retry_seconds: float = 300
    authorities: str = str(AUTHORITIES)


def log_file(folder: Path, job: int) -> Path:
    """Where the log of a job lies: from job 1000 on in a folder for each further three digits."""
    groups: list[str] = []
    rest = job // 1000
    while rest:
        groups.insert(0, str(rest % 1000))
        rest //= 1000
    return folder.joinpath(*groups, f"job_{job}.log")


@dataclass
class Jobservice:
    """Takes jobs from harbor-ui; `secret` is what both know."""

    settings: Settings
    secret: str
    waiting: queue.Queue[int] = field(default_factory=queue.Queue)
    halting: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.database = Database(Path(self.settings.database))
        self.logs = Path(self.settings.logs)

    def start(self) -> None:
        """Start the workers, and go on with the jobs of before."""
        for _ in range(self.settings.workers):
            threading.Thread(target=self._work, daemon=True).start()
        with self.database.change() as tables:
            for job in tables["jobs"]:
                if job["status"] == "running":
                    job["status"] = "pending"
            left = [job["id"] for job in tables["jobs"] if job["status"] in UNDER_WAY]
        for job in left:
            self.waiting.put(job)

    def answer(self, request: Request) -> Response:
        """The API between harbor-ui and jobservice."""
        if request.headers.get("Cookie", "") != f"secret={self.secret}":
            return Response.text(401, "\n")
        try:
            match (request.method, request.path):
                case ("POST", path) if path == JOBS:
                    return self._add(json.loads(request.body))
                case ("POST", path) if path == f"{JOBS}/actions":
                    self.stop(int(json.loads(request.body)["policy_id"]))
                    return Response(200)
                case ("GET", path) if path.startswith(f"{JOBS}/") and path.endswith("/log"):
                    return self._log(int(path.split("/")[-2]))
        except (ValueError, KeyError):
            return Response.text(400, "Invalid json request")
        except DatabaseDown:
            return Response(500)
        return NOT_FOUND

    def _add(self, wanted: dict[str, Any]) -> Response:
        values = {"status": "pending", **{key: wanted[key] for key in ("repository", "policy_id", "operation", "tags")}}
        with self.database.change() as tables:
            job = insert(tables, "jobs", "id", values)
        self.waiting.put(job)
        return Response(200)

    def _log(self, job: int) -> Response:
        file = log_file(self.logs, job)
        return Response.text(200, file.read_text()) if file.exists() else NOT_FOUND

    def stop(self, policy: int) -> None:
        """Waiting jobs are stopped now, running ones when they look next."""
        with self.database.change() as tables:
            for job in tables["jobs"]:
                if job["policy_id"] != policy:
                    continue
                if job["status"] in {"pending", "retrying"}:
                    job |= {"status": "stopped", "update_time": now()}
                elif job["status"] == "running":
                    self.halting.add(job["id"])

    def _work(self) -> None:
        while True:
            job = self.waiting.get()
            try:
                self._run(job)
            except DatabaseDown as error:
                print(f"job {job}: database: {error}", flush=True)
            except Exception as error:  # noqa: BLE001 - a worker outlives any job, and says what ended it
                print(f"job {job}: {error!r}", file=sys.stderr, flush=True)
                self._become(job, "error")

    def _run(self, number: int) -> None:
        transfer = self._begin(number)
        if transfer is None:
            return
        if self._become(number, transfer.run()) == "retrying":
            timer = threading.Timer(self.settings.retry_seconds, self.waiting.put, (number,))
            timer.daemon = True
            timer.start()

    def _become(self, number: int, state: str) -> str:
        """The state that the job has now; empty when it was deleted meanwhile."""
        with self.database.change() as tables:
            # While nobody can stop it: one that was stopped while its network call hung is not tried again.
            if number in self.halting and state == "retrying":
                state = "stopped"
            self.halting.discard(number)
            job = row(tables["jobs"], "id", number)
            if job is None:
                return ""
            job |= {"status": state, "update_time": now()}
        return state

    def _begin(self, number: int) -> Transfer | None:
        """The job made `running`; None when it was stopped or deleted meanwhile."""
        with self.database.change() as tables:
            job = row(tables["jobs"], "id", number)
            policy = job and row(tables["policies"], "id", job["policy_id"])
            if not job or not policy or job["status"] not in UNDER_WAY:
                return None
            job |= {"status": "running", "update_time": now()}
            target = row(tables["targets"], "id", policy["target_id"])
            project = row(tables["projects"], "name", job["repository"].partition("/")[0])
        return self._transfer(job, target or {}, public=bool(project and project["public"]))

    def _transfer(self, job: Row, target: Row, *, public: bool) -> Transfer:
        number = int(job["id"])
        inside = Client(authorities=Path(self.settings.authorities))
        outside = Client(insecure=bool(target["insecure"]), authorities=Path(self.settings.authorities))
        tokens = TokenService(self.settings.tokens, "harbor-registry")
        source = Registry(self.settings.registry, inside, {"Cookie": f"secret={self.secret}"}, tokens)
        to = Destination(target["endpoint"], target["username"], target["password"], bool(target["insecure"]))
        log = JobLog(log_file(self.logs, number))
        return Transfer(
            job["repository"], list(job["tags"]), public, source, to, outside, log, lambda: number in self.halting
        )


def main(folder: Path = Path("/etc/jobservice")) -> None:
    settings = Settings(**json.loads((folder / "settings.json").read_text()))
    service = Jobservice(settings, (folder / "secret").read_text().strip())
    service.start()
    serve(8080, service.answer)


if __name__ == "__main__":
    main()
