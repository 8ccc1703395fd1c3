"""Credential references: what they lead to, and that a failure tells where without telling what."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest

from cargo_runbook.errors import NotLoggedIn, SecretUnavailable
from cargo_runbook.inventory.checks import look_closer
from cargo_runbook.inventory.credentials import login_of, password_of
from cargo_runbook.inventory.loader import load_environment
from cargo_runbook.inventory.models import Environment

SECRET = "s3cret: ‹pässword›"


def environment_with(folder: Path, reference: str, *, port: int = 443) -> Environment:
    text = (
        f"domain: cargo.example.com\nport: {port}\nhosts:\n  - name: a\n    address: 192.0.2.1\n"
        f"accounts:\n  - username: jane\n    password: {json.dumps(reference)}\n"
    )
    (folder / "prod-1.yaml").write_text(text, "utf-8")
    return load_environment("prod-1", folder)


def password(folder: Path, reference: str, port: int = 443, **variables: str) -> str:
    environment = environment_with(folder, reference, port=port)
    return password_of(environment, environment.accounts[0], variables).reveal()


def refusal(folder: Path, reference: str, port: int = 443, **variables: str) -> str:
    """What is told when a reference leads to nothing, without the place, which must be right."""
    with pytest.raises(SecretUnavailable) as caught:
        password(folder, reference, port, **variables)
    told = str(caught.value)
    place = f"{folder}/prod-1.yaml:8: password of jane ({reference.partition(':')[0]}): "
    assert told.startswith(place)
    assert SECRET not in told
    # The original error must not hang on it either: a traceback would print it.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return told.removeprefix(place)


def secret_file(folder: Path, content: str | bytes = SECRET, mode: int = 0o600) -> Path:
    file = folder / "password"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return file


def docker_config(folder: Path, **content: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(content), "utf-8")
    return file


def auth(user: str = "jane", secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


def test_a_variable_gives_its_value(tmp_path: Path) -> None:
    assert password(tmp_path, "env:JANE", JANE=SECRET) == SECRET


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "env:JANE") == "the variable JANE is not set\n  Set it: read -rs JANE && export JANE"
    assert refusal(tmp_path, "env:JANE", JANE="").startswith("the variable JANE is empty\n")


@pytest.mark.parametrize(("ending", "kept"), [("", ""), ("\n", ""), ("\r\n", ""), ("\n\n", "\n"), (" \n", " ")])
def test_a_file_gives_its_text_without_one_line_ending(tmp_path: Path, ending: str, kept: str) -> None:
    secret_file(tmp_path, SECRET + ending)
    assert password(tmp_path, "file:password") == SECRET + kept


def test_a_file_can_be_named_by_an_absolute_path(tmp_path: Path) -> None:
    assert password(tmp_path, f"file:{secret_file(tmp_path)}") == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = secret_file(tmp_path, mode=mode)
    assert refusal(tmp_path, "file:password") == (f"{file} can be read by others (mode {mode:04o})\n  chmod 600 {file}")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8 text"), (b"x" * 70_000, "is longer than")],
)
def test_a_file_without_a_password_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    secret_file(tmp_path, content)
    assert f"{tmp_path}/password {told}" in refusal(tmp_path, "file:password")


def test_what_is_no_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "password", 0o600)
    assert refusal(tmp_path, "file:password") == f"{tmp_path}/password is not a file"
    assert refusal(tmp_path, "file:.") == f"{tmp_path} is not a file"
    assert refusal(tmp_path, "file:none") == f"{tmp_path}/none can't be read: No such file or directory"


@pytest.mark.parametrize("entry", ["cargo.example.com", "https://cargo.example.com", "https://cargo.example.com/v1/"])
def test_dockers_configuration_gives_the_password_of_the_domain(tmp_path: Path, entry: str) -> None:
    docker_config(tmp_path, auths={"other.example.com": auth("x", "y"), entry: auth()})
    assert password(tmp_path, "docker-config:config.json") == SECRET
    assert password(tmp_path, "docker-config:.") == SECRET
    assert password(tmp_path, "docker-config:", DOCKER_CONFIG=str(tmp_path)) == SECRET
    assert password(tmp_path, "docker-config", DOCKER_CONFIG=str(tmp_path)) == SECRET


def test_dockers_configuration_of_the_home_folder_is_the_default(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    docker_config(tmp_path / ".docker", auths={"cargo.example.com:5000": auth()})
    assert password(tmp_path, "docker-config:", port=5000, HOME=str(tmp_path)) == SECRET


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"auths": {}}, "has no login for cargo.example.com\n  docker login cargo.example.com -u jane"),
        ({"auths": {"cargo.example.com:5000": auth()}}, "has no login for cargo.example.com\n"),
        ({"auths": {"cargo.example.com": {}}}, "has no login for cargo.example.com\n"),
        ({"auths": {"cargo.example.com": auth("joe")}}, 'has the user "joe" for cargo.example.com, not "jane"\n'),
        ({"auths": {"cargo.example.com": {"identitytoken": SECRET}}}, "has an identity token for cargo.example.com"),
        ({"auths": {"cargo.example.com": {"auth": "%%%"}}}, "is not Base64 of user:password"),
        ({"auths": [SECRET]}, "has no login for cargo.example.com"),
    ],
)
def test_a_login_that_docker_does_not_have_is_told(tmp_path: Path, content: dict[str, object], told: str) -> None:
    docker_config(tmp_path, **content)
    assert told in refusal(tmp_path, "docker-config:config.json")


def test_a_configuration_that_is_not_json_is_told_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(f'{{"auths": "{SECRET}', "utf-8")
    assert refusal(tmp_path, "docker-config:config.json") == f"{file} is not JSON"


def a_helper(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A credential helper as Docker calls it: the server on standard input, JSON on standard output."""
    helper = folder / "docker-credential-vault"
    helper.write_text(f"#!{sys.executable}\nimport json, sys\nserver = sys.stdin.read()\n{body}\n", "utf-8")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("content", [{"credsStore": "vault"}, {"credHelpers": {"cargo.example.com": "vault"}}])
