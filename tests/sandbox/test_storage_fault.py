"""A disk that is full, one that is merely nearly full, one without inodes, and one that was mounted too late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cargo_sandbox.faults.catalog import fault
from tests.practice import show

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

FOLDER = "/compass/cargo-ansible/cargo/data/registry"
FULL = fault("disk-full-on-upload")


@pytest.fixture
def full(sandbox: Any) -> Any:
    sandbox.break_(FULL.name)
    return sandbox


def diagnose(sandbox: Any) -> tuple[str, list[str], dict[str, dict[str, Any]]]:
    body = json.loads(sandbox.run("cargo-runbook", "diagnose", "--env", "cargo", "--json").stdout)
    show(body)
    return body["status"], body["root_causes"], {finding["code"]: finding for finding in body["findings"]}


def push(sandbox: Any) -> str:
    password = sandbox.password(FULL.client.account)
    done = sandbox.run(*FULL.client.command, input=f"{password}\n", timeout=90)
    return str(done.stdout + done.stderr)


def on_cargo(sandbox: Any, script: str) -> None:
    done = sandbox.on("cargo", "bash", "-euc", script)
    assert done.returncode == 0, done.stderr


def test_after_a_push_that_failed_the_registrys_own_words_are_part_of_the_proof(full: Any) -> None:
    assert FULL.client.text in push(full)
    _, roots, findings = diagnose(full)
    assert roots == ["CRG720"]
    rules = [link["rule"] for link in findings["CRG720"]["chain"]]
    assert "0 KiB left of 32.0 MiB" in rules[0]
    assert FOLDER in rules[1]
    assert any("`no space left on device`" in rule for rule in rules)


def test_a_disk_that_is_nearly_full_is_not_accused_while_a_push_goes_through(full: Any) -> None:
    on_cargo(full, f"rm {FOLDER}/backup.tar; head -c 20000000 /dev/zero > {FOLDER}/backup.tar")
    assert "digest: sha256:" in push(full)
    status, roots, findings = diagnose(full)
    assert (status, roots) == ("healthy", [])
    assert "which is little; no upload has failed for it" in findings["CRG720"]["summary"]


def test_a_disk_with_room_and_without_inodes_is_told_apart_from_a_full_one(full: Any) -> None:
    on_cargo(full, f"rm {FOLDER}/backup.tar; used=$(df -P -i {FOLDER} | tail -n 1 | tr -s ' ' | cut -d' ' -f3); "
                   f"mount -o remount,nr_inodes=$((used + 1)) {FOLDER}")  # fmt: skip
    assert FULL.client.text in push(full)
    status, roots, _ = diagnose(full)
    assert (status, roots) == ("fault", ["CRG721"])


def test_a_disk_that_only_the_container_has_is_told_apart_from_one_that_is_full_for_both(full: Any) -> None:
    # What a disk mounted after the container's start looks like: the host has room where the registry has none.
    on_cargo(full, f"umount {FOLDER}")
    status, roots, findings = diagnose(full)
    assert (status, roots) == ("fault", ["CRG722"])
    assert findings["CRG720"]["consequence_of"] == ["CRG722"]
