"""Credential references of an environment file -> the secrets that they mean.

`env:NAME`, `file:PATH`, `docker-config:[PATH]`, `keyring:SERVICE/USER`. A reference is resolved when it is needed and
not before; every failure is a sentence that names the file and line of the reference, and never shows a value.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.errors import NotLoggedIn, SecretUnavailable
from cargo_runbook.inventory.models import Account, Environment
from cargo_runbook.redaction.shapes import sensitive_name
from cargo_runbook.secret import Secret

_MAX_SECRET_BYTES = 64 * 1024
_HELPER_SECONDS = 15.0
_HELPER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What Docker's helpers and config files write in place of a user name when they hold an identity token.
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - a marker, not a password


@dataclass(frozen=True)
class Login:
    """What to log in with."""

    username: str
    password: Secret


def password_of(environment: Environment, account: Account, variables: Mapping[str, str] | None = None) -> Secret:
    """The password of an account of the environment; see `login_of`."""
    return login_of(environment, account, variables).password


def login_of(environment: Environment, account: Account, variables: Mapping[str, str] | None = None) -> Login:
    """Username and password of an account of the environment.

    Args:
        environment: says where the reference stands and from where relative paths count.
        account: one of its accounts.
        variables: environment variables to look into (default: those of the process).

    Raises:
        SecretUnavailable: the reference leads to nothing; begins with file and line of the reference.
        NotLoggedIn: the same, where docker has no login for the domain.
    """
    try:
        return resolve(environment, account, variables)
    except SecretUnavailable as error:
        error.what = f"{_place(environment, account)}: {error.what}"
        raise


def resolve(environment: Environment, account: Account, variables: Mapping[str, str] | None = None) -> Login:
    """As `login_of`, with an error that does not say where the reference stands."""
    values = os.environ if variables is None else variables
    scheme, _, rest = account.password.partition(":")
    if scheme == "env":
        return Login(account.username, _from_variable(rest, values))
    if scheme == "file":
        return Login(account.username, _from_file(environment.path(rest)))
    if scheme == "keyring":
        return Login(account.username, _from_keyring(rest))
    return _from_docker(docker_config_path(account, environment, values), environment.authority, account.username)


def secret_of(reference: str) -> Secret | None:
    """What `env:NAME`, `file:PATH` or `keyring:SERVICE/USER` leads to; None for a text that is no such reference.

    Raises:
        SecretUnavailable: the reference leads to nothing.
    """
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        return _from_variable(rest, os.environ)
    if scheme == "file":
        return _from_file(Path(rest).expanduser())
    return _from_keyring(rest) if scheme == "keyring" else None


def is_reference(text: str) -> bool:
    """Whether a text has the form of what `secret_of` takes; nothing is resolved."""
    scheme, colon, rest = text.partition(":")
    return scheme in ("env", "file", "keyring") and bool(colon and rest)


def parameter_secrets(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a runbook with the secrets that their references lead to, where a name says that it is a secret.

    Raises:
        SecretUnavailable: a reference leads to nothing.
    """
    return {name: _secret_parameter(name, value) for name, value in parameters.items()}


def _secret_parameter(name: str, value: Any) -> Any:
    if not (isinstance(value, str) and sensitive_name(name)):
        return value
    return secret_of(value) or value


def _place(environment: Environment, account: Account) -> str:
    index = environment.accounts.index(account) if account in environment.accounts else 0
    line = environment.line_of(f"accounts[{index}].password")
    file = str(environment.file) if line else environment.name
    place = f"{file}:{line}" if line else file
    return f"{place}: password of {account.name} ({account.password.partition(':')[0]})"


def _from_variable(name: str, values: Mapping[str, str]) -> Secret:
    value = values.get(name, "")
    if not value:
        state = "is empty" if name in values else "is not set"
        raise SecretUnavailable(f"the variable {name} {state}", next_step=f"Set it: read -rs {name} && export {name}")
    return Secret(value)


def _from_file(path: Path) -> Secret:
    return Secret(_one_line(_read_private(path), path))


