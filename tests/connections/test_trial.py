"""A script that is tried in namespaces of its own: what it would change is seen, and nothing of it is done."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cargo_runbook.connections import changing as changing_module
from cargo_runbook.connections.changing import Changing
from cargo_runbook.connections.trial import Trial, read_trial
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import OPERATOR

PROBE = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]


def allowed() -> bool:
    return (
        sys.platform.startswith("linux")
        and os.geteuid() == 0
        and subprocess.run(PROBE, capture_output=True, check=False).returncode == 0
    )


def test_what_is_no_result_says_why_it_could_not_be_tried() -> None:
    assert read_trial(b"", "unshare: unshare failed: Operation not permitted\n") == Trial(
        ran=False, said="unshare: unshare failed: Operation not permitted"
    )
    assert read_trial(b"sh: 1: unshare: not found", "").said == "nothing came back"


def test_a_result_that_was_cut_off_is_none() -> None:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("./exit"))
    assert not read_trial(body.getvalue(), "").ran
    assert not read_trial(body.getvalue()[:700], "").ran


@pytest.fixture
def root(tmp_path: Path) -> Path:
    if not allowed():
        pytest.skip("needs root and namespaces")
    (tmp_path / "config" / "nginx").mkdir(parents=True)
    (tmp_path / "config" / "a.yml").write_text("name: old\n")
    (tmp_path / "config" / "nginx" / "server.key").write_text("secret\n")
    (tmp_path / "config" / "nginx" / "server.key").chmod(0o600)
    (tmp_path / "env-single.yml").write_text("a: 1\n")
    return tmp_path


def tried(root: Path, script: str, *arguments: str) -> Trial:
    """What the script would do; whatever stands below `root` stays as it is."""
    (root / "s.sh").write_text(f"#!/bin/sh\n{script}\n")
    (root / "s.sh").chmod(0o755)
    before = {path: (path.lstat(), path.read_bytes() if path.is_file() else b"") for path in sorted(root.rglob("*"))}
    body = {"name": "e", "domain": "registry.example", "hosts": [{"name": "h", "address": "192.0.2.1"}]}
    trial = Changing(Environment.model_validate(body)).try_script(OPERATOR, str(root), "s.sh", arguments)
    after = {path: (path.lstat(), path.read_bytes() if path.is_file() else b"") for path in sorted(root.rglob("*"))}
    # The time of the last look is no change.
    assert {path: (s.st_mode, s.st_mtime_ns, b) for path, (s, b) in after.items()} == {
        path: (s.st_mode, s.st_mtime_ns, b) for path, (s, b) in before.items()
    }
    return trial


@pytest.mark.slow
def test_changes_backups_and_new_files_are_told_apart(root: Path) -> None:
    trial = tried(root, 'sed -i.bak "s/old/$1/" config/a.yml; echo x > config/new; echo done', "it's new")
    assert (trial.ran, trial.exit_code, trial.said) == (True, 0, "done")
    assert trial.changed == {"config/a.yml": b"name: it's new\n"}
    assert sorted(trial.added) == ["config/a.yml.bak", "config/new"]
    assert trial.copies == ("config/a.yml.bak",)
    assert (trial.gone, trial.other, trial.calls, trial.elsewhere) == ((), (), (), False)


@pytest.mark.slow
def test_what_is_taken_away_or_becomes_something_else_is_named(root: Path) -> None:
    trial = tried(root, "rm env-single.yml; chmod 644 config/nginx/server.key; mkdir d; ln -s d e")
    assert (trial.gone, trial.other) == (("env-single.yml",), ("config/nginx/server.key", "d", "e"))


@pytest.mark.slow
def test_nothing_beyond_the_copy_can_be_reached(root: Path) -> None:
    """Neither files, nor devices, processes, sockets of services, mounts, the kernel's settings or the network."""
    deeds = (
        "echo x > /etc/cargo-runbook-was-here",
        "echo x > /usr/local/cargo-runbook-was-here",
        f"echo x > {Path(__file__).parent}/was-here",
        "mount -o remount,rw,bind /",
        "cat /dev/vda /dev/sda /dev/mem /dev/kmsg",
        "kill -0 $PARENT",
        "echo 1 > /proc/sys/vm/swappiness",
        "ls /run/docker.sock /var/run/docker.sock /run/dbus /run/systemd",
        "ping -c 1 -W 1 127.0.0.1",
        "mknod /tmp/d b 8 0",
        "hostname other",
    )
    deeds_done = "; ".join(f"({deed}) >/dev/null 2>&1 && echo done {number}" for number, deed in enumerate(deeds))
    outside = subprocess.Popen(["sleep", "60"])
    try:
        trial = tried(root, f"PARENT={outside.pid}; {deeds_done}; echo over")
        assert outside.poll() is None
    finally:
        outside.kill()
        outside.wait()
    assert (trial.ran, trial.said) == (True, "over")
    assert not Path("/etc/cargo-runbook-was-here").exists()


@pytest.mark.slow
def test_a_write_elsewhere_is_seen_by_its_complaint(root: Path) -> None:
    trial = tried(root, "cp config/a.yml /etc/cargo-runbook-was-here; exit 0")
    assert trial.elsewhere
    assert not Path("/etc/cargo-runbook-was-here").exists()


@pytest.mark.slow
def test_docker_and_its_like_only_note_that_they_were_called(root: Path) -> None:
    by_path = shutil.which("systemctl") or "systemctl"
    trial = tried(root, f"set -e; docker-compose up -d; docker rm -f x; {by_path} reboot; docker ps")
    assert (trial.exit_code, trial.calls) == (0, ("docker", "docker-compose", "systemctl"))


@pytest.mark.slow
def test_a_script_that_does_not_end_is_ended_with_all_that_it_started(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing_module, "TRIAL_SECONDS", 1)
    trial = tried(root, "setsid sleep 4711 & trap '' TERM; sleep 4712; sleep 4712")
    assert (trial.ran, trial.timed_out) == (True, True)
    left = subprocess.run(["pgrep", "-f", "sleep 471[12]"], capture_output=True, check=False)
    assert left.stdout == b""


@pytest.mark.slow
def test_a_script_that_can_not_be_executed_is_no_success(root: Path) -> None:
    trial = tried(root, "")
    assert trial.exit_code == 0
    (root / "s.sh").chmod(0o644)
    body = {"name": "e", "domain": "registry.example", "hosts": [{"name": "h", "address": "192.0.2.1"}]}
    trial = Changing(Environment.model_validate(body)).try_script(OPERATOR, str(root), "s.sh", ())
    assert (trial.ran, trial.exit_code) == (True, 126)


@pytest.mark.slow
def test_where_no_namespace_can_be_made_that_is_the_reason(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "unshare").write_text(
        "#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2; exit 1\n"
    )
    (tmp_path / "bin" / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    trial = tried(root, "true")
    assert (trial.ran, trial.said) == (False, "unshare: unshare failed: Operation not permitted")
