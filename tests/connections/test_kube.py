"""kubectl against a small API server on loopback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cargo_runbook.connections.base import Look
from cargo_runbook.connections.kube import ask_kubectl
from cargo_runbook.observations import KubeCommand, Observation, Place, Status, Vantage
from cargo_runbook.secret import Redactor
from tests.connections.servers import NO_SUCH_NAME
from tests.connections.web import Authority, Web
from tests.waiting import free_port

pytestmark = pytest.mark.services("kubectl")

CONFIG_MAP = {
    "kind": "ConfigMap",
    "apiVersion": "v1",
    "metadata": {"name": "kube-dns", "namespace": "kube-system"},
    "data": {"myhosts": "192.0.2.106 cargo.caicloudprivatetest.com\n"},
}
DOCUMENTS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "configmaps",
                "singularName": "configmap",
                "namespaced": True,
                "kind": "ConfigMap",
                "verbs": ["get"],
            }
        ],
    },
    "/api/v1/namespaces/kube-system/configmaps/kube-dns": CONFIG_MAP,
}


def _answer(request: BaseHTTPRequestHandler) -> None:
    allowed = request.headers.get("Authorization") == "Bearer good-token"
    document = DOCUMENTS.get(request.path.partition("?")[0]) if allowed else None
    status = 200 if document else 404 if allowed else 401
    failure = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "no"}
    failure["reason"] = "Unauthorized" if status == 401 else "NotFound"
    body = json.dumps(document or failure).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    authority = Authority(tmp_path)
    other = Authority(tmp_path, "Other CA")
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Web(_answer, authority.certificate("127.0.0.1")).running() as web:
        clusters = {
            "good": (f"https://127.0.0.1:{web.port}", authority.pem),
            "down": (f"https://127.0.0.1:{free_port()}", authority.pem),
            "foreign-ca": (f"https://127.0.0.1:{web.port}", other.pem),
            "nameless": (f"https://{NO_SUCH_NAME}", authority.pem),
        }
        contexts = {**{name: (name, "good") for name in clusters}, "stranger": ("good", "bad")}
        path.write_text(
            json.dumps(
                {
                    "kind": "Config",
                    "apiVersion": "v1",
                    "current-context": "production-of-somebody",
                    "clusters": [
                        {"name": name, "cluster": {"server": server, "certificate-authority": str(ca)}}
                        for name, (server, ca) in clusters.items()
                    ],
                    "users": [{"name": name, "user": {"token": f"{name}-token"}} for name in ("good", "bad")],
                    "contexts": [
                        {"name": name, "context": {"cluster": cluster, "user": user}}
                        for name, (cluster, user) in contexts.items()
                    ],
                }
            )
        )
        yield path


def ask(context: str, *args: str) -> Observation:
    question = KubeCommand(vantage=Vantage(Place.CLUSTER, context), args=args, deadline=8.0)
    return ask_kubectl(Look(question, Redactor()), question)


GET = ("get", "configmap", "kube-dns", "-n", "kube-system", "-o", "json")


def test_an_object_is_read_by_context_and_the_current_context_stays(kubeconfig: Path) -> None:
    before = kubeconfig.read_bytes()
    seen = ask("good", *GET)
    assert (seen.status, seen.exit_code) == (Status.ANSWERED, 0), seen.error
    assert json.loads(seen.output)["data"] == CONFIG_MAP["data"]
    assert seen.data["argv"][:2] == ["kubectl", "--context=good"]
    assert kubeconfig.read_bytes() == before
    current = subprocess.run(["kubectl", "config", "current-context"], capture_output=True, text=True, check=True)
    assert current.stdout == "production-of-somebody\n"


def test_an_object_that_is_not_there_is_an_answer(kubeconfig: Path) -> None:
    seen = ask("good", "get", "configmap", "other", "-n", "kube-system")
    assert (seen.status, seen.exit_code) == (Status.ANSWERED, 1)
    assert "reason" not in seen.data


def test_a_context_that_is_not_there_is_an_error(kubeconfig: Path) -> None:
    for name in ("nope", ""):
        seen = ask(name, *GET)
        assert (seen.status, seen.data["reason"]) == (Status.ERROR, "no_context")


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("down", "refused"),
        ("foreign-ca", "tls"),
        ("nameless", "name_not_resolved"),
        ("stranger", "authentication"),
    ],
)
def test_a_cluster_out_of_reach_has_a_reason(kubeconfig: Path, context: str, reason: str) -> None:
    seen = ask(context, *GET)
    assert (seen.status, seen.data.get("reason")) == (Status.UNREACHABLE, reason), seen.error


def test_a_missing_kubectl_is_named(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(kubeconfig.parent))
    seen = ask("good", *GET)
    assert (seen.status, seen.data["reason"]) == (Status.ERROR, "not_found")
    assert seen.error == "the program kubectl is not there"
