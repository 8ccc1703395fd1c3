"""The registry's `config.yml`, the part about tokens (Docker registry configuration, `auth.token`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cargo_runbook.facts.yaml_text import read_yaml


@dataclass(frozen=True)
class TokenAuth:
    """What the registry expects of a token, and where it sends clients to fetch one. Empty when not set."""

    realm: str
    service: str
    issuer: str
    rootcertbundle: str


def read_token_auth(text: str) -> TokenAuth | None:
    """`auth.token` of a registry configuration; None when the text is no YAML or has no such part.

    Harbor 2.x has `auth.htpasswd` there: its challenge comes from Harbor core, and this returns None.
    """
    document = read_yaml(text)
    auth: Any = document.get("auth") if isinstance(document, Mapping) else None
    token = auth.get("token") if isinstance(auth, Mapping) else None
    if not isinstance(token, Mapping):
        return None
    return TokenAuth(*(str(token.get(key, "") or "") for key in ("realm", "service", "issuer", "rootcertbundle")))
