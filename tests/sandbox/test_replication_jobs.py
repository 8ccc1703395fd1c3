"""Replication jobs of the stand-in over time: retries, silence, restarts, and how Harbor learns of a repository."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cargo_sandbox.services.go_http import Client
from cargo_sandbox.services.harbor_database import insert
from cargo_sandbox.services.jobservice import log_file
from cargo_sandbox.services.registry_client import Registry, basic
from tests.sandbox import harbor_states as states
from tests.sandbox.harbor_replay import PASSWORD, Harbor, Replay, lines_of, started
from tests.waiting import free_port, until

pytestmark = pytest.mark.services("docker-registry")

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def with_policies(*endpoints: str) -> dict:
    """Harbor with devops_test/node and redis, and a policy to each endpoint."""
    tables = states.with_members(PASSWORD)
    for number, endpoint in enumerate(endpoints, start=1):
        values = {"name": f"t{number}", "endpoint": endpoint, "username": "admin", "password": PASSWORD}
        insert(tables, "targets", "id", {**values, "insecure": True})
        states.policy(tables, f"p{number}", number)
    return tables


def source(folder: Path, *endpoints: str, retry_seconds: float = 300) -> Harbor:
    return Harbor(folder / "source", with_policies(*endpoints), states.SOURCE_IMAGES, retry_seconds)


def ask(harbor: Harbor, method: str, path: str, body: dict | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", harbor.front, timeout=20)
    headers = {**basic("admin", PASSWORD), "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def start(harbor: Harbor, policy: int) -> None:
    assert ask(harbor, "POST", "/api/replications", {"policy_id": policy})[0] == 200


def stop(harbor: Harbor, policy: int) -> None:
    assert ask(harbor, "PUT", "/api/jobs/replication", {"policy_id": policy, "status": "stop"})[0] == 200


def statuses(harbor: Harbor, policy: int) -> list[str]:
    jobs = json.loads(ask(harbor, "GET", f"/api/jobs/replication?policy_id={policy}")[1])
    return sorted(job["status"] for job in jobs)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as listening:
        yield listening


def test_a_retry_goes_on_in_the_same_log_and_ends_well_once_the_cause_is_gone(tmp_path: Path):
    destination = Harbor(tmp_path / "destination", states.fresh(PASSWORD, {"library": True}))
    here = source(tmp_path, destination.url, retry_seconds=0.5)
    with started(here):
        here.start_jobservice()
        start(here, 1)
        until(lambda: statuses(here, 1) == ["retrying", "retrying"])
        with started(destination):
            until(lambda: statuses(here, 1) == ["finished", "finished"])
            registry = Registry(destination.url, Client(), basic("admin", PASSWORD))
            assert sorted(registry.tags("devops_test/node")) == ["1", "2"]
            # Harbor's own client is one whose pushes a Harbor notices.
            until(lambda: len(destination.database.read()["repositories"]) == 2)
        lines = lines_of(log_file(here.folder / "logs", 1).read_text(), Replay(here))
        waited = lines.index("[INFO] waiting for retrying...")
        assert "connect: connection refused" in lines[waited - 1]
        assert lines[waited + 1].startswith("[INFO] initializing: ")
        assert lines[-1] == '[INFO] no tag needs to be replicated, next state is "finished"'


def test_a_stopped_job_is_not_tried_again(tmp_path: Path):
    here = source(tmp_path, f"http://127.0.0.1:{free_port()}", retry_seconds=0.3)
    with started(here):
        here.start_jobservice()
        start(here, 1)
        until(lambda: statuses(here, 1) == ["retrying", "retrying"])
        stop(here, 1)
        assert statuses(here, 1) == ["stopped", "stopped"]
        before = log_file(here.folder / "logs", 1).read_text()
        start(here, 1)
        until(lambda: log_file(here.folder / "logs", 3).exists())
        until(lambda: log_file(here.folder / "logs", 3).read_text().count("waiting for retrying") >= 2)
        assert log_file(here.folder / "logs", 1).read_text() == before


def test_one_silent_destination_takes_all_workers_and_a_running_job_can_not_be_stopped(tmp_path: Path, silent):
    here = source(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}", f"http://127.0.0.1:{free_port()}")
    with started(here):
        here.start_jobservice()
        start(here, 1)
        until(lambda: statuses(here, 1) == ["running"] * 2)
        start(here, 1)
        until(lambda: statuses(here, 1) == ["pending", "running", "running", "running"])
        start(here, 2)
        until(lambda: statuses(here, 2) == ["pending", "pending"])
        assert ask(here, "GET", "/api/jobs/replication/5/log") == (
            404,
            "message from jobservice: 404 page not found\n\n",
        )
        stop(here, 1)
        assert statuses(here, 1) == ["running", "running", "running", "stopped"]
        for _ in range(3):
            silent.accept()[0].close()
        until(lambda: statuses(here, 1) == ["stopped"] * 4)
        until(lambda: statuses(here, 2) == ["retrying", "retrying"])


def test_a_restart_of_jobservice_tries_retrying_jobs_at_once_and_with_the_target_as_it_is_now(tmp_path: Path):
    destination = Harbor(tmp_path / "destination", states.fresh(PASSWORD, {"library": True}))
    here = source(tmp_path, f"http://127.0.0.1:{free_port()}")
    with started(here, destination):
        here.start_jobservice()
        start(here, 1)
        until(lambda: statuses(here, 1) == ["retrying", "retrying"])
        change = {"name": "t1", "endpoint": destination.url, "username": "admin", "password": PASSWORD}
        assert ask(here, "PUT", "/api/targets/1", change)[0] == 200
        here.stop("jobservice")
        here.start_jobservice()
        until(lambda: statuses(here, 1) == ["finished", "finished"])


@pytest.mark.parametrize(
    ("agent", "noticed"),
    [
        ("docker/20.10.24 go/go1.19.8", True),
        ("vic/1.4", True),
        ("harbor-registry-client", True),
        ("Docker-Client/24.0 (linux)", False),
        ("skopeo/1.9.3", False),
        ("containerd/v1.6.20+unknown", False),
        ("", False),
    ],
)
def test_harbor_notices_the_pushes_of_some_clients_only(tmp_path: Path, agent: str, noticed: bool):
    harbor = Harbor(tmp_path / "harbor", states.with_members(PASSWORD), images=states.SOURCE_IMAGES)
    with started(harbor):
        registry = Registry(harbor.url, Client(), basic("admin", PASSWORD))
        push(registry, "devops_test/pushed", agent)
        # A push that is noticed for sure tells that the one before was told, too.
        push(registry, "devops_test/after", "docker/1")
        known = "/api/repositories?project_id=2"
        until(lambda: "devops_test/after" in ask(harbor, "GET", known)[1])
        assert ("devops_test/pushed" in ask(harbor, "GET", known)[1]) is noticed
        assert json.loads(ask(harbor, "GET", "/api/repositories/devops_test/pushed/tags")[1])[0]["name"] == "1"
        assert ask(harbor, "POST", "/api/internal/syncregistry", {})[0] == 200
        assert "devops_test/pushed" in ask(harbor, "GET", known)[1]


def push(registry: Registry, repository: str, agent: str) -> None:
    """Copy devops_test/node:1 as a client with this User-Agent would push it."""
    body = registry.manifest("devops_test/node", "1").body
    manifest = json.loads(body)
    for part in (manifest["config"], *manifest["layers"]):
        blob = registry.blob("devops_test/node", part["digest"])
        registry.push_blob(repository, part["digest"], blob)
    headers = {"Content-Type": MANIFEST, "User-Agent": agent}
    answer = registry.ask(
        "PUT", f"/v2/{repository}/manifests/1", f"repository:{repository}:push", headers=headers, body=body
    )
    assert answer.status == 201
