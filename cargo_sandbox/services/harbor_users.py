"""Harbor's API: log-in, users, and what Harbor says of itself."""

from __future__ import annotations

import json
import shutil
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cargo_sandbox.services.harbor_api import SESSION, Accounts, Call, Refused, created, pretty
from cargo_sandbox.services.harbor_database import Database, DatabaseDown, Row, insert, row
from cargo_sandbox.services.web import Response

VERSION = "v1.4.1"
EXPIRED = f"{SESSION}=; Path=/; Max-Age=0; HttpOnly"


@dataclass(frozen=True)
class Users:
    """`domain` is what clients call this Harbor."""

    domain: str
    database: Database
    accounts: Accounts

    def system_info(self, call: Call) -> Response:
        try:
            restriction = self.database.read()["settings"]["project_creation_restriction"]
        except DatabaseDown:
            raise Refused(500, "Unexpected error") from None
        info = {
            "with_notary": False,
            "with_clair": False,
            "with_admiral": False,
            "admiral_endpoint": "NA",
            "auth_mode": "db_auth",
            "registry_url": self.domain,
            "project_creation_restriction": restriction,
            "self_registration": True,
            "has_ca_root": False,
            "harbor_version": VERSION,
            "next_scan_all": 0,
            "registry_storage_provider_name": "filesystem",
        }
        return pretty(info)

    def volumes(self, call: Call) -> Response:
        call.admin()
        folder = Path(self.database.file.parent)
        usage = shutil.disk_usage(folder if folder.exists() else "/")
        return pretty({"storage": {"total": usage.total, "free": usage.free}})

    def certificate(self, call: Call) -> Response:
        call.admin()
        raise Refused(404, "No certificate found.")

    def login(self, call: Call) -> Response:
        """Credentials come as a form, as JSON, or in the query. A database that is down looks like a wrong password."""
        given = _fields(call)
        try:
            account = self.accounts.authenticate(given.get("principal", ""), given.get("password", ""))
        except DatabaseDown:
            account = None
        if account is None:
            return Response(401)
        session = self.accounts.open(account)
        return Response(200, headers={"Set-Cookie": f"{SESSION}={session}; Path=/; HttpOnly"})

    def log_out(self, call: Call) -> Response:
        self.accounts.close(call.request)
        return Response(200, headers={"Set-Cookie": EXPIRED})

    def current(self, call: Call) -> Response:
        account = call.signed_in()
        user = row(self.database.read()["users"], "user_id", account.user_id)
        return pretty(_shown(user or {}))

    def all(self, call: Call) -> Response:
        if not call.signed_in().admin:
            raise Refused(403, "User does not have admin role\n")
        others = [user for user in self.database.read()["users"] if user["user_id"] != 1]
        page, headers = call.page([_shown(user) for user in others])
        return pretty(page, headers=headers)

    def create(self, call: Call) -> Response:
        wanted = call.body()
        with self.database.change() as tables:
            if row(tables["users"], "username", wanted["username"]):
                raise Refused(409, "username has already been used!\n")
            values = {key: wanted.get(key, "") for key in ("username", "email", "password", "realname", "comment")}
            number = insert(tables, "users", "user_id", {**values, "has_admin_role": 0})
        return created(f"/api/users/{number}")

    def delete(self, call: Call) -> Response:
        call.admin()
        with self.database.change() as tables:
            user = row(tables["users"], "user_id", call.number())
            if user is None:
                raise Refused(404, f"user {call.number()} not found\n")
            tables["users"].remove(user)
        return Response(200)


def _fields(call: Call) -> dict[str, str]:
    request = call.request
    given: dict[str, Any] = {name: values[0] for name, values in request.query.items()}
    text = request.body.decode(errors="replace")
    try:
        body = json.loads(text or "{}")
    except ValueError:
        body = {name: values[0] for name, values in urllib.parse.parse_qs(text).items()}
    return {name: str(value) for name, value in (given | (body if isinstance(body, dict) else {})).items()}


def _shown(user: Row) -> Row:
    return {
        **{key: user[key] for key in ("user_id", "username", "email")},
        "password": "",
        **{key: user[key] for key in ("realname", "comment")},
        "deleted": 0,
        "role_name": "",
        "role_id": 0,
        **{key: user[key] for key in ("has_admin_role",)},
        "reset_uuid": "",
        **{key: user[key] for key in ("creation_time", "update_time")},
    }
