"""Batches on a real Dask cluster: workers are killed, stopped and lack things, and every record is true and stands once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.ledger import read_account
from cargo_runbook.archive.reading.records import list_records
from tests.execution.batch.many import begun, write_many
from tests.execution.remote.dask_cluster import THREADS, DaskCluster, dask_cluster
from tests.waiting import until

pytestmark = pytest.mark.slow

OF_THE_WORKER = "only-the-worker-has-this-0b7e"
PASSWORD = "Planted-9f3c-Pass-on-the-worker"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), REGISTRY_PASSWORD=PASSWORD) as running:
        yield running


def start(folder: Path, notebook: Path, address: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cargo_runbook", "batch", str(notebook), "--json", "--scheduler", address]
    command += ["--inventory", str(folder / "environments"), "--reports", str(folder / "reports"), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, lines of data, messages."""
    printed, told = process.communicate(timeout=180)
    return process.returncode, [json.loads(line) for line in printed.splitlines()], told


def recorded(folder: Path) -> dict[str, list[Any]]:
    """The records of each environment; the chain is whole, and no draft is left."""
    listing = list_records(folder / "reports")
    assert verify(folder / "reports").ok
    assert not listing.drafts
    found: dict[str, list[Any]] = {}
    for record in listing.records:
        found.setdefault(record.header.environment, []).append(record)
    return found


def test_a_worker_is_killed_in_the_middle_and_its_runs_are_done_again_each_recorded_once(tmp_path: Path) -> None:
    (tmp_path / "dask").mkdir()
    names = [f"{kind}-{n}" for n in range(4) for kind in ("fault", "raises", "waits")]
    notebook, _, marks = write_many(tmp_path, *names)
    waiting = [name for name in names if name.startswith("waits")]
    with dask_cluster(tmp_path / "dask") as cluster:
        batch = start(tmp_path, notebook, cluster.address, "--env", "*")
        until(lambda: all(begun(marks, name) for name in waiting), 120)
        victim = int((marks / waiting[0]).read_text())
        cluster.kill_worker_of(victim)
        until(lambda: not Path(f"/proc/{victim}").exists())
        until(lambda: begun(marks, waiting[0]) == 2)
        (marks / "go-on").touch()
        code, lines, told = finish(batch)
    assert code == 1, told
    last = lines.pop()
    assert {key: last[key] for key in ("runs", "healthy", "fault", "failed")} == {
        "runs": 12,
        "healthy": 4,
        "fault": 4,
        "failed": 4,
    }
    records = recorded(tmp_path)
    assert {name: len(found) for name, found in records.items()} == dict.fromkeys(names, 1)
    for line in lines:
        (record,) = records[line["environment"]]
        assert (record.header.record, record.header.status, record.head) == (
            line["record"],
            line["status"],
            line["head"],
        )
        assert line["reason"] == (
            "cell 3 ended with ValueError: as its name says" if "raises" in line["record"] else ""
        )


def test_secrets_are_resolved_by_the_worker_and_nothing_of_them_comes_back(
    tmp_path: Path, cluster: DaskCluster
) -> None:
    wanted = sha256(PASSWORD.encode()).hexdigest()
    body = f"""
import hashlib
assert hashlib.sha256(password.encode()).hexdigest() == {wanted!r}
print("the password is", password, "and a harmless marker stays")
print("filed in", os.environ["CARGO_RUNBOOK_RECORD_FINAL"])
"""
    notebook, _, _ = write_many(tmp_path, "fine-1", body=body)
    text = json.loads(notebook.read_text())
    text["cells"][0]["source"] += '\npassword = ""'
    notebook.write_text(json.dumps(text))
    assert "REGISTRY_PASSWORD" not in os.environ
    options = ("--env", "*", "-p", "password=env:REGISTRY_PASSWORD", "--incident", "INC-9")
    code, lines, told = finish(start(tmp_path, notebook, cluster.address, *options))
    assert (code, lines[0]["status"]) == (0, "healthy"), told
    (record,) = recorded(tmp_path)["fine-1"]
    assert record.header.incident == "INC-9"
    kept = "".join(path.read_text() for path in (tmp_path / "reports").rglob("*") if path.is_file())
    assert PASSWORD not in kept
    assert PASSWORD not in told
    assert "and a harmless marker stays" in kept
    assert f"filed in {record.path}" in kept
    missing = start(tmp_path, notebook, cluster.address, "--env", "*", "-p", "password=env:NOT_THERE_EITHER")
    code, lines, _ = finish(missing)
    assert code == 3
    assert lines[0]["reason"].startswith("the variable NOT_THERE_EITHER is not set")
    assert finish(start(tmp_path, notebook, cluster.address, "--env", "*", "-p", "password=plain"))[0] == 2


