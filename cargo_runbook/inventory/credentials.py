"""Credential references of an environment file -> the secrets that they mean.

`env:NAME`, `file:PATH`, `docker-config:[PATH]`, `keyring:SERVICE/USER`. A reference is resolved when it is needed and
not before; every failure is a sentence that names the file and line of the reference, and never shows a value.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_runbook.errors import SecretUnavailable
from cargo_runbook.inventory.docker_login import docker_config_path, docker_login
from cargo_runbook.inventory.models import Account, Environment
from cargo_runbook.redaction.shapes import sensitive_name
from cargo_runbook.secret import Secret
from cargo_runbook.texts import tell

_MAX_SECRET_BYTES = 64 * 1024


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
    path = docker_config_path(account, environment, values)
    return Login(*docker_login(path, environment.authority, account.username))


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
    scheme = account.password.partition(":")[0]
    return tell(f"{place}: password of {account.name} ({scheme})", f"{place}: {account.name} 的密码（{scheme}）")


def _from_variable(name: str, values: Mapping[str, str]) -> Secret:
    value = values.get(name, "")
    if not value:
        state = "is empty" if name in values else "is not set"
        raise SecretUnavailable(
            tell(f"the variable {name} {state}", f"变量 {name} {'为空' if name in values else '没有设置'}"),
            next_step=tell(f"Set it: read -rs {name} && export {name}", f"设置：read -rs {name} && export {name}"),
        )
    return Secret(value)


def _from_file(path: Path) -> Secret:
    return Secret(_one_line(_read_private(path), path))


def _read_private(path: Path) -> str:
    # O_NONBLOCK: a named pipe must not hang the run before it can be refused.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SecretUnavailable(
            tell(f"{path} can't be read: {error.strerror}", f"无法读取 {path}：{error.strerror}")
        ) from None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise SecretUnavailable(tell(f"{path} is not a file", f"{path} 不是文件"))
        mode = stat.S_IMODE(state.st_mode)
        # A secret that somebody else mounted (owner: not this user) can't be closed by this user.
        if mode & 0o077 and state.st_uid == os.getuid():
            raise SecretUnavailable(
                tell(f"{path} can be read by others (mode {mode:04o})", f"{path} 可被他人读取（权限 {mode:04o}）"),
                next_step=f"chmod 600 {path}",
            )
        content = os.read(descriptor, _MAX_SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MAX_SECRET_BYTES:
        raise SecretUnavailable(
            tell(f"{path} is longer than {_MAX_SECRET_BYTES} bytes", f"{path} 超过 {_MAX_SECRET_BYTES} 字节")
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SecretUnavailable(tell(f"{path} is not UTF-8 text", f"{path} 不是 UTF-8 文本")) from None


def _one_line(text: str, path: Path) -> str:
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretUnavailable(tell(f"{path} is empty", f"{path} 为空"))
    return value


def _from_keyring(rest: str) -> Secret:
    service, _, user = rest.partition("/")
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise SecretUnavailable(
            tell("the part that reads the system's keyring is not installed", "没有安装读取系统密钥环的组件"),
            next_step=tell(
                "Install it: pip install 'cargo-runbook[keyring]'", "安装：pip install 'cargo-runbook[keyring]'"
            ),
        ) from None
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise SecretUnavailable(
            tell(
                f"the system's keyring can't be used ({type(error).__name__})",
                f"无法使用系统密钥环（{type(error).__name__}）",
            )
        ) from None
    if not value:
        step = tell(f"Put it there: keyring set {service} {user}", f"存入：keyring set {service} {user}")
        raise SecretUnavailable(
            tell(f"the keyring has nothing for {user} in {service}", f"密钥环的 {service} 中没有 {user}"),
            next_step=step,
        )
    return Secret(value)
