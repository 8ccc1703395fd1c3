"""Where an SSH alias leads: HostName, User, Port, keys, known_hosts files and jump hosts from ~/.ssh/config.

Host keys are always checked: `StrictHostKeyChecking` of the configuration is not read.
"""

from __future__ import annotations

import getpass
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from cargo_runbook.connections.base import Failure
from cargo_runbook.observations import Status
from cargo_runbook.texts import Text

DEFAULT_CONFIG = Path("~/.ssh/config")
_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts")
_INCLUDE = re.compile(r"^\s*include(?:\s+|\s*=\s*)(.+?)\s*$", re.IGNORECASE)
_INCLUDE_DEPTH = 8
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^]]+\]|[^:/]+)(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Target:
    """One SSH server.

    Args:
        host: name or address to connect to.
        key_name: name under which known_hosts has its key.
        explicit_keys: the configuration names the key files; then a missing one is worth a word.
        only_these: offer the agent's keys or not (IdentitiesOnly).
    """

    alias: str
    host: str
    port: int
    user: str
    key_name: str
    key_files: tuple[str, ...]
    explicit_keys: bool
    only_these: bool
    known_hosts: tuple[str, ...]

    def __str__(self) -> str:
        return self.alias if self.alias == self.host else f"{self.alias} ({self.host}:{self.port})"


Route = tuple[Target, ...]
"""The jump hosts in order, and last the target."""


def default_keys() -> tuple[Path, ...]:
    """The key files that are tried where the configuration names none."""
    return tuple(Path(key).expanduser() for key in _DEFAULT_KEYS)


class SshConfig:
    """The operator's SSH client configuration.

    Args:
        path: file to read; a file that is not there counts as an empty one.
    """

    def __init__(self, path: Path = DEFAULT_CONFIG) -> None:
        self._path = path.expanduser()

    def route(self, alias: str) -> Route:
        """The way to `alias`. The file is read each time, so that an edit counts at the next connection.

        Raises:
            Failure: the file can't be understood, a jump host leads back to itself, or a ProxyCommand is asked for.
        """
        try:
            config = paramiko.SSHConfig.from_text("\n".join(_lines(self._path)))
            return self._route(config, alias, "", 0, ())
        except (paramiko.ssh_exception.ConfigParseError, paramiko.ssh_exception.CouldNotCanonicalize) as error:
            raise Failure(
                Status.ERROR,
                "ssh_config",
                Text(f"{self._path} can't be understood: {error}", f"无法解析 {self._path}：{error}"),
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                Status.ERROR,
                "ssh_config",
                Text(f"{self._path} can't be read: {error}", f"无法读取 {self._path}：{error}"),
            ) from error

    def _route(
        self,
        config: paramiko.SSHConfig,
        alias: str,
        user: str,
        port: int,
        seen: tuple[str, ...],
        *,
        direct: bool = False,
    ) -> Route:
        if alias in seen:
            raise Failure(
                Status.ERROR,
                "ssh_config",
                Text(f"the jump hosts of {seen[0]} lead back to {alias}", f"{seen[0]} 的跳板机又绕回 {alias}"),
            )
        # Untyped in paramiko's stubs: a dict of strings, with a list for identityfile.
        settings: Any = config.lookup(alias)
        if settings.get("proxycommand", "none").lower() != "none":
            sentence = Text(
                f"the SSH configuration of {alias} has a ProxyCommand; use ProxyJump instead",
                f"{alias} 的 SSH 配置使用了 ProxyCommand；请改用 ProxyJump",
            )
            raise Failure(Status.ERROR, "ssh_config", sentence)
        target = _target(alias, settings, user, port)
        jumps = settings.get("proxyjump", "none")
        if direct or jumps.lower() == "none":
            return (target,)
        route: Route = ()
        for number, word in enumerate(jumps.split(",")):
            hop = _HOP.fullmatch(word.strip())
            if hop is None:
                raise Failure(
                    Status.ERROR,
                    "ssh_config",
                    Text(
                        f"the jump host {word!r} of {alias} can't be understood", f"无法解析 {alias} 的跳板机 {word!r}"
                    ),
                )
            name = hop["host"].strip("[]")
            # As OpenSSH does: only the first hop is reached by its own jump hosts.
            route += self._route(
                config, name, hop["user"] or "", int(hop["port"] or 0), (*seen, alias), direct=number > 0
            )
        return (*route, target)


def _target(alias: str, settings: Any, user: str, port: int) -> Target:
    host = settings.get("hostname", alias)
    number = port or int(settings.get("port", 22))
    name = settings.get("hostkeyalias", "") or (host if number == 22 else f"[{host}]:{number}")
    keys = tuple(settings.get("identityfile", ()))
    known = tuple(settings.get("userknownhostsfile", "").split()) or _DEFAULT_KNOWN_HOSTS
    return Target(
        alias=alias,
        host=host,
        port=number,
        user=user or settings.get("user", "") or getpass.getuser(),
        key_name=name,
        key_files=tuple(str(Path(key).expanduser()) for key in keys or _DEFAULT_KEYS),
        explicit_keys=bool(keys),
        only_these=settings.get("identitiesonly", "no").lower() == "yes",
        known_hosts=tuple(str(Path(file.strip('"')).expanduser()) for file in known),
    )


def _lines(path: Path, depth: int = 0) -> Iterator[str]:
    """The lines of a configuration file with `Include` replaced by what it names, which paramiko does not do."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        include = _INCLUDE.match(line)
        if include is None:
            yield line
        elif depth < _INCLUDE_DEPTH:
            for word in include[1].split():
                pattern = os.path.expanduser(word.strip('"'))  # noqa: PTH111 - a pattern, no path yet
                for name in sorted(glob.glob(str(Path("~/.ssh").expanduser() / pattern))):  # noqa: PTH207 - absolute
                    yield from _lines(Path(name), depth + 1)
