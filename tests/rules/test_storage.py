"""Full, or merely nearly full?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cargo_runbook.facts.storage import Complaint, Disk, HostStorage, Space, StorageFacts
from cargo_runbook.findings import Finding, Verdict
from cargo_runbook.rules.storage import judge_storage
from cargo_runbook.rules.triage import explain
from tests.rules.path_facts import HEALTHY

GIB = 1024 * 1024
MANY = Space("/dev/sda1", 6_000_000, 1000, 5_999_000, "/")
COMPLAINT = (Complaint("no space left on device", 60.0),)


def blocks(available: int, *, total: int = 100 * GIB, reserve: int = 0, name: str = "/dev/sda1") -> Space:
    return Space(name, total, total - available - reserve, available, "/")


def disk(space: Space | None, inodes: Space | None = MANY) -> Disk:
    return Disk(space, "E1", inodes, "E2")


def host(inside: Disk | None, **more: object) -> HostStorage:
    return replace(HostStorage("cargo-1", "/storage", inside=inside, complaints_evidence="E3", evidence="E8"), **more)  # type: ignore[arg-type]


def judged(*hosts: HostStorage, **more: int) -> tuple[Finding, ...]:
    return explain(judge_storage(HEALTHY, StorageFacts(hosts, **more)))


def roots(*hosts: HostStorage) -> list[str]:
    return [f.code for f in judged(*hosts) if f.status is Verdict.FAULT and not f.consequence_of]


ROOMY, FULL = host(disk(blocks(50 * GIB))), host(disk(blocks(0)))
NO_INODES = Space("/dev/sda1", 6_000_000, 5_999_999, 1, "/")

CASES = [
    ("plenty of room", ROOMY, []),
    ("99 % used, gibibytes left", host(disk(blocks(2 * GIB, total=250 * GIB))), []),
    ("99 % used and old complaints", host(disk(blocks(2 * GIB)), complaints=COMPLAINT), []),
    ("nothing left", FULL, ["CRG720"]),
    ("nothing left, and the registry says so", host(disk(blocks(0)), complaints=COMPLAINT), ["CRG720"]),
    ("only root's reserve left, nobody complains", host(disk(blocks(0, reserve=5 * GIB))), []),
    ("only root's reserve left, complaints", host(disk(blocks(0, reserve=5 * GIB)), complaints=COMPLAINT), ["CRG720"]),
    ("little left, nobody complains", host(disk(blocks(80_000))), []),
    ("little left, uploads fail", host(disk(blocks(80_000)), complaints=COMPLAINT), ["CRG720"]),
    (
        "little left, uploads failed yesterday",
        host(disk(blocks(80_000)), complaints=(Complaint("no space left on device", 86_400.0),)),
        [],
    ),
    ("no inode left", host(disk(blocks(50 * GIB), NO_INODES)), ["CRG721"]),
    ("no inode left, complaints", host(disk(blocks(50 * GIB), NO_INODES), complaints=COMPLAINT), ["CRG721"]),
    (
        "few inodes left, uploads fail",
        host(disk(blocks(50 * GIB), Space("d", 6_000_000, 5_999_000, 1000, "/")), complaints=COMPLAINT),
        ["CRG721"],
    ),
    ("inodes are made as needed", host(disk(blocks(50 * GIB), Space("btrfs", 0, 0, 0, "/"))), []),
    ("inodes are not counted", host(disk(blocks(50 * GIB), None)), []),
    ("the container has no df, the host's disk is full", host(None, outside=disk(blocks(0))), ["CRG720"]),
    ("the same disk from both sides", host(disk(blocks(0)), outside=disk(blocks(0)), source="/data"), ["CRG720"]),
    (
        "the host's disk was mounted after the container started",
        host(disk(blocks(0)), outside=disk(blocks(90 * GIB, total=200 * GIB, name="/dev/sdb1")), source="/data"),
        ["CRG722"],
    ),
    ("in an object store", HostStorage("cargo-1", elsewhere="s3", evidence="E8"), []),
]


@pytest.mark.parametrize(("seen", "codes"), [(s, c) for _, s, c in CASES], ids=[name for name, _, _ in CASES])
def test_the_root_cause_of_a_disk(seen: HostStorage, codes: list[str]) -> None:
    assert roots(seen) == codes
    if not codes:
        assert {f.status for f in judged(seen)} == {Verdict.OK}


def test_one_full_host_of_two_is_named() -> None:
    fault = next(f for f in judged(ROOMY, replace(FULL, host="cargo-2")) if f.code == "CRG720")
    assert (fault.status, fault.vantage) == (Verdict.FAULT, "cargo host cargo-2")


def test_a_disk_that_could_not_be_asked_is_unknown_and_an_unreachable_host_is_skipped() -> None:
    assert {f.status for f in judged(host(None))} == {Verdict.UNKNOWN}
    assert {f.status for f in judged(HostStorage("cargo-1", unasked=True))} == {Verdict.SKIPPED}


def test_the_verdict_says_how_full_in_numbers_and_points_at_df_the_log_and_harbor() -> None:
    seen = host(disk(blocks(0)), outside=disk(blocks(0)), source="/data/registry", complaints=COMPLAINT)
    fault = judged(seen, harbor_total=100 * 1024**3, harbor_free=0)[0]
    assert "0 KiB of 100 GiB left" in fault.summary.en
    said = " ".join(f"{link.rule.en} [{link.observation}]" for link in fault.chain)
    assert "container sees at /storage: /dev/sda1, 0 KiB left of 100 GiB [E1]" in said
    assert "`no space left on device` 1 time(s) within the hour [E3]" in said
    assert "Harbor counts 0 KiB free of 100 GiB" in said


def test_little_room_that_has_hurt_nobody_is_said_and_not_accused() -> None:
    (space, *_) = judged(host(disk(blocks(80_000))))
    assert (space.status, space.summary.en) == (
        Verdict.OK,
        "cargo-1: 78.1 MiB left, which is little; no upload has failed for it",
    )
