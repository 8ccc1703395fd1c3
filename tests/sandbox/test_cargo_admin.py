"""The stand-in of Cargo-Admin on top of Harbor's stand-in."""

import json
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from cargo_sandbox.services.cargo_admin import CargoAdmin, cargo_admin
from cargo_sandbox.services.cargo_harbor import record_status, records_of
from cargo_sandbox.services.web import Request
from tests.sandbox import harbor_states as states
from tests.sandbox.harbor_replay import PASSWORD, Harbor, started
from tests.waiting import free_port, until

PROJECTS = {
    "library": {"public": True, "tenant": "system-tenant"},
    "devops_test": {"public": False, "tenant": "devops"},
}


def made(folder: Path, url: str) -> CargoAdmin:
    folder.mkdir()
    registry = {"name": "cargo", "alias": "cargo", "host": url, "domain": "cargo.example", "username": "admin"}
    replication = {"name": "r1", "source": "cargo", "target": "devops", "project": "devops_test", "policy": 3}
    settings = {
        "registries": [{**registry, "password": PASSWORD}],
        "replications": [{**replication, "triggerType": "Manual"}],
    }
    (folder / "cargo-admin.json").write_text(json.dumps(settings))
    (folder / "projects.json").write_text(json.dumps({"cargo": PROJECTS}))
    (folder / "roles.json").write_text(json.dumps({"alice": {"devops": "user"}, "dave": {}}))
    return cargo_admin(folder, folder / "state.json")


def ask(admin: CargoAdmin, path: str, method: str = "GET", body: str = "", **headers: str):
    path, _, query = path.partition("?")
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    response = admin.answer(Request(method, path, parse_qs(query), message, body.encode()))
    return response.status, json.loads(response.body)


def names(answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer[1]["items"]]


def test_cargo_admin_lists_its_projects_and_knows_no_others(tmp_path: Path):
    admin = made(tmp_path / "admin", "http://127.0.0.1:9")
    assert names(ask(admin, "/api/v2/registries/cargo/projects")) == ["library", "devops_test"]
    assert ask(admin, "/api/v2/registries/cargo/projects/library")[0] == 200
    for missing in ("cargo/projects/devops_only-harbor", "cargo/projects/nothere", "other/projects"):
        assert ask(admin, f"/api/v2/registries/{missing}")[0] == 404
    assert ask(admin, "/healthcheck")[0] == 200


def test_a_tenant_sees_its_own_projects_and_a_user_without_a_role_none(tmp_path: Path):
    admin, path = made(tmp_path / "admin", "http://127.0.0.1:9"), "/api/v2/registries/cargo/projects"
    assert names(ask(admin, path, X_Tenant="devops", X_User="alice")) == ["devops_test"]
    assert names(ask(admin, f"{path}?includePublic=true", X_Tenant="devops")) == ["library", "devops_test"]
    assert ask(admin, path, X_Tenant="devops", X_User="dave")[0] == 403


@pytest.mark.parametrize(
    ("jobs", "record"),
    [
        (["finished", "retrying", "error"], "Syncing"),
        (["pending"], "Syncing"),
        (["finished", "stopped"], "Failed"),
        (["canceled"], "Failed"),
        (["finished", "finished"], "Success"),
        (["scheduled"], "Success"),
    ],
)
def test_a_record_says_of_its_jobs_what_cargo_admin_says(jobs, record):
    assert record_status(jobs) == record


def test_jobs_made_within_a_second_are_one_record_and_the_newest_record_comes_first():
    times = ("10:00:00", "10:00:01", "10:00:02", "10:00:09")
    jobs = [
        {"id": n, "status": "finished", "creation_time": f"2026-11-24T{time}Z"} for n, time in enumerate(times, start=1)
    ]
    assert [record["jobs"] for record in records_of(reversed(jobs))] == [[4], [1, 2, 3]]


@pytest.mark.services("docker-registry")
def test_a_replication_is_started_through_harbor_and_its_records_follow_harbors_jobs(tmp_path: Path):
    harbor = Harbor(tmp_path / "harbor", states.busy(PASSWORD, free_port()), images=states.SOURCE_IMAGES)
    with started(harbor):
        harbor.start_jobservice(work=False)
        admin = made(tmp_path / "admin", harbor.url)
        shown = ask(admin, "/api/v2/registries")[1]["items"][0]["status"]
        assert shown == {"projectCount": 4, "repositoryCount": 2, "storageStatics": "\\", "healthy": True}
        assert ask(admin, "/api/v2/replications/r1/action", "POST", '{"action": "Stop"}') == (
            400,
            {"reason": "ReasonRequest", "message": 'only support "Start" action '},
        )
        assert ask(admin, "/api/v2/replications/r1")[1]["status"] == {"status": "Syncing", "isSyncing": True}
        assert ask(admin, "/api/v2/replications/r1/action", "POST", '{"action": "Start"}')[0] == 200
        until(lambda: len(ask(admin, "/api/v2/replications/r1/records")[1]["items"]) == 2)
        assert [r["status"] for r in ask(admin, "/api/v2/replications/r1/records")[1]["items"]] == ["Syncing"] * 2
        harbor.stop("ui")
        refused = ask(admin, "/api/v2/replications/r1/records")
        assert refused[0] == 400
        assert refused[1]["message"].startswith("harbor internal error: ")
        assert PASSWORD not in refused[1]["message"]
        assert ask(admin, "/api/v2/registries")[1]["items"][0]["status"]["projectCount"] == -1