def test_a_credential_helper_is_asked_over_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, object]
) -> None:
    a_helper(
        tmp_path,
        monkeypatch,
        f"assert (server, sys.argv[1:]) == ('cargo.example.com', ['get'])\n"
        f"print(json.dumps({{'Username': 'jane', 'Secret': {SECRET!r}}}))",
    )
    docker_config(tmp_path, **content)
    assert password(tmp_path, "docker-config:config.json") == SECRET


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (f"print({SECRET!r}); sys.exit(1)", "docker-credential-vault has no login for cargo.example.com (exit code 1)"),
        (f"print({SECRET!r})", "the answer of docker-credential-vault is not JSON"),
        ("print(json.dumps({'Username': '<token>', 'Secret': 'x'}))", "has an identity token for cargo.example.com"),
    ],
)
def test_a_credential_helper_that_fails_is_told_without_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
) -> None:
    a_helper(tmp_path, monkeypatch, body)
    docker_config(tmp_path, credsStore="vault")
    assert told in refusal(tmp_path, "docker-config:config.json")


@pytest.mark.parametrize(
    ("helper", "told"),
    [("none-such", "docker-credential-none-such, which docker's configuration names, is not installed"),
     ("../../bin/sh", "names is not a program name")],
)  # fmt: skip
def test_a_credential_helper_that_is_not_there_is_told(tmp_path: Path, helper: str, told: str) -> None:
    docker_config(tmp_path, credsStore=helper)
    assert told in refusal(tmp_path, "docker-config:config.json")


def test_a_missing_keyring_part_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install 'cargo-runbook[keyring]'" in refusal(tmp_path, "keyring:registry/jane")


def test_the_keyring_gives_the_password_or_says_that_it_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = pytest.importorskip("keyring")
    backend = pytest.importorskip("keyring.backend")

    class InMemory(backend.KeyringBackend):  # type: ignore[name-defined, misc]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return {("registry", "jane"): SECRET}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("a diagnosis never writes to the keyring")

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        assert password(tmp_path, "keyring:registry/jane") == SECRET
        assert refusal(tmp_path, "keyring:registry/joe") == (
            "the keyring has nothing for joe in registry\n  Put it there: keyring set registry joe"
        )
    finally:
        keyring.set_keyring(before)


def test_a_ca_that_is_missing_or_no_certificate_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    environment = environment_with(tmp_path, "env:NOT_SET_ANYWHERE").model_copy(update={"ca": "ca.crt"})
    [problem] = look_closer(environment).problems
    assert f"ca: {tmp_path}/ca.crt can't be read: No such file or directory" in str(problem)
    (tmp_path / "ca.crt").write_text("nothing", "utf-8")
    [problem] = look_closer(environment).problems
    assert f"ca: {tmp_path}/ca.crt holds no certificate in PEM form" in str(problem)
    [note] = look_closer(environment).notes
    assert f"{tmp_path}/prod-1.yaml:8: password of jane: the variable NOT_SET_ANYWHERE is not set" in str(note)


def nobody_in_particular(folder: Path) -> Environment:
    """An environment whose account is whoever docker is logged in as."""
    text = (
        "domain: cargo.example.com\nhosts:\n  - name: a\n    address: 192.0.2.1\n"
        "accounts:\n  - password: docker-config:config.json\n"
    )
    (folder / "prod-1.yaml").write_text(text, "utf-8")
    return load_environment("prod-1", folder)


def test_an_account_without_username_is_whoever_docker_is_logged_in_as(tmp_path: Path) -> None:
    docker_config(tmp_path, auths={"cargo.example.com": auth("joe")})
    environment = nobody_in_particular(tmp_path)
    login = login_of(environment, environment.accounts[0])
    assert (login.username, login.password.reveal()) == ("joe", SECRET)
    assert SECRET not in repr(login)


@pytest.mark.parametrize("content", [None, {}, {"auths": {"other.example.com": auth()}}])
def test_a_docker_without_a_login_is_told_apart_from_a_reference_that_leads_nowhere(
    tmp_path: Path, content: dict[str, object] | None
) -> None:
    if content is not None:
        docker_config(tmp_path, **content)
    environment = nobody_in_particular(tmp_path)
    with pytest.raises(NotLoggedIn) as caught:
        login_of(environment, environment.accounts[0])
    assert str(caught.value).startswith(f"{tmp_path}/prod-1.yaml:6: password of docker-config (docker-config): ")
    assert caught.value.next_step == "docker login cargo.example.com"
    docker_config(tmp_path, auths={"cargo.example.com": {"identitytoken": SECRET}})
    with pytest.raises(SecretUnavailable, match="has an identity token") as other:
        login_of(environment, environment.accounts[0])
    assert not isinstance(other.value, NotLoggedIn)
