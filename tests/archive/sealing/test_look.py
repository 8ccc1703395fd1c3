"""What is kept so that a look can be judged again, and who was looked at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from cargo_runbook.archive.reading.records import read_look
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.look import file_look, inventory_of
from cargo_runbook.facts.targets import CLUSTER_ID, CLUSTER_SERVER, read_targets
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.investigation import open_investigation
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Place, Status, Vantage


def look_of(reports: Path, recording: str, environment: str = "cargo", **wanted: str) -> dict[str, object]:
    draft = Draft(reports, environment, "00_triage")
    with open_investigation(environment, replay=recording, **wanted) as investigation:
        file_look(draft.folder, investigation, investigation.diagnose())
    look = read_look(draft.seal(status="fault"))
    assert look is not None
    return look


def test_the_inventory_comes_back_as_it_was_but_for_the_credentials(tmp_path: Path) -> None:
    look = look_of(tmp_path, "wrong-domain")
    assert "file:passwords" not in json.dumps(look)
    with open_investigation("cargo", replay="wrong-domain") as investigation, inventory_of(look) as folder:
        before, after = investigation.environment, load_environment("cargo", folder)
    with_passwords = {"accounts": {"__all__": {"password"}}}
    assert after.model_dump(exclude=with_passwords) == before.model_dump(exclude=with_passwords)
    assert [account.is_docker_login for account in after.accounts] == [
        account.is_docker_login for account in before.accounts
    ]


def test_the_other_side_of_a_replication_is_kept_as_well(tmp_path: Path) -> None:
    look = look_of(tmp_path, "replication-dns")
    assert "cargo" in look["inventory"]
    assert len(look["inventory"]) > 1


def test_what_was_asked_for_is_kept(tmp_path: Path) -> None:
    look = look_of(tmp_path, "guest-pushes", image="devops_test-cargo/node:8.9-alpine", account="alice", action="push")
    assert (look["image"], look["account"], look["action"]) == ("devops_test-cargo/node:8.9-alpine", "alice", "push")
    plain = look_of(tmp_path, "healthy")
    assert (plain["image"], plain["account"], plain["action"]) == ("", "", "")
    assert "replication" in plain["concerns"]


def test_the_registry_s_version_and_clock_are_told(tmp_path: Path) -> None:
    targets = look_of(tmp_path, "healthy")["targets"]
    origin = "https://cargo.caicloudprivatetest.com"
    assert targets["registries"][origin].startswith("v1.4")
    assert abs(targets["clocks"][origin]) < 2


def test_host_keys_and_clocks_are_read_from_what_the_hosts_answered() -> None:
    at = datetime(2026, 3, 4, 10, 4, 11, tzinfo=UTC)
    date = Command(vantage=Vantage(Place.CARGO_HOST, "cargo"), argv=("date", "-u", "+%s"))
    seen = Observation(
        question=date,
        status=Status.ANSWERED,
        exit_code=0,
        output=f"{int(at.timestamp()) + 90}\n",
        data={"host_key": "SHA256:abc"},
        started=at,
        duration=0.0,
    )
    silent = Observation(
        question=HttpRequest(url="https://cargo.example/v2/"), status=Status.TIMEOUT, started=at, duration=8.0
    )
    assert read_targets([seen, silent]) == {"hosts": {"cargo": "SHA256:abc"}, "clocks": {"cargo host cargo": 90.5}}


def kubectl(args: tuple[str, ...], output: str = "", exit_code: int = 0, context: str = "prod") -> Observation:
    return Observation(
        question=KubeCommand(vantage=Vantage(Place.CLUSTER, context), args=args),
        status=Status.ANSWERED,
        exit_code=exit_code,
        output=output,
        started=datetime(2026, 3, 4, tzinfo=UTC),
        duration=0.1,
    )


def test_a_cluster_is_known_by_its_uid_and_its_api_server_as_far_as_they_were_told() -> None:
    seen = [
        kubectl(CLUSTER_ID, "5d9e1f0c-0000-4000-8000-1c2d3e4f5a6b\n"),
        kubectl(CLUSTER_SERVER, "https://203.0.113.20:6443"),
        kubectl(CLUSTER_ID, "Error: forbidden", exit_code=1, context="other"),
        kubectl(("get", "nodes"), "node-1", context="third"),
    ]
    assert read_targets(seen) == {
        "clusters": {
            "prod": {"uid": "5d9e1f0c-0000-4000-8000-1c2d3e4f5a6b", "server": "https://203.0.113.20:6443"},
            "other": {},
            "third": {},
        }
    }


def test_a_registry_that_does_not_tell_its_version_is_named_by_its_url() -> None:
    asked = HttpRequest(url="https://cargo.example:8443/v2/")
    at = datetime(2026, 3, 4, tzinfo=UTC)
    seen = Observation(question=asked, status=Status.ANSWERED, data={"status": 401}, started=at, duration=0.1)
    assert read_targets([seen]) == {"registries": {"https://cargo.example:8443": ""}}
