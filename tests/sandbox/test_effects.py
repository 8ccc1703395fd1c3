"""What faults and the first start rest on: who listens before packets get there, and jobs that have all been made."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from cargo_sandbox import first_replication
from cargo_sandbox.faults.catalog import Fault, faults
from cargo_sandbox.paths import StateFolder
from cargo_sandbox.services import engineer, failing_dns
from cargo_sandbox.services.engineer import Engineer
from cargo_sandbox.services.harbor_database import insert
from cargo_sandbox.services.jobservice import Jobservice, Settings
from tests.sandbox import harbor_states as states
from tests.waiting import free_port, until


@pytest.mark.parametrize("each", faults(), ids=lambda each: each.name)
def test_who_sends_questions_elsewhere_forgets_at_once_where_a_port_has_led(each: Fault) -> None:
    # Resolvers use a port again within half a minute, and a question would go to a server of a fault that is healed.
    for deed in each.deeds:
        script = "\n".join(deed.do)
        if "iptables -t nat" in script and "-p udp" in script:
            assert "nf_conntrack_udp_timeout=1 " in script
            assert "nf_conntrack_udp_timeout_stream=1" in script


def test_a_failing_name_server_that_has_told_its_number_answers(tmp_path: Path) -> None:
    port, pid = free_port(), tmp_path / "pid"
    argv = [sys.executable, str(Path(failing_dns.__file__)), str(port), str(pid)]
    process = subprocess.Popen(argv)
    try:
        until(pid.exists)
        answer = dns.query.udp(dns.message.make_query("cargo.example", "A"), "127.0.0.1", port=port, timeout=10)
    finally:
        process.kill()
        process.wait()
    assert answer.rcode() == dns.rcode.SERVFAIL


def test_a_failing_name_server_that_can_not_listen_tells_no_number(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        argv = [sys.executable, str(Path(failing_dns.__file__)), str(taken.getsockname()[1]), str(tmp_path / "pid")]
        assert subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode == 1
    assert not (tmp_path / "pid").exists(), "who waits for it would go on while nobody answers"


def _job(number: int, repository: str, status: str) -> dict[str, Any]:
    return {"id": number, "repository": repository, "status": status, "update_time": "2026-11-24T10:24:04Z"}


class _Engineer(Engineer):
    """Sees what Harbor shows, look after look; the last one stays."""

    looks: Iterator[list[dict[str, Any]]]

    def _jobs(self, site: str, policy: int) -> list[dict[str, Any]]:
        return next(self.looks)


def test_a_replication_has_ended_when_each_repository_has_a_job_that_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engineer.time, "sleep", lambda _: None)
    old, first = _job(1, "p/b", "error"), _job(2, "p/a", "finished")
    someone = _Engineer(tmp_path)
    someone.looks = iter([[old, first], [old, first, _job(3, "p/b", "running")], [old, first, _job(3, "p/b", "error")]])
    assert someone._settled("cargo", 1, {1}, {"p/a", "p/b"}, float("inf"))
    assert list(someone.looks) == [], "it looked until the last one had ended"


@pytest.mark.parametrize(
    ("wanted", "said", "starts"),
    [
        ("finished", ["finished 0 s a", "error 0 s b"], 2),
        ("error", ["finished 0 s a", "error 0 s b"], 1),
    ],
)
def test_all_jobs_must_have_finished_and_one_failed_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, said: list[str], starts: int
) -> None:
    tries = iter([said, ["finished 0 s a", "finished 0 s b"]])
    someone, started = Engineer(tmp_path), list[str]()

    def again(replication: str) -> None:
        started.append(replication)
        someone.said += next(tries)

    monkeypatch.setattr(someone, "again", again)
    someone.until("cargo-x", wanted)
    assert len(started) == starts


def test_a_first_replication_that_made_no_job_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[str]()

    def harbor(state: StateFolder, *arguments: str) -> str:
        if arguments[-1].endswith("/replications"):
            started.append(arguments[-1])
            return ""
        # jobservice came up after the first start.
        return json.dumps([_job(1, "library/tiny", "finished")] if len(started) > 1 else [])

    monkeypatch.setattr(first_replication, "_harbor", harbor)
    monkeypatch.setattr(first_replication, "NO_JOB_YET", 0.0)
    first_replication._replicate(StateFolder("x", tmp_path), 1)
    assert len(started) == 2


def test_a_job_that_is_stopped_between_its_last_step_and_its_retry_is_not_tried_again(tmp_path: Path) -> None:
    tables = states.with_members("secret")
    values = {"status": "running", "repository": "devops_test/node", "policy_id": 1, "operation": "transfer"}
    number = insert(tables, "jobs", "id", {**values, "tags": ["1"]})
    database = tmp_path / "harbor.json"
    database.write_text(json.dumps(tables))
    service = Jobservice(Settings(database=str(database), logs=str(tmp_path)), "inside")
    service.stop(1)
    assert service._become(number, "retrying") == "stopped"
    assert json.loads(database.read_text())["jobs"][0]["status"] == "stopped"
    assert service.halting == set()
