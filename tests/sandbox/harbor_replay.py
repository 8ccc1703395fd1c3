"""A stand-in of Harbor on loopback, with a real registry, and what a recorded exchange has in common with its answer."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cargo_sandbox.material import pki
from cargo_sandbox.material.seed import Storage
from cargo_sandbox.services import web
from cargo_sandbox.services.harbor_database import Database, Tables
from cargo_sandbox.services.harbor_ui import HarborUi, Site
from cargo_sandbox.services.jobservice import Jobservice, Settings
from cargo_sandbox.services.registry_token import Signer
from tests.waiting import free_port, until

RECORDINGS = Path(__file__).parents[1] / "data" / "harbor-1.4"
PASSWORD = "PLACEHOLDER"  # stands for every password in the recordings
SECRET = "inside"
WRONG = re.compile(r"wrong password|bad password|bad credential|to a wrong one")
MATTERS = ("location", "x-total-count", "link", "set-cookie")
REGISTRY = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/storage}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
notifications:
  endpoints: [{{name: harbor, url: "http://127.0.0.1:{front}/service/notifications", timeout: 3s, threshold: 5, backoff: 1s}}]
auth:
  token: {{issuer: harbor-token-issuer, realm: "{realm}", service: harbor-registry,
          rootcertbundle: {folder}/root.crt}}
"""


def recorded(name: str) -> list[dict[str, Any]]:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


