"""One replication job: the images of a repository go from this Harbor's registry to another Harbor.

The steps, their order and their log lines are those of Harbor 1.4 (src/jobservice/replication/transfer.go); what
goes wrong is what really goes wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cargo_sandbox.services.go_http import BadStatus, Client, NetworkError
from cargo_sandbox.services.registry_client import Registry, basic

# Lines of Harbor's source that its log names.
CREATE_PROJECT = 205
PULL_MANIFEST = 363
CHECK_BLOB = 395
PULL_BLOB = 436
PUSH_BLOB = 443
PUSH_MANIFEST = 503


@dataclass(frozen=True)
class JobLog:
    """The log of a job: a retry writes on where the last try ended."""

    file: Path

    def write(self, level: str, message: str, *, line: int = 0) -> None:
        source = f"[transfer.go:{line}]: " if line else ""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as file:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            file.write(f"{stamp} [{level}] {source}{message}\n")

    def info(self, message: str) -> None:
        self.write("INFO", message)


class Stopped(Exception):
    """The job was stopped while it ran."""


@dataclass(frozen=True)
class Destination:
    url: str
    user: str
    password: str
    insecure: bool


@dataclass
class Transfer:
    """`stopped` is asked between two steps, as the state machine does; a hanging network call is waited for."""

    repository: str
    tags: list[str]
    public: bool
    source: Registry
    to: Destination
    client: Client
    log: JobLog
    stopped: Callable[[], bool]

    def run(self) -> str:
        """Carry it out; the job's next state is returned (`finished`, `retrying`, `error` or `stopped`)."""
        try:
            self._initialize()
            self._create_project()
            destination = Registry(self.to.url, self.client, basic(self.to.user, self.to.password))
            for tag in self.tags:
                self._tag(tag, destination)
        except NetworkError:
            self.log.info("waiting for retrying...")
            return "retrying"
        except BadStatus:
            return "error"
        except Stopped:
            return "stopped"
        self.log.info('no tag needs to be replicated, next state is "finished"')
        return "finished"

    def _step(self) -> None:
        if self.stopped():
            raise Stopped

    def _initialize(self) -> None:
        places = (
            f"repository: {self.repository}, tags: [{' '.join(self.tags)}], source URL: {self.source.url}, "
            f"destination URL: {self.to.url}, insecure: {str(self.to.insecure).lower()}, "
            f"destination user: {self.to.user}"
        )
        self.log.info(f"initializing: {places}")
        self.log.info(f"initialization completed: project: {self._project}, {places}")

    @property
    def _project(self) -> str:
        return self.repository.rpartition("/")[0]

    def _create_project(self) -> None:
        self._step()
        where = f"{self._project} on {self.to.url} with user {self.to.user}"
        wanted = {"project_name": self._project, "public": int(self.public)}
        headers = {"Content-Type": "application/json", **basic(self.to.user, self.to.password)}
        url = f"{self.to.url}/api/projects/"
        failed = f"an error occurred while creating project {where} : "
        try:
            answer = self.client.request("POST", url, headers=headers, body=json.dumps(wanted).encode())
        except NetworkError as error:
            self.log.write("ERROR", f"{failed}{error}", line=CREATE_PROJECT)
            raise
        if answer.status == 409:
            said = f"the status code is 409 when creating project {where}, try to do next step"
            self.log.write("WARNING", said)
        elif answer.status in {200, 201}:
            self.log.info(f"project {self._project} is created on {self.to.url} with user {self.to.user}")
        else:
            problem = BadStatus(answer.status, answer.body.decode(errors="replace"))
            said = f"{failed}failed to create project {where}: {problem}".removesuffix("\n")
            self.log.write("ERROR", said, line=CREATE_PROJECT)
            raise problem

    def _tag(self, tag: str, destination: Registry) -> None:
        image, source = f"{self.repository}:{tag}", self.source
        self._step()
        try:
            answer = source.manifest(self.repository, tag)
        except (NetworkError, BadStatus) as error:
            self._failed(f"pulling manifest of {image} from {source.url}: {error}", PULL_MANIFEST)
            raise
        digest = str(answer.headers.get("Docker-Content-Digest", ""))
        self.log.info(f"manifest of {image} pulled successfully from {source.url}: {digest}")
        manifest = json.loads(answer.body)
        blobs = [str(part["digest"]) for part in (manifest["config"], *manifest["layers"])]
        self.log.info(f"all blobs of {image} from {source.url}: [{' '.join(blobs)}]")
        missing = self._missing(image, blobs, destination)
        self._step()
        for blob in missing:
            self._blob(image, blob, destination)
        self._step()
        kind = str(answer.headers.get("Content-Type", ""))
        self._manifest(image, tag, digest, kind, answer.body, destination)

    def _missing(self, image: str, blobs: list[str], destination: Registry) -> list[str]:
        missing = []
        for blob in dict.fromkeys(blobs):
            try:
                there = destination.has_blob(self.repository, blob)
            except (NetworkError, BadStatus) as error:
                self._failed(f"checking existence of blob {blob} of {image} on {self.to.url}: {error}", CHECK_BLOB)
                raise
            if there:
                self.log.info(f"blob {blob} of {image} already exists in {self.to.url}")
            else:
                missing.append(blob)
        self.log.info(f"blobs of {image} need to be transferred to {self.to.url}: [{' '.join(missing)}]")
        return missing

    def _blob(self, image: str, blob: str, destination: Registry) -> None:
        self.log.info(f"transferring blob {blob} of {image} to {self.to.url} ...")
        try:
            body = self.source.blob(self.repository, blob)
        except (NetworkError, BadStatus) as error:
            self._failed(f"pulling blob {blob} of {image} from {self.source.url}: {error}", PULL_BLOB)
            raise
        try:
            destination.push_blob(self.repository, blob, body)
        except (NetworkError, BadStatus) as error:
            self._failed(f"pushing blob {blob} of {image} to {self.to.url} : {error}", PUSH_BLOB)
            raise
        self.log.info(f"blob {blob} of {image} transferred to {self.to.url} completed")

    def _manifest(self, image: str, tag: str, digest: str, kind: str, body: bytes, destination: Registry) -> None:
        self.log.info(f"manifest of {image} exists on source registry {self.source.url}, continue manifest pushing")
        try:
            if destination.manifest_digest(self.repository, tag) == digest:
                self.log.info(
                    f"manifest of {image} exists on destination registry {self.to.url}, skip manifest pushing"
                )
                return
            destination.push_manifest(self.repository, tag, kind, body)
        except (NetworkError, BadStatus) as error:
            self._failed(f"pushing manifest of {image} to {self.to.url} : {error}", PUSH_MANIFEST)
            raise
        self.log.info(f"manifest of {image} has been pushed to {self.to.url}")

    def _failed(self, what: str, line: int) -> None:
        self.log.write("ERROR", f"an error occurred while {what}".removesuffix("\n"), line=line)
