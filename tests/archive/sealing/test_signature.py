"""Signatures by real SSH keys, made and checked by the real ssh-keygen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cargo_runbook.archive.keeping.verify import verify
from cargo_runbook.archive.places import SIGNATURE
from cargo_runbook.archive.record import Record
from cargo_runbook.archive.sealing.draft import Draft
from cargo_runbook.archive.sealing.signature import NAMESPACE, Checked, SigningFailed, check_signature, sign_key
from cargo_runbook.cli.main import run
from tests.archive.kept import keep
from tests.conftest import program

pytestmark = pytest.mark.skipif(program("ssh-keygen") is None, reason="ssh-keygen is not installed")


def new_key(folder: Path, name: str, passphrase: str = "") -> Path:
    key = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return key


def allowed(folder: Path, *keys: Path) -> Path:
    file = folder / "allowed_signers"
    file.write_text("".join(f"{key.name}@example.com {key.with_suffix('.pub').read_text()}" for key in keys))
    return file


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path, "wang")


def signed(reports: Path, key: Path) -> Record:
    return Draft(reports, "cargo", "00_triage", key=key).seal(status="healthy")


def test_a_signature_is_checked_by_our_command_and_by_ssh_keygen_alone(tmp_path: Path, key: Path) -> None:
    record = signed(tmp_path / "reports", key)
    signers = allowed(tmp_path, key)
    assert check_signature(record.path, signers) == Checked(signer="wang@example.com")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "wang@example.com", "-n", NAMESPACE]
    with (record.path / "manifest.json").open("rb") as manifest:
        done = subprocess.run([*command, "-s", str(record.path / SIGNATURE)], stdin=manifest, check=False)
    assert done.returncode == 0


def test_a_signature_of_somebody_else_or_of_another_manifest_is_none(tmp_path: Path, key: Path) -> None:
    one, other = signed(tmp_path / "reports", key), signed(tmp_path / "reports", key)
    stranger = new_key(tmp_path, "stranger")
    assert "none of the allowed signers" in check_signature(one.path, allowed(tmp_path, stranger)).problem
    (one.path / SIGNATURE).write_bytes((other.path / SIGNATURE).read_bytes())
    assert "does not fit" in check_signature(one.path, allowed(tmp_path, key)).problem
    assert [(p.record, p.file) for p in verify(tmp_path / "reports").problems] == [(one.header.record, SIGNATURE)]


def test_a_signature_that_was_changed_or_taken_away_is_found_without_any_key(tmp_path: Path, key: Path) -> None:
    reports = tmp_path / "reports"
    record = signed(reports, key)
    keep(reports)
    signature = record.path / SIGNATURE
    content = signature.read_bytes()
    for damaged in (content.replace(b"A", b"B", 1), None):
        if damaged is None:
            signature.unlink()
        else:
            signature.write_bytes(damaged)
        assert [(p.record, p.file) for p in verify(reports).problems] == [(record.header.record, SIGNATURE)]


@pytest.mark.parametrize("kind", ["passphrase", "missing"])
def test_a_key_that_can_not_be_used_is_told_before_anything_runs(tmp_path: Path, kind: str) -> None:
    key = new_key(tmp_path, "locked", "secret words") if kind == "passphrase" else tmp_path / "nowhere"
    with pytest.raises(SigningFailed, match="no record can be signed with"):
        Draft(tmp_path / "reports", "cargo", "00_triage", key=key)
    assert not (tmp_path / "reports").exists()


def test_the_key_of_the_surroundings_signs_what_is_stepped_through_by_hand(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_key(None, {"CARGO_RUNBOOK_SIGN_KEY": "/x"}) == Path("/x")
    assert sign_key(None, {}) is None
    monkeypatch.setenv("CARGO_RUNBOOK_SIGN_KEY", str(key))
    assert (keep(tmp_path / "reports").path / SIGNATURE).exists()


def test_verify_says_who_signed_and_when_nobody_did(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    reports = tmp_path / "reports"
    keep(reports)
    signed(reports, key)
    command = ["records", "verify", "--reports", str(reports), "--signers", str(allowed(tmp_path, key))]
    assert run(command) == 0
    assert "2 records, 1 signed by wang@example.com: all as sealed" in capsys.readouterr().out
    keep(reports)
    assert run(command) == 1
    assert "the last record is not signed: nobody vouches for it" in capsys.readouterr().out
