"""Bearer tokens that were received: kept in memory for the next request, named by reference everywhere else."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import jwt

from cargo_runbook.secret import Redactor, Secret

_LABEL = "token, left out: whoever reads it can use it"


class TokenVault:
    """The tokens of one connection object. They leave it only in an Authorization header."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lock = threading.Lock()
        self._tokens: dict[str, Secret] = {}

    def get(self, reference: str) -> Secret | None:
        """The token of `token:<sha256>`."""
        with self._lock:
            return self._tokens.get(reference)

    def keep(self, body: bytes) -> dict[str, Any] | None:
        """Takes the tokens out of a token service's answer (distribution specification, token authentication).

        All tokens in it become known to the redactor.

        Returns:
            `{"ref": "token:<sha256>", "header": {...}, "claims": {...}, "expires_in": seconds or None}`; header and
            claims are empty when the token is no JWT. None when the body holds no token.
        """
        try:
            answer = json.loads(body)
        except ValueError:
            return None
        if not isinstance(answer, dict):
            return None
        kept = ""
        for name in ("refresh_token", "access_token", "token"):
            value = answer.get(name)
            if isinstance(value, str) and value:
                self._redactor.register(Secret(value), _LABEL)
                if name != "refresh_token":
                    kept = value
        if not kept:
            return None
        reference = f"token:{hashlib.sha256(kept.encode()).hexdigest()}"
        with self._lock:
            self._tokens[reference] = Secret(kept)
        header, claims = _parts(kept)
        return {"ref": reference, "header": header, "claims": claims, "expires_in": answer.get("expires_in")}


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, unverified: whether the registry accepts it is the registry's business."""
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}, {}
    return dict(parts["header"]), dict(parts["payload"])
