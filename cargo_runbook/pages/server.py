"""The server of the pages, and who may ask it: on loopback, with the token of this start, reading only.

Everything is a page made on the server; the policy that goes with each allows no script at all, so that nothing that an
output holds can run. The token comes once in the address and then lives in a cookie that no other site's page can send.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import signal
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from cargo_runbook.archive.index import Index
from cargo_runbook.errors import RunbookError, UsageError
from cargo_runbook.pages import rendering
from cargo_runbook.pages.content import archive_state, compared, incident, listed, record_page
from cargo_runbook.texts import Language, Text, language_from, tell

ADDRESS = "127.0.0.1"
PORTS = range(8910, 8930)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_COOKIE_DAYS = 1


class _Page(tornado.web.RequestHandler):
    """What all pages have in common: who may ask, in which language, and how an error looks."""

    def initialize(self, reports: Path, token: str, hosts: frozenset[str]) -> None:
        self.reports, self._token, self._hosts = reports, token, hosts

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        # Another site's name that resolves to loopback (DNS rebinding) is not this server.
        if self.request.host not in self._hosts:
            self._end(HTTPStatus.FORBIDDEN, Text("this server has another name", "主机名不正确"))
        given = self.get_query_argument("token", "")
        if given and self._is_token(given):
            self.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict", expires_days=_COOKIE_DAYS)
            self.redirect(self.request.path)
        elif not self._is_token(self.get_cookie(self._cookie) or ""):
            self._end(
                HTTPStatus.FORBIDDEN,
                Text(
                    "open the address that `cargo-runbook records serve` printed",
                    "请打开 cargo-runbook records serve 打印的地址",
                ),
            )

    @property
    def _cookie(self) -> str:
        # Cookies don't know ports: two servers at a time must not take each other's.
        return f"cargo-runbook-{self.request.host.rpartition(':')[2]}"

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    @property
    def lang(self) -> Language:
        """`?lang=`, else what the browser asks for, else the reader's own."""
        asked = self.get_query_argument("lang", "") or self.get_cookie("lang") or ""
        if asked in ("en", "zh"):
            self.set_cookie("lang", asked, samesite="Strict")
            return "zh" if asked == "zh" else "en"
        accepted = self.request.headers.get("Accept-Language", "")
        return "zh" if accepted.lower().startswith("zh") else "en" if accepted else language_from()

    async def show(self, make: Callable[..., str], *args: Any) -> None:
        """Makes a page beside the loop, since it reads files; a sentence where that can't be done."""
        try:
            text = await asyncio.get_running_loop().run_in_executor(None, make, self.reports, self.lang, *args)
        except UsageError as error:
            self._end(HTTPStatus.NOT_FOUND, error.in_full())
        except RunbookError as error:
            self._end(HTTPStatus.INTERNAL_SERVER_ERROR, error.in_full())
        else:
            self.finish(text)

    def write_error(self, status_code: int, **_: Any) -> None:
        # No traceback, whatever it was: it could hold what only the record may hold.
        self.finish(rendering.sentence(self.lang, HTTPStatus(status_code).phrase))

    def _end(self, status: HTTPStatus, why: Text) -> None:
        self.set_status(status)
        self.finish(rendering.sentence(self.lang, why.say(self.lang)))
        raise tornado.web.Finish

    def argument(self, name: str) -> str:
        """A parameter of the address, empty without one."""
        return self.get_query_argument(name, "")


class _List(_Page):
    async def get(self) -> None:
        asked = {name: self.argument(name) for name in rendering.FILTERS}
        await self.show(listed, asked, self.argument("page"))


class _Record(_Page):
    async def get(self, record: str) -> None:
        await self.show(record_page, record)


class _Compare(_Page):
    async def get(self) -> None:
        await self.show(compared, self.argument("a"), self.argument("b"))


class _Incident(_Page):
    async def get(self, name: str) -> None:
        await self.show(incident, name)


class _Verify(_Page):
    async def get(self) -> None:
        await self.show(archive_state, self.argument("head"))


class _Missing(_Page):
    async def get(self) -> None:
        self._end(HTTPStatus.NOT_FOUND, Text("there is no such page", "没有这个页面"))


def application(reports: Path, token: str, port: int) -> tornado.web.Application:
    """The pages of an archive for whoever has the token."""
    about = {"reports": reports, "token": token, "hosts": frozenset({f"{ADDRESS}:{port}", f"localhost:{port}"})}
    routes: list[tuple[str, type[_Page]]] = [
        (r"/", _List),
        (r"/records/([^/]+)", _Record),
        (r"/compare", _Compare),
        (r"/incidents/([^/]+)", _Incident),
        (r"/verify", _Verify),
        (r".*", _Missing),
    ]
    return tornado.web.Application(
        [(pattern, handler, about) for pattern, handler in routes], log_function=lambda _: None
    )


def serve(reports: Path, port: int | None, ready: Callable[[str], None]) -> None:
    """Serves the archive until Ctrl-C or SIGTERM.

    Args:
        port: default the first free one of PORTS.
        ready: told of the address, token included, when it listens.

    Raises:
        UsageError: the port is in use.
    """
    # The index catches up before the first page is asked for, and a folder that can't be read is told here.
    with Index(reports):
        pass
    asyncio.run(_serve(reports, port, ready))


async def _serve(reports: Path, wanted: int | None, ready: Callable[[str], None]) -> None:
    chosen, sockets = _bound(wanted)
    token = secrets.token_urlsafe(24)
    server = HTTPServer(application(reports, token, chosen), xheaders=False, max_body_size=64 * 1024)
    server.add_sockets(sockets)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    ready(f"http://{ADDRESS}:{chosen}/?token={token}")
    await stopped.wait()
    server.stop()
    await server.close_all_connections()


def _bound(wanted: int | None) -> tuple[int, list[Any]]:
    for port in [wanted] if wanted else PORTS:
        with contextlib.suppress(OSError):
            return port, bind_sockets(port, ADDRESS)
    last = PORTS.stop - 1
    shown = Text(str(wanted), str(wanted)) if wanted else Text(f"{PORTS.start} to {last}", f"{PORTS.start} 至 {last}")
    raise UsageError(
        tell(f"port {shown.en} of {ADDRESS} is in use", f"{ADDRESS} 的端口 {shown.zh} 已被占用"),
        next_step=tell("Choose another one with --port.", "请用 --port 指定其他端口。"),
    )
