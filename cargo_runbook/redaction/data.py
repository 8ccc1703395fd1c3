"""Which fields of JSON-like data hold a secret as a whole."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cargo_runbook.redaction.shapes import sensitive_key

_ASKED = ("value", "auth")


def sensitive_item(around: Mapping[Any, Any], key: str, value: Any) -> str:
    """The label for `value`, which stands under `key` in `around`; empty when it is no secret as a whole.

    Knows names of keys (`redaction/shapes.yml`), named values (`{"name": "DB_PASSWORD", "value": ...}`), the `auth` of a
    docker login, and the values of password fields that a notebook shows.
    """
    if label := sensitive_key(key):
        return label
    lower = key.lower()
    if lower == "value":
        if str(around.get("_model_name", "")) == "PasswordModel":
            return "password"
        named = around.get("name", around.get("key", ""))
        return sensitive_key(named.replace("-", "_") if "_" in named else named) if isinstance(named, str) else ""
    if lower == "auth" and isinstance(value, str):
        return "credentials" if _is_login(value) else ""
    return ""


@lru_cache(maxsize=4096)
def says_nothing(key: str) -> bool:
    """Whether a key is a name that no secret stands under as a whole, whatever is around it: most keys are."""
    return key.isidentifier() and key.lower() not in _ASKED and not sensitive_key(key)


def _is_login(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