def _read_private(path: Path) -> str:
    # O_NONBLOCK: a named pipe must not hang the run before it can be refused.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SecretUnavailable(f"{path} can't be read: {error.strerror}") from None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise SecretUnavailable(f"{path} is not a file")
        mode = stat.S_IMODE(state.st_mode)
        # A secret that somebody else mounted (owner: not this user) can't be closed by this user.
        if mode & 0o077 and state.st_uid == os.getuid():
            raise SecretUnavailable(f"{path} can be read by others (mode {mode:04o})", next_step=f"chmod 600 {path}")
        content = os.read(descriptor, _MAX_SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MAX_SECRET_BYTES:
        raise SecretUnavailable(f"{path} is longer than {_MAX_SECRET_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SecretUnavailable(f"{path} is not UTF-8 text") from None


def _one_line(text: str, path: Path) -> str:
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretUnavailable(f"{path} is empty")
    return value


def docker_config_path(account: Account, environment: Environment, variables: Mapping[str, str] | None = None) -> Path:
    """The configuration of docker with the login of an account whose password is `docker-config[:PATH]`."""
    values, path = os.environ if variables is None else variables, account.password.partition(":")[2]
    if path:
        named = environment.path(path)
        return named / "config.json" if named.is_dir() else named
    folder = values.get("DOCKER_CONFIG") or f"{values.get('HOME') or Path.home()}/.docker"
    return Path(folder) / "config.json"


def _from_docker(path: Path, authority: str, username: str) -> Login:
    """The login for a registry as `docker login` left it (docker/cli docs, "Credential stores").

    A credential helper for the registry comes before the store for all, and that before `auths`. With an empty
    `username` anybody's login is taken.
    """
    login = f"docker login {authority} -u {username}" if username else f"docker login {authority}"
    config = _json_object(_read_text(path, login), f"{path}")
    auths = _object(config.get("auths"))
    entry_name = next((name for name in auths if _registry_of(name) == authority), authority)
    helper = _object(config.get("credHelpers")).get(authority) or config.get("credsStore")
    if helper:
        user, password = _ask_helper(str(helper), entry_name, login)
    else:
        user, password = _decode_entry(_object(auths.get(entry_name)), f"{path}", authority, login)
    if user == _IDENTITY_TOKEN_USER:
        raise SecretUnavailable(f"{path} has an identity token for {authority}, not a password", next_step=login)
    if username and user != username:
        raise SecretUnavailable(f'{path} has the user "{user}" for {authority}, not "{username}"', next_step=login)
    if not password:
        raise SecretUnavailable(f"{path} has no password for {authority}", next_step=login)
    return Login(user, Secret(password))


def _read_text(path: Path, login: str) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise NotLoggedIn(f"{path} is not there: docker has no login", next_step=login) from None
    except OSError as error:
        raise SecretUnavailable(f"{path} can't be read: {error.strerror}", next_step=login) from None
    except UnicodeDecodeError:
        raise SecretUnavailable(f"{path} is not UTF-8 text") from None


def _json_object(text: str, name: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        # Without a cause: the JSON error carries the whole text.
        raise SecretUnavailable(f"{name} is not JSON") from None
    if not isinstance(data, dict):
        raise SecretUnavailable(f"{name} is not a JSON object")
    return data


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _registry_of(name: str) -> str:
    host = name.partition("://")[2] or name
    return host.partition("/")[0].removesuffix(":443")


def _decode_entry(entry: Mapping[str, Any], name: str, authority: str, login: str) -> tuple[str, str]:
    if entry.get("identitytoken"):
        return _IDENTITY_TOKEN_USER, ""
    if not entry.get("auth"):
        if entry.get("username"):
            return str(entry["username"]), str(entry.get("password") or "")
        raise NotLoggedIn(f"{name} has no login for {authority}", next_step=login)
    try:
        user, colon, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise SecretUnavailable(f"the login for {authority} in {name} is not Base64 of user:password") from None
    # Docker pads with NUL bytes in old files.
    return user, password.rstrip("\x00") if colon else ""


def _ask_helper(helper: str, server: str, login: str) -> tuple[str, str]:
    program = f"docker-credential-{helper}"
    if not _HELPER_NAME.fullmatch(helper):
        raise SecretUnavailable("the credential helper that docker's configuration names is not a program name")
    try:
        answer = subprocess.run(
            [program, "get"], input=server, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise SecretUnavailable(f"{program}, which docker's configuration names, is not installed") from None
    except (OSError, UnicodeDecodeError):
        raise SecretUnavailable(f"{program} can't be used") from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"{program} gave no answer in {_HELPER_SECONDS:.0f} s") from None
    if answer.returncode != 0:
        what = f"{program} has no login for {server} (exit code {answer.returncode})"
        raise NotLoggedIn(what, next_step=login)
    data = _json_object(answer.stdout, f"the answer of {program}")
    return str(data.get("Username") or ""), str(data.get("Secret") or "")


def _from_keyring(rest: str) -> Secret:
    service, _, user = rest.partition("/")
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise SecretUnavailable(
            "the part that reads the system's keyring is not installed",
            next_step="Install it: pip install 'cargo-runbook[keyring]'",
        ) from None
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SecretUnavailable(f"the system's keyring can't be used ({type(error).__name__})") from None
    if not value:
        step = f"Put it there: keyring set {service} {user}"
        raise SecretUnavailable(f"the keyring has nothing for {user} in {service}", next_step=step)
    return Secret(value)