def test_ctrl_c_ends_what_the_workers_run_with_true_records_and_begins_nothing_more(
    tmp_path: Path, cluster: DaskCluster
) -> None:
    names = [f"waits-{n}" for n in range(6)]
    notebook, _, marks = write_many(tmp_path, *names)
    batch = start(tmp_path, notebook, cluster.address, "--env", "*", "-j", "2")
    until(lambda: sum(begun(marks, name) for name in names) == 2)
    batch.send_signal(signal.SIGINT)
    code, lines, told = finish(batch)
    assert code == 130, told
    assert [line["reason"] for line in lines[:-1]] == ["stopped by SIGINT"] * 2
    assert sum(begun(marks, name) for name in names) == 2
    records = [record for found in recorded(tmp_path).values() for record in found]
    assert [r.header.reason for r in records] == ["stopped by SIGINT"] * 2
    assert [s.status for s in read_account(records[0].path).steps][:3] == ["ok", "ok", "interrupted"]
    (marks / "go-on").touch()
    code, lines, told = finish(start(tmp_path, notebook, cluster.address, "--resume", lines[-1]["batch"]))
    assert (code, lines[-1]["healthy"]) == (0, 6), told


def test_a_run_has_its_deadline_on_a_worker_too(tmp_path: Path, cluster: DaskCluster) -> None:
    notebook, _, _ = write_many(tmp_path, "waits-1")
    code, lines, told = finish(start(tmp_path, notebook, cluster.address, "--env", "*", "--run-deadline", "1"))
    assert (code, lines[0]["reason"]) == (3, "the run did not end within 1 s"), told
    assert len(recorded(tmp_path)["waits-1"]) == 1


def test_a_batch_that_may_change_hosts_is_not_sent(tmp_path: Path, cluster: DaskCluster) -> None:
    notebook, _, marks = write_many(tmp_path, "fine-1")
    text = json.loads(notebook.read_text())
    text["cells"][0]["source"] += '\napproved_plan = ""'
    notebook.write_text(json.dumps(text))
    options = ("--env", "*", "-p", "approved_plan=7b1e4c02aa11")
    code, lines, told = finish(start(tmp_path, notebook, cluster.address, *options))
    assert (code, lines) == (2, [])
    assert "a run that may change a host is not sent to a cluster" in told
    assert begun(marks, "fine-1") == 0


def test_one_wrong_file_of_the_inventory_is_the_failure_of_its_own_run_alone(
    tmp_path: Path, cluster: DaskCluster
) -> None:
    notebook, inventory, marks = write_many(tmp_path, "fine-1", "wrong-1")
    (inventory / "wrong-1.yaml").write_text("domian: x\n", encoding="utf-8")
    code, lines, told = finish(start(tmp_path, notebook, cluster.address, "--env", "*"))
    assert code == 3, told
    reasons = {line["environment"]: line["reason"] for line in lines[:-1]}
    assert "wrong-1.yaml:1: hosts is missing" in reasons["wrong-1"]
    assert (reasons["fine-1"], begun(marks, "wrong-1")) == ("", 0)


def test_when_the_scheduler_dies_the_batch_ends_and_can_be_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "dask").mkdir()
    notebook, _, marks = write_many(tmp_path, *(f"waits-{n}" for n in range(THREADS + 2)))
    with dask_cluster(tmp_path / "dask", workers=1) as cluster:
        batch = start(tmp_path, notebook, cluster.address, "--env", "*")
        until(lambda: begun(marks, "waits-0") and begun(marks, "waits-3"))
        cluster.scheduler.kill()
        code, lines, told = finish(batch)
    assert code == 3, told
    assert {line["reason"] for line in lines[:-1]} == {"the Dask scheduler went away"}
    assert recorded(tmp_path) == {}
    (marks / "go-on").touch()
    command = [sys.executable, "-m", "cargo_runbook", "batch", str(notebook), "--json", "--resume", lines[-1]["batch"]]
    command += ["--inventory", str(tmp_path / "environments"), "--reports", str(tmp_path / "reports")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert {len(found) for found in recorded(tmp_path).values()} == {1}


def test_where_no_scheduler_answers_it_is_told_and_nothing_is_begun(tmp_path: Path) -> None:
    notebook, _, _ = write_many(tmp_path, "fine-1")
    code, lines, told = finish(start(tmp_path, notebook, "tcp://127.0.0.1:1", "--env", "*"))
    assert (code, lines) == (2, [])
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in told
    assert "Traceback" not in told
    assert not (tmp_path / "reports" / "batches").exists()


def certificate(folder: Path) -> dict[str, str]:
    """Dask's settings for TLS, with a certificate that is its own CA."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dask")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(private)
    settings = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(folder / "cert.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(folder / "cert.pem")
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(folder / "key.pem")
    return {**settings, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}


def test_with_tls_only_who_has_a_certificate_of_the_cluster_is_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dask").mkdir()
    notebook, _, _ = write_many(tmp_path, "fine-1")
    settings = certificate(tmp_path)
    with dask_cluster(tmp_path / "dask", workers=1, protocol="tls", **settings) as cluster:
        assert cluster.address.startswith("tls://")
        code, lines, told = finish(start(tmp_path, notebook, cluster.address, "--env", "*"))
        assert (code, lines) == (2, []), told
        assert "no Dask scheduler answers" in told
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code, lines, told = finish(start(tmp_path, notebook, cluster.address, "--env", "*"))
    assert (code, lines[0]["status"]) == (0, "healthy"), told
    assert "neither encrypted" not in told
