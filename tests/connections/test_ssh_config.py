"""The operator's SSH configuration and known_hosts, without a server."""

from __future__ import annotations

import getpass
from pathlib import Path

import paramiko
import pytest

from cargo_runbook.connections.base import Failure
from cargo_runbook.connections.ssh.config import Route, SshConfig
from cargo_runbook.connections.ssh.hostkeys import HostKey, KnownHosts, remember
from cargo_runbook.errors import HostKeyError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def route(home: Path, text: str, alias: str = "cargo1") -> Route:
    (home / ".ssh" / "config").write_text(text)
    return SshConfig().route(alias)


def test_an_alias_without_configuration_is_the_host_itself(home: Path) -> None:
    (target,) = SshConfig().route("10.0.0.1")
    assert (target.host, target.port, target.user, target.key_name) == ("10.0.0.1", 22, getpass.getuser(), "10.0.0.1")
    assert target.known_hosts[0] == str(home / ".ssh" / "known_hosts")
    assert str(home / ".ssh" / "id_ed25519") in target.key_files
    assert str(target) == "10.0.0.1"


def test_host_name_user_port_and_key_come_from_the_file(home: Path) -> None:
    text = "Host cargo*\n HostName 10.0.0.9\n User ops\n Port 2222\n IdentityFile ~/.ssh/k1\n IdentityFile ~/.ssh/k2\n"
    (target,) = route(home, text + "Host *\n IdentitiesOnly yes\n UserKnownHostsFile ~/.ssh/a ~/.ssh/b\n")
    assert (target.host, target.port, target.user) == ("10.0.0.9", 2222, "ops")
    assert target.key_name == "[10.0.0.9]:2222"
    assert target.key_files == (str(home / ".ssh/k1"), str(home / ".ssh/k2"))
    assert target.only_these
    assert target.known_hosts == (str(home / ".ssh/a"), str(home / ".ssh/b"))
    assert str(target) == "cargo1 (10.0.0.9:2222)"


def test_a_host_key_alias_is_the_name_in_known_hosts(home: Path) -> None:
    assert route(home, "Host cargo1\n HostKeyAlias cargo-one\n Port 2222\n")[-1].key_name == "cargo-one"


def test_jump_hosts_are_a_chain_and_the_first_has_its_own(home: Path) -> None:
    text = (
        "Host cargo1\n HostName 10.0.0.9\n ProxyJump inner,ops@far:2200\n"
        "Host inner\n HostName 10.0.1.1\n ProxyJump outer\n"
        "Host outer\n HostName 192.0.2.1\n"
        "Host far\n HostName 10.0.2.1\n ProxyJump outer\n"
    )
    found = route(home, text)
    assert [(t.host, t.port) for t in found] == [
        ("192.0.2.1", 22),
        ("10.0.1.1", 22),
        ("10.0.2.1", 2200),
        ("10.0.0.9", 22),
    ]
    assert found[2].user == "ops"


def test_jump_hosts_that_lead_back_are_told(home: Path) -> None:
    with pytest.raises(Failure, match="the jump hosts of cargo1 lead back to cargo1") as caught:
        route(home, "Host cargo1\n ProxyJump a\nHost a\n ProxyJump cargo1\n")
    assert caught.value.reason == "ssh_config"


def test_proxy_jump_none_is_no_jump(home: Path) -> None:
    assert len(route(home, "Host cargo1\n ProxyJump none\nHost *\n ProxyJump jump\n")) == 1


def test_a_proxy_command_is_refused_with_advice(home: Path) -> None:
    with pytest.raises(Failure, match="use ProxyJump instead"):
        route(home, "Host cargo1\n ProxyCommand nc %h %p\n")


def test_included_files_count(home: Path) -> None:
    (home / ".ssh" / "conf.d").mkdir()
    (home / ".ssh" / "conf.d" / "cargo.conf").write_text("Host cargo1\n HostName 10.0.0.7\n")
    assert route(home, "Include conf.d/*.conf\nHost *\n HostName 10.9.9.9\n")[0].host == "10.0.0.7"
    (home / ".ssh" / "conf.d" / "cargo.conf").write_text("Include conf.d/*.conf\n")
    assert route(home, "Include conf.d/*.conf\n")[0].host == "cargo1"


def test_a_file_that_makes_no_sense_is_named(home: Path) -> None:
    with pytest.raises(Failure, match="config can't be understood"):
        route(home, "nonsense\n")


def key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture(scope="module")
def keys() -> tuple[paramiko.PKey, paramiko.PKey]:
    return key(), key()


Keys = tuple[paramiko.PKey, paramiko.PKey]


def known(tmp_path: Path, keys: Keys, *names: str, extra: str = "", host: str = "cargo1") -> KnownHosts:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"{name} {keys[0].get_name()} {keys[0].get_base64()} note\n" for name in names) + extra)
    return KnownHosts([str(path), str(tmp_path / "none")], host)


@pytest.mark.parametrize(
    ("names", "host", "accepted"),
    [
        ("cargo1", "cargo1", True),
        ("Cargo1", "cargo1", True),
        ("a,cargo1,b", "cargo1", True),
        ("cargo?", "cargo1", True),
        ("*.test", "cargo1.test", True),
        ("*.test,!cargo1.test", "cargo1.test", False),
        ("cargo10", "cargo1", False),
        ("cargo1", "[cargo1]:2222", False),
        ("[cargo1]:2222", "[cargo1]:2222", True),
        ("[cargo1]:2222", "cargo1", False),
        ("[*]:2222", "[cargo1]:2222", True),
        ("@cert-authority cargo1", "cargo1", False),
    ],
)
def test_a_key_is_accepted_for_the_names_of_its_line(
    tmp_path: Path, keys: Keys, names: str, host: str, accepted: bool
) -> None:
    hosts = known(tmp_path, keys, names, host=host)
    if accepted:
        hosts.check(keys[0])
    else:
        with pytest.raises(HostKeyError, match="is not in known_hosts"):
            hosts.check(keys[0])


def test_another_key_is_a_changed_one_with_both_fingerprints(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(HostKeyError) as caught:
        known(tmp_path, keys, "cargo1").check(keys[1])
    assert caught.value.known
    assert caught.value.known != caught.value.fingerprint
    assert "before you connect again" in str(caught.value)


def test_one_of_two_known_keys_is_enough(tmp_path: Path, keys: Keys) -> None:
    extra = f"cargo1 {keys[1].get_name()} {keys[1].get_base64()}\n"
    hosts = known(tmp_path, keys, "cargo1", extra=extra)
    hosts.check(keys[0])
    hosts.check(keys[1])
    assert hosts.algorithms() == ("rsa-sha2-512", "rsa-sha2-256")


def test_lines_that_make_no_sense_are_passed_over(tmp_path: Path, keys: Keys) -> None:
    known(tmp_path, keys, "cargo1", extra="\n# x\ncargo1\ncargo1 ssh-rsa !!!\n|1|x|y ssh-rsa AAAA\n\xff").check(keys[0])


def test_remembering_a_key_keeps_the_file_and_the_link(tmp_path: Path, keys: Keys) -> None:
    real = tmp_path / "real"
    real.write_text("other ssh-rsa AAAA")
    (tmp_path / "known_hosts").symlink_to(real)
    remember(HostKey("cargo1", keys[0].get_name(), keys[0].get_base64(), str(tmp_path / "known_hosts")))
    assert real.read_text().splitlines()[0] == "other ssh-rsa AAAA"
    assert (tmp_path / "known_hosts").is_symlink()
    KnownHosts([str(real)], "cargo1").check(keys[0])
