"""What all parts of Harbor's API share: who asks, refusals as Harbor words them, pages, JSON."""

from __future__ import annotations

import hmac
import json
import secrets
import time
import urllib.parse
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from cargo_sandbox.services.harbor_database import Database, Row, Tables, row
from cargo_sandbox.services.registry_token import credentials
from cargo_sandbox.services.web import Request, Response

FAILED_LOGIN_SECONDS = 1.5  # Harbor makes guessing slow
MOST_ON_A_PAGE = 500
PROJECT_ADMIN, DEVELOPER, GUEST = 1, 2, 3
SESSION = "beegosessionID"


class Refused(Exception):
    """An answer that is not 200: its status and its text."""

    def __init__(self, status: int, text: str = "\n") -> None:
        super().__init__(f"{status} {text}".strip())
        self.response = Response.text(status, text) if text else Response(status)


@dataclass(frozen=True)
class Account:
    user_id: int
    name: str
    admin: bool


@dataclass
class Accounts:
    """Log-ins by session cookie and by Basic credentials."""

    database: Database
    sessions: MutableMapping[str, str] = field(default_factory=dict)

    def authenticate(self, user: str, password: str) -> Account | None:
        """The account, when the password is right; a wrong one takes its time.

        Raises:
            DatabaseDown: the database can't be asked.
        """
        known = row(self.database.read()["users"], "username", user)
        if known is None or not hmac.compare_digest(password.encode(), str(known["password"]).encode()):
            time.sleep(FAILED_LOGIN_SECONDS)
            return None
        return _account(known)

    def open(self, account: Account) -> str:
        """A new session of the account."""
        session = secrets.token_hex(16)
        self.sessions[session] = account.name
        return session

    def close(self, request: Request) -> None:
        """End the session of the request."""
        self.sessions.pop(session_of(request), None)

    def who(self, request: Request) -> Account | None:
        """Who asks; None for anonymous.

        Raises:
            DatabaseDown: the database can't be asked.
        """
        name = self.sessions.get(session_of(request))
        if name is not None:
            known = row(self.database.read()["users"], "username", name)
            return _account(known) if known else None
        basic = credentials(request.headers.get("Authorization", ""))
        return self.authenticate(*basic) if basic else None


def _account(user: Row) -> Account:
    return Account(int(user["user_id"]), str(user["username"]), bool(user["has_admin_role"]))


def session_of(request: Request) -> str:
    """The session id of a request; empty without one."""
    cookie = SimpleCookie(request.headers.get("Cookie", "")).get(SESSION)
    return cookie.value if cookie else ""


@dataclass(frozen=True)
class Call:
    """One request to the API: who asks, and the parts of the path that the route names."""

    request: Request
    account: Account | None
    parts: tuple[str, ...] = ()

    def signed_in(self) -> Account:
        """The account; 401 for anonymous."""
        if self.account is None:
            raise Refused(401)
        return self.account

    def admin(self) -> Account:
        """The account of a system administrator; 401 or 403 for others."""
        account = self.signed_in()
        if not account.admin:
            raise Refused(403)
        return account

    def body(self) -> dict[str, Any]:
        """The body, a JSON object; else 400."""
        try:
            body = json.loads(self.request.body)
        except ValueError as error:
            raise Refused(400, "Invalid json request") from error
        if not isinstance(body, dict):
            raise Refused(400, "Invalid json request")
        return body

    def number(self, index: int = 0) -> int:
        return int(self.parts[index])

    def integer(self, name: str, default: int) -> int:
        """A query parameter that is a number of 1 or more; else 400."""
        text = self.request.parameter(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            number = 0
        if number < 1:
            raise Refused(400, f"invalid {name}")
        return number

    def page(self, rows: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
        """The page that was asked for, with the headers X-Total-Count and Link."""
        page = self.integer("page", 1)
        size = self.integer("page_size", MOST_ON_A_PAGE)
        size = min(size, MOST_ON_A_PAGE)
        headers = {"X-Total-Count": str(len(rows))}
        links = []
        if page > 1 and (page - 2) * size < len(rows):
            links.append(self._link(page - 1, "prev"))
        if page * size < len(rows):
            links.append(self._link(page + 1, "next"))
        if links:
            headers["Link"] = ", ".join(links)
        return list(rows[(page - 1) * size : page * size]), headers

    def _link(self, page: int, relation: str) -> str:
        query = {**self.request.query, "page": [str(page)]}
        text = urllib.parse.urlencode(sorted(query.items()), doseq=True)
        return f'<{self.request.path.rstrip("/")}?{text}>; rel="{relation}"'


Handler = Callable[[Call], Response]


def role_in(project: Row, account: Account | None) -> int:
    """The role of a member (1 to 3); 0 for others."""
    members = project["members"]
    member = row(members, "user_id", account.user_id) if account else None
    return int(member["role"]) if member else 0


def may_see(project: Row, account: Account | None) -> bool:
    """Whether the project is public, or the account a member or system administrator."""
    return bool(project["public"] or (account and account.admin) or role_in(project, account))


def administers(project: Row, account: Account | None) -> bool:
    """Whether the account is an administrator of the project or of the system."""
    return bool((account and account.admin) or role_in(project, account) == PROJECT_ADMIN)


def project_of(tables: Tables, number: int) -> Row:
    """A project by id; else 404."""
    project = row(tables["projects"], "project_id", number)
    if project is None:
        raise Refused(404, f"project {number} not found\n")
    return project


def pretty(body: Any, *, headers: dict[str, str] | None = None) -> Response:
    """Harbor 1.4 indents its JSON by two blanks."""
    return Response(200, json.dumps(body, indent=2).encode(), "application/json; charset=utf-8", headers or {})


def created(place: str) -> Response:
    """201 with the place of what was made."""
    return Response(201, headers={"Location": place})
