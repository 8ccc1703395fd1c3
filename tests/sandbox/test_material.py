"""Keys, inventory and files of the machines, as they are before a sandbox starts."""

import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from cargo_runbook.inventory.credentials import password_of
from cargo_runbook.inventory.loader import load_all
from cargo_runbook.inventory.models import AccountKind, Stage
from cargo_sandbox.machines import rootfs
from cargo_sandbox.machines.rootfs import layout_for
from cargo_sandbox.material import pki
from cargo_sandbox.material.prepare import discard, prepare
from cargo_sandbox.paths import StateFolder, state_folder
from cargo_sandbox.services.registry_token import Signer
from cargo_sandbox.topology import MACHINES, OPERATOR, machine


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    state = StateFolder("unit", tmp_path_factory.mktemp("state") / "below")
    prepare(state)
    return state


def test_a_server_certificate_is_good_for_its_own_domain_only():
    authority = pki.certificate_authority("Practice CA")
    leaf = pki.server_certificate(authority, "cargo.caicloudprivatetest.com").certificate
    builder = PolicyBuilder().store(Store([authority.certificate]))
    builder.build_server_verifier(x509.DNSName("cargo.caicloudprivatetest.com")).verify(leaf, [])
    with pytest.raises(VerificationError):
        builder.build_server_verifier(x509.DNSName("devops.caicloudprivatetest.com")).verify(leaf, [])


def test_the_inventory_is_read_without_complaint_and_its_passwords_are_found(state: StateFolder):
    environments = {e.name: e for e in load_all(state.inventory)}
    assert set(environments) == {"cargo", "devops", "ha"}
    cargo = environments["cargo"]
    assert cargo.stage is Stage.SANDBOX
    assert cargo.domain == "cargo.caicloudprivatetest.com"
    assert cargo.name_servers == ("203.0.113.53",)
    assert cargo.kubernetes is None
    assert [(host.ssh_alias, host.address) for host in cargo.hosts] == [("cargo", "203.0.113.14")]
    admin, alice = cargo.account(AccountKind.ADMIN), cargo.account(AccountKind.PLATFORM)
    assert admin is not None
    assert alice is not None
    assert password_of(cargo, admin).reveal() == (state.inventory / "passwords/cargo-admin").read_text().strip()
    assert password_of(cargo, alice).reveal() == (state.inventory / "passwords/alice").read_text().strip()


