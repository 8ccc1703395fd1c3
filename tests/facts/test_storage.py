"""What df, a registry's configuration and its log say of the disk."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cargo_runbook.facts.storage import (
    Space,
    read_complaints,
    read_df,
    read_disk,
    read_source,
    read_stat,
    read_storage_folder,
    read_volumes,
)
from cargo_runbook.observations import Command, HttpRequest, Observation, Question, Status

GNU = """Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/sda1        103081248  98000000         0     100% /
"""
BUSYBOX = """Filesystem           1024-blocks    Used Available Capacity Mounted on
registry-disk            16384     16384         0 100% /storage
"""
INODES = """Filesystem      Inodes IUsed   IFree IUse% Mounted on
/dev/sda1      6553600 6553600       0  100% /
"""


@pytest.mark.parametrize(
    ("text", "space"),
    [
        (GNU, Space("/dev/sda1", 103081248, 98000000, 0, "/")),
        (BUSYBOX, Space("registry-disk", 16384, 16384, 0, "/storage")),
        (INODES, Space("/dev/sda1", 6553600, 6553600, 0, "/")),
        ("h\n//nas/our share 10 4 6 40% /mnt/a b\n", Space("//nas/our share", 10, 4, 6, "/mnt/a b")),
        ("h\nbtrfs 0 0 0 - /data\n", Space("btrfs", 0, 0, 0, "/data")),
        ("h\nvfat - - - - /boot\n", None),
        ("df: /storage: No such file or directory\n", None),
        ("", None),
    ],
)
def test_a_line_of_df_is_read(text: str, space: Space | None) -> None:
    assert read_df(text) == space


def test_what_root_may_still_take_counts_as_left() -> None:
    space = read_df(GNU)
    assert space is not None
    assert (space.available, space.left) == (0, 5081248)


def seen(
    question: Question, output: str, *, exit_code: int | None = 0, status: Status = Status.ANSWERED
) -> Observation:
    started = datetime(2026, 11, 24, 17, 10, tzinfo=UTC)
    return Observation(
        question=question, status=status, exit_code=exit_code, output=output, started=started, duration=0.1, id="E1"
    )


DF = Command(argv=("df", "-P", "-k", "/storage"))


def test_a_disk_that_could_not_be_asked_is_none() -> None:
    assert read_disk(seen(DF, "", exit_code=127), seen(DF, "", exit_code=127)) is None
    disk = read_disk(seen(DF, GNU), seen(DF, "", exit_code=1))
    assert disk is not None
    assert (disk.blocks is None, disk.inodes) == (False, None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("storage:\n  filesystem: {rootdirectory: /storage}\n  delete: {enabled: true}\n", ("/storage", "")),
        ("storage:\n  cache: {layerinfo: redis}\n  s3: {bucket: b}\n", ("", "s3")),
        ("storage:\n  filesystem:\n", ("/var/lib/registry", "")),
        ("version: 0.1\n", ("/storage", "")),
        ("storage: [", ("/storage", "")),
        ("", ("/storage", "")),
    ],
)
def test_the_registrys_folder_is_the_one_of_its_configuration(text: str, wanted: tuple[str, str]) -> None:
    assert read_storage_folder(text) == wanted


@pytest.mark.parametrize(
    ("mounts", "source"),
    [
        ('[{"Source": "/data/registry", "Destination": "/storage"}]', "/data/registry"),
        ('[{"Source": "/data", "Destination": "/"}, {"Source": "/big", "Destination": "/storage"}]', "/big"),
        ('[{"Source": "/data", "Destination": "/srv"}]', ""),
        ('[{"Source": "/data", "Destination": "/stor"}]', ""),
        ("Error: No such object: harbor-registry", ""),
        ("null", ""),
    ],
)
def test_the_folder_on_the_host_is_that_of_the_closest_mount(mounts: str, source: str) -> None:
    assert read_source(mounts, "/storage") == source


def test_a_folder_below_a_mount_keeps_its_rest() -> None:
    mounts = '[{"Source": "/data/registry/", "Destination": "/storage"}]'
    assert read_source(mounts, "/storage/deep") == "/data/registry/deep"


LINE = (
    'time="2026-11-24T17:09:52.738113448Z" level=error msg="response completed with error" err.code=unknown '
    'err.detail="filesystem: write /storage/docker/registry/v2/x: no space left on device" http.response.status=500'
)


def test_a_write_without_space_is_found_in_the_log_with_its_age() -> None:
    question = Command(argv=("docker", "logs", "--since", "1h", "--tail", "400", "harbor-registry"))
    other = 'time="2026-11-24T17:09:50Z" level=info msg="response completed"'
    undated = "filesystem: write: no space left on device"
    found = read_complaints(seen(question, f"{other}\n{LINE}\n{undated}\n"))
    assert [(c.line, None if c.age is None else round(c.age)) for c in found] == [(LINE, 7), (undated, None)]


STORED = (
    'time="2026-11-24T17:09:55Z" level=info msg="response completed" http.request.method=PUT http.response.status=201'
)


def test_what_could_be_stored_since_clears_a_complaint() -> None:
    question = Command(argv=("docker", "logs", "--since", "1h", "--tail", "400", "harbor-registry"))
    assert read_complaints(seen(question, f"{LINE}\n{STORED}\n")) == ()
    assert len(read_complaints(seen(question, f"{STORED}\n{LINE}\n"))) == 1


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ('{"storage": {"total": 100, "free": 0}}', (100, 0)),
        ('{"storage": [{"total": 100, "free": 7}]}', (100, 7)),
        ("<html>", (0, 0)),
        ("[]", (0, 0)),
        ('{"storage": null}', (0, 0)),
    ],
)
def test_harbors_word_on_its_volume_is_read_tolerantly(output: str, wanted: tuple[int, int]) -> None:
    assert read_volumes(seen(HttpRequest(url="https://cargo.example/api/systeminfo/volumes"), output)) == wanted


STAT_F = Command(argv=("stat", "-f", "-c", "%S %b %f %a %c %d", "/storage"))


def test_stat_tells_what_df_tells_of_the_same_disk() -> None:
    # GNU and BusyBox print the same; df at the same moment: 264212084 35289856 71101056, 16777216 862844 15914372.
    disk = read_stat(seen(STAT_F, "4096 66053021 57230557 17775264 16777216 15914372\n"))
    assert disk is not None
    assert disk.blocks == Space("", 264212084, 35289856, 71101056, "")
    assert disk.inodes == Space("", 16777216, 862844, 15914372, "")
    assert (disk.blocks_evidence, disk.inodes_evidence) == ("E1", "E1")


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [("4096 66053021 57230557 17775264 16777216 15914372\n", 1), ("%S %b %f %a %c %d\n", 0), ("", 0), ("1 2 3\n", 0)],
)
def test_what_is_no_answer_of_stat_is_none(text: str, exit_code: int) -> None:
    assert read_stat(seen(STAT_F, text, exit_code=exit_code)) is None
