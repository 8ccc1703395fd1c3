"""HTTP requests: redirects shown and never followed, credentials for the environment's own domain only.

Proxies of the operator's environment are not used: the question is what the given address answers, and a proxy has
a resolver of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpcore
import httpx

from cargo_runbook.connections.base import HTTP_CAP, Capture, Failure, Look
from cargo_runbook.connections.network.sockets import Resolve, look_up
from cargo_runbook.connections.network.tls import Trust
from cargo_runbook.connections.network.tokens import TokenVault
from cargo_runbook.connections.network.wire import Wire
from cargo_runbook.errors import NotLoggedIn, SecretUnavailable
from cargo_runbook.inventory.credentials import Login
from cargo_runbook.inventory.models import Account, Environment
from cargo_runbook.observations import HttpRequest, Observation, Status
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Text

# Questions are written down, so these may not stand in one; `account` and `bearer` are the way.
_NEVER_GIVEN = frozenset({"authorization", "proxy-authorization", "cookie"})


class HttpConnection:
    """Sends requests and keeps the tokens that come back.

    Args:
        environment: whose domain credentials may go to.
        credentials: login of an account; may raise SecretUnavailable.
        redactor: learns every credential before it is used.
        trust: CAs.
        names: how a URL's host becomes an address.
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Callable[[Account], Login],
        redactor: Redactor,
        trust: Trust,
        names: Resolve = look_up,
    ) -> None:
        self._names = names
        self._environment = environment
        self._credentials = credentials
        self._redactor = redactor
        self._trust = trust
        self._vault = TokenVault(redactor)

    def ask(self, look: Look, question: HttpRequest) -> Observation:
        """Sends the request; the body is cut at HTTP_CAP, the deadline covers all of it."""
        data: dict[str, Any] = {}
        body = Capture()
        try:
            request = self._request(question, data)
            wire = Wire(self._trust.context(), question.connect_to, look.deadline, self._names)
            try:
                self._exchange(wire, request, body, data)
            finally:
                if wire.peer:
                    data["peer"] = wire.peer
                wire.close()
        except Failure as failure:
            return look.failed(failure, output=body.content(), data=data, truncated=body.overflow, cap=HTTP_CAP)
        token = None if body.overflow else self._vault.keep(body.content())
        if token:
            data["token"] = token
        return look.observe(Status.ANSWERED, output=body.content(), data=data, truncated=body.overflow, cap=HTTP_CAP)

    def _exchange(self, wire: Wire, request: httpx.Request, body: Capture, data: dict[str, Any]) -> None:
        try:
            response = wire.handle_request(request)
            try:
                data["status"] = response.status_code
                data["headers"] = _headers(response.headers)
                for part in response.iter_raw():
                    body.add(part)
                    if body.overflow:
                        return
            finally:
                response.close()
        except httpcore.RemoteProtocolError as error:
            reason = "reset" if "disconnected" in str(error) or "closed" in str(error) else "not_http"
            raise Failure(
                Status.UNREACHABLE, reason, Text(f"no complete HTTP answer: {error}", f"没有完整的 HTTP 应答：{error}")
            ) from error
        except httpcore.LocalProtocolError as error:
            raise Failure(
                Status.ERROR, "bad_request", Text(f"the request can't be sent: {error}", f"无法发送请求：{error}")
            ) from error

    def _request(self, question: HttpRequest, data: dict[str, Any]) -> httpx.Request:
        given = {name.lower() for name, _ in question.headers}
        if given & _NEVER_GIVEN:
            sentence = Text(
                "credentials are named by account or bearer, never given as a header",
                "凭据只能通过账号或 token 引用指定，不能写在请求头里",
            )
            raise Failure(Status.ERROR, "secret_in_question", sentence)
        try:
            content = question.body.encode() or None
            request = httpx.Request(question.method, question.url, headers=list(question.headers), content=content)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise Failure(
                Status.ERROR,
                "bad_url",
                Text(f"{question.url!r} is no URL: {error}", f"{question.url!r} 不是 URL：{error}"),
            ) from error
        if request.url.userinfo:
            raise Failure(
                Status.ERROR, "bad_url", Text("a URL with a user name in it is not asked for", "不请求带用户名的 URL")
            )
        if (
            request.url.scheme not in ("http", "https")
            or not request.url.host
            or not 0 < (request.url.port or 1) < 65536
        ):
            raise Failure(
                Status.ERROR,
                "bad_url",
                Text(f"{question.url!r} is no http or https URL", f"{question.url!r} 不是 http 或 https 的 URL"),
            )
        request.headers.setdefault("User-Agent", "cargo-runbook")
        request.headers.setdefault("Accept", "*/*")
        # A compressed body could be small on the wire and huge in memory.
        request.headers["Accept-Encoding"] = "identity"
        request.headers["Connection"] = "close"
        if question.body:
            request.headers.setdefault("Content-Type", "application/json")
        if question.account or question.bearer:
            self._authorize(request, question, data)
        return request

    def _authorize(self, request: httpx.Request, question: HttpRequest, data: dict[str, Any]) -> None:
        self._check_destination(request)
        if question.account and question.bearer:
            raise Failure(
                Status.ERROR,
                "bad_request",
                Text("a request carries an account or a token, not both", "一个请求只能带账号或 token，不能两者都带"),
            )
        if question.bearer:
            token = self._vault.get(question.bearer)
            if token is None:
                raise Failure(
                    Status.ERROR,
                    "unknown_token",
                    Text(f"no answer held the token {question.bearer}", f"没有任何应答包含 token {question.bearer}"),
                )
            request.headers["Authorization"] = f"Bearer {token.reveal()}"
            return
        account = self._environment.account_named(question.account)
        if account is None:
            sentence = Text(
                f"the environment {self._environment.name} has no account {question.account}",
                f"环境 {self._environment.name} 没有账号 {question.account}",
            )
            raise Failure(Status.ERROR, "unknown_account", sentence)
        try:
            login = self._credentials(account)
        except SecretUnavailable as error:
            reason = "not_logged_in" if isinstance(error, NotLoggedIn) else "secret_unavailable"
            raise Failure(Status.ERROR, reason, error.in_full()) from error
        self._redactor.register(login.password, "password", username=login.username)
        data["user"] = login.username
        flow = httpx.BasicAuth(login.username, login.password.reveal()).auth_flow(request)
        next(flow)

    def _check_destination(self, request: httpx.Request) -> None:
        """A realm is an address that somebody else chose: no credentials go anywhere but to the domain in use."""
        host, domain = request.url.host.lower().rstrip("."), self._environment.domain.lower().rstrip(".")
        if host != domain:
            sentence = Text(
                f"credentials are for {domain} only and were not sent to {host}",
                f"凭据只用于 {domain}，没有发送给 {host}",
            )
            raise Failure(Status.WITHHELD, "foreign_host", sentence)
        if request.url.scheme != "https":
            sentence = Text(
                f"credentials go over https only and were not sent to {request.url.scheme}://{host}",
                f"凭据只通过 https 发送，没有发送给 {request.url.scheme}://{host}",
            )
            raise Failure(Status.WITHHELD, "not_https", sentence)


def _headers(headers: httpx.Headers) -> dict[str, list[str]]:
    """Lower-case names with all values, in the order in which they came; values of cookies are left out."""
    kept: dict[str, list[str]] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "set-cookie":
            value = f"{value.partition('=')[0]}=‹cookie›"
        kept.setdefault(name, []).append(value)
    return kept
