"""Replication to destinations that are broken in the recorded ways: ping, start, state and every line of the log."""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cargo_sandbox.material import pki
from cargo_sandbox.services import harbor_api, web
from cargo_sandbox.services.harbor_database import Tables, insert, insert_project, insert_repository
from cargo_sandbox.services.harbor_ui import HarborUi, Site
from cargo_sandbox.services.registry_token import Signer
from tests.sandbox import harbor_states as states
from tests.sandbox.harbor_replay import (
    PASSWORD,
    Harbor,
    Replay,
    close,
    difference,
    lines_of,
    recorded,
    started,
)
from tests.waiting import free_port, until

pytestmark = pytest.mark.services("docker-registry")

LEFT_OUT = {
    "x509-unknown-ca": "TLS: the texts are held by the test of the HTTP client",
    "noroute": "no address on loopback is without a route",
    "token-alternating": "chance: its single attempts are the cases token-own and token-of-another-cluster",
}
BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
UNAVAILABLE = BAD_GATEWAY.replace("502 Bad Gateway", "503 Service Temporarily Unavailable")


@dataclass
class Case:
    """Who replicates, and what is done to the destination (or to the way there) before."""

    user: str = "admin"
    password: str = PASSWORD
    repository: str = "devops_test/node"
    prepare: Callable[["Scene"], None] = lambda scene: None
    tables: Callable[[Tables], None] = lambda tables: None


@dataclass
class Scene:
    destination: Harbor
    folder: Path
    endpoint: str
    names: dict[str, str] = field(default_factory=dict)
    ends: list[Callable[[], None]] = field(default_factory=list)


def answer_for(start: str, response: web.Response) -> Callable[[Scene], None]:
    def prepare(scene: Scene) -> None:
        scene.destination.override = lambda request: response if request.path.startswith(start) else None

    return prepare


def hang_up(scene: Scene) -> None:
    def closed(request: web.Request) -> web.Response | None:
        if request.path.startswith("/v2/"):
            raise ConnectionAbortedError("as the front does")
        return None

    scene.destination.override = closed


def no_harbor(scene: Scene) -> None:
    missing = web.Response.text(404, "404 page not found\n")
    scene.destination.override = lambda request: missing if request.path.startswith("/api") else web.Response(200)


def redirecting(scene: Scene) -> None:
    def moved(request: web.Request) -> web.Response:
        return web.Response(301, b"<html>", "text/html", {"Location": scene.destination.url + request.path})

    server = web.server("127.0.0.1", 0, moved)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    scene.ends.append(lambda: close(server))
    scene.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    scene.names |= {"http://cargo-b.example:80": scene.endpoint, "http://cargo-b.example": scene.endpoint}


def realm(text: str, here: str) -> Callable[[Scene], None]:
    """The registry names another realm; `{port}` is one where nothing listens."""

    def prepare(scene: Scene) -> None:
        port = free_port()
        scene.destination.realm = here.format(port=port) + "/service/token"
        scene.names |= {text: here.format(port=port), "127.0.15.9:443": f"127.0.0.1:{port}"}

    return prepare


def another_cluster(scene: Scene) -> None:
    """Tokens come from a Harbor with the same key and the same admin, which knows no other user of the destination."""
    tables = states.fresh(PASSWORD, {"library": True, "devops_test": False})
    file = scene.folder / "another.json"
    file.write_text(json.dumps(tables))
    other = HarborUi(Site("other.example", database=str(file)), Signer(scene.destination.folder / "key.pem"), "other")
    scene.destination.override = lambda request: other.answer(request) if request.path == "/service/token" else None


def pusher(tables: Tables) -> None:
    number = insert(tables, "users", "user_id", {"username": "pusher", "password": PASSWORD, "has_admin_role": 0})
    tables["projects"][1]["members"].append({"user_id": number, "role": 2})


def public(tables: Tables) -> None:
    tables["projects"][1]["public"] = True


def admin_only(tables: Tables) -> None:
    tables["settings"]["project_creation_restriction"] = "adminonly"


def unreachable(name: str) -> Callable[[Scene], None]:
    def prepare(scene: Scene) -> None:
        scene.endpoint = f"https://{name}"

    return prepare


def other_key(scene: Scene) -> None:
    (scene.destination.folder / "key.pem").write_bytes(pki.token_signer("another").key_pem)