@dataclass
class Harbor:
    """One installation: harbor-ui behind a front that sends /v2/ to the registry, jobservice, and the registry."""

    folder: Path
    tables: Tables
    images: tuple[str, ...] = ()
    retry_seconds: float = 300
    realm: str = ""
    override: Callable[[web.Request], web.Response | None] = lambda request: None
    front: int = field(default_factory=free_port)
    registry_port: int = field(default_factory=free_port)
    jobs_port: int = field(default_factory=free_port)
    running: dict[str, Callable[[], None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        signer = pki.token_signer("harbor-token-issuer")
        (self.folder / "key.pem").write_bytes(signer.key_pem)
        (self.folder / "root.crt").write_bytes(signer.certificate_pem)
        self.file = self.folder / "database" / "harbor.json"
        self.file.parent.mkdir()
        self.file.write_text(json.dumps(self.tables))
        self.database = Database(self.file)
        storage = Storage(self.folder / "storage")
        for image in self.images:
            storage.image(image, {"README": image})
        self.tokens = f"http://127.0.0.1:{self.front}/service/token"
        self.registry_url = f"http://127.0.0.1:{self.registry_port}"
        place = {"database": str(self.file), "registry": self.registry_url, "tokens": self.tokens}
        self.settings = Settings(
            **place, logs=str(self.folder / "logs"), retry_seconds=self.retry_seconds, authorities=str(self.folder)
        )
        site = Site(
            "cargo-a.example", **place, jobservice=f"http://127.0.0.1:{self.jobs_port}", authorities=str(self.folder)
        )
        self.ui = HarborUi(site, Signer(self.folder / "key.pem"), SECRET)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front}"

    def start(self) -> None:
        self.start_registry()
        self._serve("ui", self.front, self._front)

    def start_registry(self) -> None:
        realm = self.realm or self.tokens
        values = {"folder": self.folder, "port": self.registry_port, "front": self.front, "realm": realm}
        (self.folder / "config.yml").write_text(REGISTRY.format(**values))
        program = shutil.which("docker-registry") or "docker-registry"
        with (self.folder / "registry.log").open("wb") as log:
            process = subprocess.Popen([program, "serve", self.folder / "config.yml"], stdout=log, stderr=log)
        self.running["registry"] = lambda: (process.kill(), process.wait())
        until(lambda: answers(self.registry_port), told=lambda: (self.folder / "registry.log").read_text())

    def start_jobservice(self, *, work: bool = True) -> Jobservice:
        service = Jobservice(self.settings, SECRET)
        self._serve("jobservice", self.jobs_port, service.answer)
        if work:
            service.start()
        return service

    def stop(self, part: str) -> None:
        self.running.pop(part)()

    def stop_all(self) -> None:
        for part in list(self.running):
            self.stop(part)

    def _serve(self, part: str, port: int, answer: web.Answer) -> None:
        server = web.server("127.0.0.1", port, answer)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.running[part] = lambda: close(server)

    def _front(self, request: web.Request) -> web.Response:
        instead = self.override(request)
        if instead is not None:
            return instead
        if not request.path.startswith("/v2/"):
            return self.ui.answer(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.registry_port)
        path = request.path + (f"?{urlencode(request.query, doseq=True)}" if request.query else "")
        try:
            connection.request(request.method, path, request.body or None, dict(request.headers.items()))
            response = connection.getresponse()
            kept = {k: v for k, v in response.getheaders() if k.lower() not in {"content-length", "content-type"}}
            return web.Response(response.status, response.read(), response.getheader("Content-Type", ""), kept)
        except ConnectionError:
            return web.Response(502, b"<html>502 Bad Gateway</html>", "text/html")


def close(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def started(*harbors: Harbor) -> Iterator[None]:
    try:
        for harbor in harbors:
            harbor.start()
        yield
    finally:
        for harbor in harbors:
            harbor.stop_all()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Replay:
    """Sends recorded requests; `names` are recorded addresses and what stands for them here."""

    harbor: Harbor
    names: dict[str, str] = field(default_factory=dict)
    cookie: str = ""

    def ask(self, entry: dict[str, Any]) -> Answer:
        request = entry["request"]
        headers, body = self._who(entry), request.get("body")
        kind = request.get("headers", {}).get("content-type", "application/json" if body is not None else "")
        wrong = is_wrong(entry)
        text = ""
        if body is not None:
            text = body if isinstance(body, str) else urlencode(body) if "form" in kind else json.dumps(body)
            headers["Content-Type"] = kind
            if wrong:
                text = text.replace(PASSWORD, "wrong")
        query = (request.get("query") or "").replace(PASSWORD, "wrong" if wrong else PASSWORD)
        path = request["path"] + (f"?{query}" if query else "")
        connection = http.client.HTTPConnection("127.0.0.1", self.harbor.front, timeout=30)
        connection.request(request["method"], path, self.here(text).encode() or None, headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        if request["path"] == "/login" and response.status == 200:
            self.cookie = found["set-cookie"].partition(";")[0]
        return Answer(response.status, found, response.read().decode(errors="replace"))

    def _who(self, entry: dict[str, Any]) -> dict[str, str]:
        who, path = entry["request"].get("as", "anonymous"), entry["request"]["path"]
        if "(session)" in who:
            return {"Cookie": self.cookie}
        if who.startswith("anonymous") or path == "/login" or "password" in (entry["request"].get("query") or ""):
            return {}
        wrong = is_wrong(entry) and entry["request"]["body"] is None
        pair = f"{who.split()[0]}:{'wrong' if wrong else PASSWORD}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def here(self, text: str) -> str:
        """The text with the addresses of this replay."""
        for there, here in self.names.items():
            text = text.replace(there, here)
        return text


def is_wrong(entry: dict[str, Any]) -> bool:
    """Whether the password of the request was a wrong one (a destination's password is not the request's)."""
    note = entry["note"] or ""
    return not note.startswith("destination") and WRONG.search(note) is not None


def shape(value: Any) -> Any:
    """The field names of a JSON value; whether a list is empty, and what is null."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else "text" if isinstance(value, str) else "number"


def difference(entry: dict[str, Any], answer: Answer, replay: Replay) -> str:
    """What differs between a recorded answer and this one; empty when nothing that counts does."""
    wanted = entry["response"]
    if answer.status != wanted["status"]:
        return f"status {answer.status}, recorded {wanted['status']}"
    headers = wanted["headers"]
    for name in MATTERS:
        if (name in headers) != (name in answer.headers):
            return f"header {name}: {answer.headers.get(name)}, recorded {headers.get(name)}"
    for name in ("x-total-count", "link", "location"):
        if headers.get(name) != answer.headers.get(name):
            return f"header {name}: {answer.headers.get(name)}, recorded {headers.get(name)}"
    kind = headers.get("content-type", "")
    if kind != answer.headers.get("content-type", ""):
        return f"content type {answer.headers.get('content-type')}, recorded {kind}"
    if entry["request"]["method"] == "HEAD":
        return ""
    if "jwt_claims" in wanted:
        return _token_difference(wanted["jwt_claims"], answer.text)
    if "json" in kind:
        return _json_difference(wanted["body"], answer.text)
    if "html" in kind:
        return "" if answer.text else "no page"
    if entry["request"]["path"].endswith("/log") and wanted["status"] == 200:
        seen, lines = lines_of(answer.text, replay), lines_of(wanted["body"], replay)
        return "" if seen == lines else f"log {seen}, recorded {lines}"
    expected = replay.here(str(wanted["body"] or ""))
    return "" if answer.text == expected else f"text {answer.text!r}, recorded {expected!r}"


def _json_difference(wanted: Any, text: str) -> str:
    if isinstance(wanted, str):
        if "...TRUNCATED" in wanted:
            names = set(re.findall(r'"(\w+)":', wanted))
            found = set(re.findall(r'"(\w+)":', text))
            return "" if names == found else f"fields {names ^ found}"
        wanted = json.loads(wanted)
    one, other = shape(json.loads(text)), shape(wanted)
    return "" if one == other else f"shape {one}, recorded {other}"


def _token_difference(wanted: dict[str, Any], text: str) -> str:
    part = json.loads(text)["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    def granted(of: dict[str, Any]) -> Any:
        return of["sub"], [(a["type"], a["name"], sorted(a["actions"])) for a in of["access"] or []]

    same = granted(claims) == granted(wanted) and set(claims) == set(wanted)
    return "" if same else f"token {granted(claims)}, recorded {granted(wanted)}"


def lines_of(log: str, replay: Replay) -> list[str]:
    """The lines of a job's log without what differs each time: times, digests, tags, addresses."""
    kept = []
    for line in replay.here(log).splitlines():
        line = re.sub(r"^\S+Z ", "", line)
        line = re.sub(r"sha256:[0-9a-f]{64}( sha256:[0-9a-f]{64})*", "D", line)
        line = re.sub(r"((?:devops_test|onlysource)/\w+):\w+", r"\1:T", line)
        line = re.sub(r"tags: \[[^]]*\]", "tags: T", line)
        kept.append(re.sub(r"source URL: \S+,|from http://127.0.0.1:\d+|source registry \S+,", "from S", line))
    return kept
