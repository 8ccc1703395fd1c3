"""The login that `docker login` left on the operator: in its configuration, or with a credential helper."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cargo_runbook.errors import NotLoggedIn, SecretUnavailable
from cargo_runbook.inventory.models import Account, Environment
from cargo_runbook.secret import Secret
from cargo_runbook.texts import tell

_HELPER_SECONDS = 15.0
_HELPER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What Docker's helpers and config files write in place of a user name when they hold an identity token.
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - a marker, not a password


def docker_config_path(account: Account, environment: Environment, variables: Mapping[str, str] | None = None) -> Path:
    """The configuration of docker with the login of an account whose password is `docker-config[:PATH]`."""
    values, path = os.environ if variables is None else variables, account.password.partition(":")[2]
    if path:
        named = environment.path(path)
        return named / "config.json" if named.is_dir() else named
    folder = values.get("DOCKER_CONFIG") or f"{values.get('HOME') or Path.home()}/.docker"
    return Path(folder) / "config.json"


def docker_login(path: Path, authority: str, username: str) -> tuple[str, Secret]:
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
        raise SecretUnavailable(
            tell(
                f"{path} has an identity token for {authority}, not a password",
                f"{path} 中 {authority} 的登录是 identity token，不是密码",
            ),
            next_step=login,
        )
    if username and user != username:
        raise SecretUnavailable(
            tell(
                f'{path} has the user "{user}" for {authority}, not "{username}"',
                f"{path} 中 {authority} 的用户是 “{user}”，不是 “{username}”",
            ),
            next_step=login,
        )
    if not password:
        raise SecretUnavailable(
            tell(f"{path} has no password for {authority}", f"{path} 中没有 {authority} 的密码"), next_step=login
        )
    return user, Secret(password)


def _read_text(path: Path, login: str) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise NotLoggedIn(
            tell(f"{path} is not there: docker has no login", f"{path} 不存在：docker 没有登录"), next_step=login
        ) from None
    except OSError as error:
        raise SecretUnavailable(
            tell(f"{path} can't be read: {error.strerror}", f"无法读取 {path}：{error.strerror}"), next_step=login
        ) from None
    except UnicodeDecodeError:
        raise SecretUnavailable(tell(f"{path} is not UTF-8 text", f"{path} 不是 UTF-8 文本")) from None


def _json_object(text: str, name: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        # Without a cause: the JSON error carries the whole text.
        raise SecretUnavailable(tell(f"{name} is not JSON", f"{name} 不是 JSON")) from None
    if not isinstance(data, dict):
        raise SecretUnavailable(tell(f"{name} is not a JSON object", f"{name} 不是 JSON 对象"))
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
        raise NotLoggedIn(
            tell(f"{name} has no login for {authority}", f"{name} 中没有 {authority} 的登录"), next_step=login
        )
    try:
        user, colon, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise SecretUnavailable(
            tell(
                f"the login for {authority} in {name} is not Base64 of user:password",
                f"{name} 中 {authority} 的登录不是 user:password 的 Base64",
            )
        ) from None
    # Docker pads with NUL bytes in old files.
    return user, password.rstrip("\x00") if colon else ""


def _ask_helper(helper: str, server: str, login: str) -> tuple[str, str]:
    program = f"docker-credential-{helper}"
    if not _HELPER_NAME.fullmatch(helper):
        raise SecretUnavailable(
            tell(
                "the credential helper that docker's configuration names is not a program name",
                "docker 配置中的凭据助手不是有效的程序名",
            )
        )
    try:
        answer = subprocess.run(
            [program, "get"], input=server, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise SecretUnavailable(
            tell(
                f"{program}, which docker's configuration names, is not installed",
                f"docker 配置指定的 {program} 没有安装",
            )
        ) from None
    except (OSError, UnicodeDecodeError):
        raise SecretUnavailable(tell(f"{program} can't be used", f"无法使用 {program}")) from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(
            tell(
                f"{program} gave no answer in {_HELPER_SECONDS:.0f} s",
                f"{program} 在 {_HELPER_SECONDS:.0f} 秒内没有应答",
            )
        ) from None
    if answer.returncode != 0:
        what = f"{program} has no login for {server} (exit code {answer.returncode})"
        raise NotLoggedIn(what, next_step=login)
    data = _json_object(answer.stdout, f"the answer of {program}")
    return str(data.get("Username") or ""), str(data.get("Secret") or "")
