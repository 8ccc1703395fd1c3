"""Requests to Harbor's and Cargo-Admin's API that change something: those of a short list, and nothing else.

The third part of `changing`, with the same rules: nothing of it can be reached from a diagnosis. Harbor is asked as
the administrator that the inventory names; the password goes to the environment's own domain only, over https.
Sources: Harbor 1.4's swagger.yaml (recorded answers decide where it differs); Cargo-Admin's `/api/v2`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from cargo_runbook.connections.base import Look
from cargo_runbook.connections.network.http import HttpConnection
from cargo_runbook.connections.network.sockets import Names
from cargo_runbook.connections.network.tls import Trust
from cargo_runbook.errors import ConnectionFailed, UsageError
from cargo_runbook.inventory.credentials import login_of
from cargo_runbook.inventory.models import AccountKind, Environment
from cargo_runbook.observations import HttpRequest, Observation
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import say, tell

SECONDS = 15.0

_N = "[0-9]{1,9}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = r"[A-Za-z0-9._@-]+"


class Service(StrEnum):
    """Whose API is meant."""

    HARBOR = "harbor"
    CARGO_ADMIN = "cargo-admin"


_ALLOWED = {
    Service.HARBOR: (
        ("PUT", "/api/jobs/replication", {"policy_id", "status"}),
        ("POST", "/api/replications", {"policy_id"}),
        ("PUT", f"/api/targets/{_N}", {"endpoint"}),
        ("POST", "/api/projects", {"project_name", "metadata"}),
        ("DELETE", f"/api/projects/{_N}", set()),
    ),
    Service.CARGO_ADMIN: (("POST", rf"/api/v2/replications/{_WORD}/action", {"action"}),),
}
"""Method, path, and the fields that the body may have."""


@dataclass(frozen=True)
class Row:
    """Where a number of a path comes from when it is not known before: `field` of the row of `path` whose `key` is
    `value`. It stands in the request's path as `{row}`."""

    path: str
    key: str
    value: str
    field: str


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """A request that changes something.

    Args:
        environment: name of the environment whose API is meant.
        body: JSON text; no secret stands in it.
        already: statuses that say that it has been done before, such as 409 for what exists.
        row: see `Row`; a row that is not there (any more) is as good as `already`.
    """

    service: Service
    environment: str
    method: str
    path: str
    body: str = ""
    already: tuple[int, ...] = ()
    row: Row | None = None

    def __str__(self) -> str:
        path = self.path.replace("{row}", f"({self.row.field} of {self.row.value})") if self.row else self.path
        return " ".join(part for part in (self.method, path, self.body) if part)

    def to_json(self) -> dict[str, Any]:
        """As data; see `request_from`."""
        return {
            **{key: str(getattr(self, key)) for key in ("service", "environment", "method", "path", "body")},
            "already": list(self.already),
            "row": vars(self.row) if self.row else None,
        }


def request_from(body: dict[str, Any]) -> ApiRequest:
    """The inverse of `ApiRequest.to_json`."""
    row = Row(**body["row"]) if body["row"] else None
    known = {**body, "service": Service(body["service"]), "already": tuple(body["already"]), "row": row}
    return ApiRequest(**known)


