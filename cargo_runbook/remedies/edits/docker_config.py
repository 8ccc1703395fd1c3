"""Docker's config.json: the login of one registry, as `docker login` saves it (docker/cli docs, "Credential stores")."""

from __future__ import annotations

import base64
import json

from cargo_runbook.inventory.credentials import Login


class HasStore(ValueError):
    """A credential store or helper keeps the logins, so that one in the file would not be used."""


def set_login(text: str, authority: str, login: Login) -> str:
    """The configuration with that login for `authority`; everything else in it stays.

    Raises:
        HasStore: a credential store or a helper for that registry is configured.
        ValueError: it is no JSON object.
    """
    body = json.loads(text) if text.strip() else {}
    if not isinstance(body, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - what the file says is wrong, not a type
    if body.get("credsStore") or authority in (body.get("credHelpers") or {}):
        raise HasStore(authority)
    auth = base64.b64encode(f"{login.username}:{login.password.reveal()}".encode()).decode()
    auths = {**(body.get("auths") or {}), authority: {"auth": auth}}
    # Docker writes tabs and no newline at the end.
    return json.dumps({**body, "auths": auths}, indent="\t", ensure_ascii=False)