def test_every_secret_is_readable_by_its_owner_only(state: StateFolder):
    secret = [path for path in state.path.rglob("*") if path.is_file() and _is_secret(path)]
    assert {path.name for path in secret} >= {"ca.key", "private_key.pem", "id_ed25519", "cluster.json", "alice"}
    assert [path for path in secret if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700


def _is_secret(path: Path) -> bool:
    text = path.read_bytes()
    named = path.parent.name == "passwords" or path.name in {
        "cluster.json",
        "cargo-admin.json",
        "harbor.json",
        "secret",
    }
    return b"PRIVATE KEY-----" in text or named


def test_two_sandboxes_share_no_key_and_no_password(state: StateFolder, tmp_path: Path):
    other = StateFolder("other", tmp_path / "state")
    prepare(other)
    for place in ("inventory/ca.crt", "inventory/passwords/alice", "private/ca.key"):
        assert (state.path / place).read_bytes() != (other.path / place).read_bytes()
    discard(other)
    assert not other.root.exists()


def test_each_machine_has_a_host_key_of_its_own_and_operator_knows_all(state: StateFolder):
    known = (state.files("operator") / "home/engineer/.ssh/known_hosts").read_text()
    keys = {m.name: (state.files(m.name) / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[1] for m in MACHINES}
    assert len(set(keys.values())) == len(MACHINES)
    for each in MACHINES:
        assert f"{each.name},{each.address} ssh-ed25519 {keys[each.name]}\n" in known


def test_no_machine_has_a_name_in_its_hosts_file_but_its_own(state: StateFolder):
    for each in MACHINES:
        hosts = (state.files(each.name) / "etc/hosts").read_text()
        assert hosts == f"127.0.0.1\tlocalhost\n{each.address}\t{each.name}\n"
        assert (state.files(each.name) / "etc/resolv.conf").read_text() == "nameserver 203.0.113.53\n"


def test_the_project_is_writable_on_operator_alone(state: StateFolder):
    project = str(rootfs.project_root())
    for each in MACHINES:
        binds = {bind.path: bind.writable for bind in layout_for(each, state).binds}
        assert binds[project] is (each == OPERATOR)
        assert (str(state.inventory) in binds) is (each == OPERATOR)


def test_home_folders_and_the_state_of_all_sandboxes_are_hidden(state: StateFolder):
    masks = layout_for(machine("cargo"), state, home=Path("/data/me")).masks
    assert {"/root", "/home", "/tmp", "/data/me"} <= set(masks)
    assert any(state.root.is_relative_to(mask) for mask in masks)


def test_a_project_below_tmp_is_bound_after_tmp_is_hidden(state: StateFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rootfs, "project_root", lambda: Path("/tmp/checkout"))
    layout = layout_for(machine("cargo"), state)
    assert "/tmp" in layout.masks
    assert "/tmp/checkout" in {bind.path for bind in layout.binds}


def test_a_python_that_the_overlay_shows_is_not_bound_and_a_hidden_one_is(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Debian's own Python has the prefix /usr: bound read-only, it would take /usr/local/sbin with it.
    monkeypatch.setattr(rootfs, "python_folders", lambda: (Path("/usr"), tmp_path))
    binds = {bind.path for bind in layout_for(machine("master"), state, home=tmp_path.parent).binds}
    assert "/usr" not in binds
    assert str(tmp_path) in binds


@pytest.mark.sandbox
def test_laid_over_files_replace_links_and_keep_their_modes(tmp_path: Path):
    source, root = tmp_path / "files", tmp_path / "root"
    (source / "etc/ssh").mkdir(parents=True)
    (source / "etc/resolv.conf").write_text("nameserver 203.0.113.53\n")
    (source / "etc/ssh/key").write_text("k")
    (source / "etc/ssh/key").chmod(0o600)
    (root / "etc").mkdir(parents=True)
    (root / "etc").chmod(0o711)
    (root / "outside").write_text("untouched")
    (root / "etc/resolv.conf").symlink_to(root / "outside")
    rootfs.lay_over(source, root)
    assert (root / "outside").read_text() == "untouched"
    assert (root / "etc/resolv.conf").read_text() == "nameserver 203.0.113.53\n"
    assert stat.S_IMODE((root / "etc/ssh/key").stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o711


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "-a", "a" * 33])
def test_a_name_that_could_leave_its_folder_is_refused(name: str):
    with pytest.raises(ValueError, match="can't be a sandbox's name"):
        state_folder(name, {})


def test_the_state_folder_can_be_moved():
    assert state_folder("x", {"CARGO_SANDBOX_STATE": "/somewhere"}).path == Path("/somewhere/x")
    assert state_folder("x", {}).path == Path("/var/lib/cargo-sandbox/x")


def test_the_key_id_is_the_one_that_openssl_computes(state: StateFolder):
    key = state.files("master") / "etc/cargo-token/private_key.pem"
    certificate = (state.files("cargo") / "compass/cargo-ansible/cargo/config/registry/root.crt").read_bytes()
    kid = Signer(key).kid
    public = x509.load_pem_x509_certificate(certificate).public_key()
    from base64 import b32encode
    from hashlib import sha256

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    code = b32encode(sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()[:30])
    assert kid.replace(":", "") == code.decode().rstrip("=")
    assert [len(group) for group in kid.split(":")] == [4] * 12


def test_the_engineers_private_key_is_one_that_ssh_can_read(state: StateFolder):
    folder = state.files("operator") / "home/engineer/.ssh"
    done = subprocess.run(["ssh-keygen", "-y", "-f", folder / "id_ed25519"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == (folder / "id_ed25519.pub").read_text().split()[:2]
