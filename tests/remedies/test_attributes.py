"""What a file has besides its content (SELinux label, extended attributes, ACL) is there after an edit and its undoing."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest

from cargo_runbook.connections.changing import Changing
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import OPERATOR

LABEL = b"system_u:object_r:svirt_sandbox_file_t:s0\0"
# An ACL as the kernel keeps it: version 2, then (kind, permissions, id): user 65534 may read (acl(5), posix_acl_xattr.h).
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in ((1, 6, 2**32 - 1), (2, 4, 65534), (4, 4, 2**32 - 1), (0x10, 4, 2**32 - 1), (0x20, 0, 2**32 - 1))
)
ATTRIBUTES = {
    "security.selinux": LABEL,
    "user.note": b"by hand",
    "trusted.origin": b"x",
    "system.posix_acl_access": ACL,
}


@pytest.fixture
def changing() -> Changing:
    body = {"name": "e", "domain": "registry.example", "hosts": [{"name": "h", "address": "192.0.2.1"}]}
    return Changing(Environment.model_validate(body))


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root may set the label, and only Linux has it")
    path = tmp_path / "config.yml"
    path.write_bytes(b"one\n")
    path.chmod(0o640)
    os.chown(path, 33, 33)
    for name, value in ATTRIBUTES.items():
        os.setxattr(path, name, value)
    return path


@pytest.mark.parametrize("in_place", [False, True])
def test_an_edit_keeps_label_attributes_acl_mode_and_owner(labelled: Path, changing: Changing, in_place: bool) -> None:
    before = changing.read(OPERATOR, str(labelled))
    said = labelled.stat()
    state = before if not in_place else type(before)(**{**vars(before), "mounted": True})
    changing.write(state, b"two\n")
    assert labelled.read_bytes() == b"two\n"
    assert attributes(labelled) == ATTRIBUTES
    now = labelled.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (said.st_mode, 33, 33)
    assert now.st_mtime >= said.st_mtime, "what was written just now is not older than the containers"
    changing.write(changing.read(OPERATOR, str(labelled)), b"one\n")
    assert (labelled.read_bytes(), attributes(labelled)) == (b"one\n", ATTRIBUTES)


def test_where_the_label_can_not_be_kept_the_file_is_left(
    labelled: Path, changing: Changing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a machine where SELinux is at work and forbids it: a `stat` that says the label, a `cp` and a `chcon` that
    can't set one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    label = 'case "$2" in %C) case "$4" in *.cargo-runbook.*) echo tmp_t ;; *) echo etc_t ;; esac ;; '
    scripts = {"stat": f'{label}*) exec /usr/bin/stat "$@" ;; esac', "cp": "exit 1", "chcon": "exit 1"}
    for name, body in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    state = changing.read(OPERATOR, str(labelled))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(ConnectionFailed, match=r"SELinux label of .* could not be kept"):
        changing.write(state, b"two\n")
    assert labelled.read_bytes() == b"one\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".cargo")] == []