class ApiCalls:
    """The APIs of one environment and of its neighbours (the destination of a replication).

    Args:
        environment: as which `open_other` is not asked.
        open_other: another environment of the inventory by name.
        redactor: what comes back passes through it.
    """

    def __init__(
        self, environment: Environment, open_other: Callable[[str], Environment], redactor: Redactor | None = None
    ) -> None:
        self._environments = {environment.name: environment}
        self._open_other = open_other
        self._redactor = redactor or Redactor()
        self._connections: dict[str, HttpConnection] = {}

    def send(self, request: ApiRequest) -> None:
        """Sends it.

        Raises:
            UsageError: it is not one that a plan may have.
            ConnectionFailed: it was refused, or no answer came.
        """
        if request.row is not None:
            number = self._number(request, request.row)
            if number is None:
                return
            request = replace(request, path=request.path.replace("{row}", number), row=None)
        if not (_allowed(request) or _is_role_request(request, self._environment(request.environment))):
            raise UsageError(tell(f"{request} is no request that a plan may have", f"{request} 不是方案允许的请求"))
        seen = self._ask(request.service, request.environment, request.path, request.method, request.body)
        status = int(seen.data.get("status", 0) or 0)
        if not 200 <= status < 300 and status not in request.already:
            raise ConnectionFailed(
                tell(f"{request.method} {request.path} was not done", f"{request.method} {request.path} 没有完成"),
                vantage=f"{request.service} of {request.environment}",
                seen=tell(
                    f"answered {status}: {seen.output.strip()[:200]}", f"返回 {status}：{seen.output.strip()[:200]}"
                )
                if status
                else say(seen.complaint),
            )

    def look(self, service: Service, environment: str, path: str) -> Observation:
        """The answer to a GET."""
        return self._ask(service, environment, path, "GET", "")

    def rows(self, service: Service, environment: str, path: str) -> list[dict[str, Any]]:
        """The objects of a list; Harbor says `null` where none matches.

        Raises:
            ConnectionFailed: no list came.
        """
        seen = self.look(service, environment, path)
        try:
            body = json.loads(seen.output) if seen.data.get("status") == 200 else ...
        except ValueError:
            body = ...
        if body is not None and not isinstance(body, list):
            raise ConnectionFailed(
                tell(f"{path} could not be listed", f"无法列出 {path}"),
                vantage=f"{service} of {environment}",
                seen=tell(f"answered {seen.data['status']}", f"返回 {seen.data['status']}")
                if seen.data.get("status")
                else say(seen.complaint),
            )
        return [row for row in body or () if isinstance(row, dict)]

    def _number(self, request: ApiRequest, row: Row) -> str | None:
        listed = self.rows(request.service, request.environment, row.path)
        found = [str(each.get(row.field, "")) for each in listed if each.get(row.key) == row.value]
        return found[0] if found else None

    def _ask(self, service: Service, environment: str, path: str, method: str, body: str) -> Observation:
        known = self._environment(environment)
        if service is Service.CARGO_ADMIN:
            if known.cargo_admin is None:
                raise ConnectionFailed(
                    tell(
                        f"the inventory does not say where Cargo-Admin of {environment} is",
                        f"环境清单没有写明 {environment} 的 Cargo-Admin 地址",
                    ),
                    next_step=tell(
                        f"Add it to {known.file}: cargo_admin: {{url: …}}",
                        f"请在 {known.file} 中添加：cargo_admin: {{url: …}}",
                    ),
                )
            question = HttpRequest(
                url=f"{known.cargo_admin.url.rstrip('/')}{path}", method=method, body=body, deadline=SECONDS
            )
        else:
            admin = known.account(AccountKind.ADMIN)
            if admin is None:
                raise ConnectionFailed(
                    tell(
                        f"the inventory has no administrator for Harbor of {environment}",
                        f"环境清单中没有 {environment} 的 Harbor 管理员",
                    ),
                    next_step=tell(
                        f"Add an account of kind admin to {known.file}.",
                        f"请在 {known.file} 中添加 kind 为 admin 的账号。",
                    ),
                )
            url = f"https://{known.authority}{path}"
            question = HttpRequest(url=url, method=method, body=body, account=admin.name, deadline=SECONDS)
        connection = self._connection(known)
        seen = connection.ask(Look(question, self._redactor), question)
        if seen.data.get("reason") == "name_not_resolved":
            address = (*known.addresses, known.hosts[0].address)[0]
            question = replace(question, connect_to=address)
            seen = connection.ask(Look(question, self._redactor), question)
        return seen

    def _environment(self, name: str) -> Environment:
        if name not in self._environments:
            self._environments[name] = self._open_other(name)
        return self._environments[name]

    def _connection(self, environment: Environment) -> HttpConnection:
        if environment.name not in self._connections:
            trust = Trust(str(environment.path(environment.ca)) if environment.ca else "")
            logins = partial(login_of, environment)
            self._connections[environment.name] = HttpConnection(environment, logins, self._redactor, trust, Names())
        return self._connections[environment.name]


def _is_role_request(request: ApiRequest, environment: Environment) -> bool:
    """Whether it is one that the environment's inventory has for granting a role or taking it away."""
    roles = environment.cargo_admin.roles if environment.cargo_admin else None
    if roles is None or request.service is not Service.CARGO_ADMIN:
        return False
    return any(
        request.method == template.method
        and re.fullmatch(_filled(template.path), request.path)
        and re.fullmatch(_filled(template.body), request.body)
        for template in (roles.grant, roles.revoke)
    )


def _filled(template: str) -> str:
    """A pattern of what a template can become."""
    pattern = re.escape(template)
    for name in ("tenant", "user", "role"):
        pattern = pattern.replace(re.escape(f"{{{name}}}"), _NAME)
    return pattern


def _allowed(request: ApiRequest) -> bool:
    try:
        body = json.loads(request.body) if request.body else {}
    except ValueError:
        return False
    return any(
        request.method == method and re.fullmatch(path, request.path) and isinstance(body, dict) and set(body) <= fields
        for method, path, fields in _ALLOWED[request.service]
    )
