"""A closer look at an environment that is valid by itself: do the things that it names exist on this machine?"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from cargo_runbook.errors import InventoryError, SecretUnavailable
from cargo_runbook.inventory.credentials import resolve
from cargo_runbook.inventory.models import Environment
from cargo_runbook.texts import tell


@dataclass(frozen=True)
class CloserLook:
    """`problems` make the file wrong; `notes` are missing now, but may be there when a diagnosis runs."""

    problems: tuple[InventoryError, ...] = ()
    notes: tuple[InventoryError, ...] = ()


def look_closer(environment: Environment) -> CloserLook:
    """Look for the CA file and the passwords. Sends nothing anywhere; shows no secret."""
    notes: list[InventoryError] = []
    for index, account in enumerate(environment.accounts):
        try:
            resolve(environment, account)
        except SecretUnavailable as error:
            key = f"accounts[{index}].password"
            said = tell(f"password of {account.name}: {error.what}", f"{account.name} 的密码：{error.what}")
            notes.append(_error(environment, key, said, error.next_step))
    ca = _ca_problem(environment)
    return CloserLook((_error(environment, "ca", ca),) if ca else (), tuple(notes))


def _ca_problem(environment: Environment) -> str:
    if not environment.ca:
        return ""
    path = environment.path(environment.ca)
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        return tell(f"ca: {path} holds no certificate in PEM form", f"ca：{path} 中没有 PEM 格式的证书")
    except OSError as error:
        return tell(f"ca: {path} can't be read: {error.strerror}", f"ca：无法读取 {path}：{error.strerror}")
    return ""


def _error(environment: Environment, key: str, sentence: str, next_step: str = "") -> InventoryError:
    return InventoryError(
        sentence, file=str(environment.file), line=environment.line_of(key), key=key, next_step=next_step
    )