CASES = {
    "good": Case(),
    "wrong-password": Case(password="wrong"),
    "unknown-user": Case(user="nobody1"),
    "guest": Case(user="carol"),
    "developer": Case(user="bob"),
    "no-role-private": Case(user="dave"),
    "no-role-public": Case(user="dave", tables=public),
    "project-missing-adminonly": Case(user="dave", repository="onlysource/node", tables=admin_only),
    "project-missing-everyone": Case(user="dave", repository="onlysource/node"),
    "token-not-trusted": Case(prepare=other_key),
    "realm-unresolvable": Case(prepare=realm("https://nowhere.example", "http://nowhere.example")),
    "realm-refused": Case(prepare=realm("https://refused.example", "http://127.0.0.1:{port}")),
    "realm-of-another-cluster": Case(prepare=another_cluster),
    "registry-down": Case(prepare=lambda scene: scene.destination.stop("registry")),
    "ui-down": Case(prepare=answer_for("/api/", web.Response(502, BAD_GATEWAY.encode(), "text/html"))),
    "token-service-503": Case(prepare=answer_for("/service/", web.Response(503, UNAVAILABLE.encode(), "text/html"))),
    "connection-closed": Case(prepare=hang_up),
    "redirect": Case(prepare=redirecting),
    "plain-registry": Case(prepare=no_harbor),
    "no-scheme": Case(prepare=redirecting),
    "dns-servfail": Case(prepare=unreachable("servfail.bad.test")),
    "dns-silent": Case(prepare=unreachable("silent.bad.test")),
    "token-own": Case(user="pusher", tables=pusher),
    "token-of-another-cluster": Case(user="pusher", tables=pusher, prepare=another_cluster),
    "token-of-another-cluster-admin": Case(prepare=another_cluster),
}


@pytest.fixture(autouse=True)
def nothing_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def on_loopback(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".bad.test"):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if str(host).endswith(".example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", on_loopback)
    monkeypatch.setattr(harbor_api, "FAILED_LOGIN_SECONDS", 0)


def entries(case: str) -> list[dict[str, Any]]:
    """Ping, start, list of jobs and log of a case."""
    own = [entry for entry in recorded("replication-cases") if entry.get("case") == case]
    paths = ("/api/targets/ping", "/api/replications", "/api/jobs/replication", "/log")
    return [next(entry for entry in own if entry["request"]["path"].endswith(path)) for path in paths]


def asked(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The entry with the ids of here."""
    return {**entry, "note": "", "request": {**entry["request"], **changes}}


def test_every_recorded_case_is_played_or_listed():
    recorded_cases = {entry["case"] for entry in recorded("replication-cases") if entry.get("case")}
    assert recorded_cases == {*CASES, *LEFT_OUT}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_destination_shows_as_recorded(tmp_path: Path, name: str):
    case = CASES[name]
    there = states.with_members(PASSWORD)
    case.tables(there)
    destination = Harbor(tmp_path / "destination", there)
    scene = Scene(destination, tmp_path, destination.url)
    if name.startswith("realm-"):
        case.prepare(scene)
    here = states.with_members(PASSWORD)
    project = insert_project(here, "onlysource", 1, public=False)
    here["repositories"].clear()
    insert_repository(here, case.repository)
    source = Harbor(tmp_path / "source", here, images=(f"{case.repository}:1",))
    with started(source, destination):
        if not name.startswith("realm-"):
            case.prepare(scene)
        with source.database.change() as tables:
            values = {"name": "t", "endpoint": scene.endpoint, "username": case.user, "password": case.password}
            insert(tables, "targets", "id", {**values, "insecure": True})
            states.policy(tables, "p", 1)
            if case.repository.startswith("onlysource"):
                tables["policies"][0]["project_id"] = project
        source.start_jobservice()
        names = {**scene.names, "https://cargo-b.example": destination.url, "https://plain.example": destination.url}
        replay = Replay(source, names)
        ping, start, listed, log = entries(name)
        assert difference(ping, replay.ask(asked(ping, body={"id": 1})), replay) == ""
        assert difference(start, replay.ask(asked(start, body={"policy_id": 1})), replay) == ""
        wanted = json.loads(listed["response"]["body"])[0]["status"]
        status = ""

        def ended() -> bool:
            nonlocal status
            found = replay.ask(asked(listed, query="policy_id=1"))
            status = next((job["status"] for job in json.loads(found.text)), "pending")
            return status not in {"pending", "running"}

        until(ended)
        assert status == wanted
        lines = lines_of(replay.ask(asked(log, path="/api/jobs/replication/1/log")).text, replay)
        assert lines == lines_of(log["response"]["body"], replay)
    for end in scene.ends:
        end()
