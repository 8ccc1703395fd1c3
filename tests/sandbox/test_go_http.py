"""What goes wrong between two registries is told in the words of Go's HTTP client."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cargo_sandbox.material import pki
from cargo_sandbox.services import web
from cargo_sandbox.services.go_http import BadStatus, Client, NetworkError
from cargo_sandbox.services.registry_client import Registry, basic
from tests.sandbox.harbor_replay import close
from tests.waiting import free_port

CA = pki.certificate_authority("Practice CA")


@contextlib.contextmanager
def server(answer: web.Answer, *, name: str = "", folder: Path | None = None) -> Iterator[int]:
    listening = web.server("127.0.0.1", 0, answer)
    if folder:
        leaf = pki.server_certificate(CA, name)
        (folder / "leaf.pem").write_bytes(leaf.key_pem + leaf.certificate_pem)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "leaf.pem")
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield listening.server_address[1]
    finally:
        close(listening)


def text_of(url: str, client: Client | None = None) -> str:
    with pytest.raises(NetworkError) as caught:
        (client or Client()).request("POST", url)
    return str(caught.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [(socket.EAI_NONAME, "no such host"), (socket.EAI_AGAIN, "Temporary failure in name resolution")],
)
def test_a_name_that_does_not_resolve(monkeypatch, error, words):
    def fail(*args, **more):
        raise socket.gaierror(error, "?")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    url = "https://devops.example/api/projects/"
    assert text_of(url) == f'Post "{url}": dial tcp: lookup devops.example: {words}'


def test_a_refused_connection():
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/projects/"
    assert text_of(url) == f'Post "{url}": dial tcp 127.0.0.1:{port}: connect: connection refused'


@pytest.mark.parametrize(("reset", "words"), [(False, "EOF"), (True, "read: connection reset by peer")])
def test_a_connection_that_is_closed_without_an_answer(reset, words):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def end() -> None:
            accepted = listening.accept()[0]
            accepted.recv(65536)
            if reset:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()

        threading.Thread(target=end, daemon=True).start()
        said = text_of(f"http://127.0.0.1:{port}/")
        assert said.endswith(words)
        assert (f"->127.0.0.1:{port}: " in said) is reset


def test_certificates_of_an_unknown_authority_and_for_another_name(tmp_path: Path):
    with server(lambda request: web.Response(200), name="cargo-b.example", folder=tmp_path) as port:
        url = f"https://localhost:{port}/"
        unknown = Client(authorities=tmp_path / "none")
        assert text_of(url, unknown) == f'Post "{url}": x509: certificate signed by unknown authority'
        (tmp_path / "ca.crt").write_bytes(CA.certificate_pem)
        known = Client(authorities=tmp_path)
        assert text_of(url, known) == f'Post "{url}": x509: certificate is valid for cargo-b.example, not localhost'
        assert Client(insecure=True, authorities=tmp_path / "none").request("GET", url).status == 200


def test_a_front_without_tls():
    with server(lambda request: web.Response(200)) as port:
        url = f"https://127.0.0.1:{port}/"
        assert text_of(url) == f'Post "{url}": http: server gave HTTP response to HTTPS client'


def test_a_redirect_makes_a_get_of_a_post_and_leaves_the_credentials_behind():
    seen = []

    def destination(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Authorization"), len(request.body)))
        return web.Response(200)

    with server(destination) as second:
        moved = web.Response(301, headers={"Location": f"http://127.0.0.1:{second}/api/projects/"})
        with server(lambda request: moved) as first:
            url = f"http://127.0.0.1:{first}/api/projects/"
            assert Client().request("POST", url, headers=basic("admin", "x"), body=b"{}").status == 200
    assert seen == [("GET", None, 0)]


def challenge(realm: str) -> web.Answer:
    header = {"WWW-Authenticate": f'Bearer realm="{realm}",service="harbor-registry"'}
    return lambda request: web.Response(401, headers=header)


def test_a_token_service_that_is_not_there_stands_inside_the_error_of_the_registry():
    realm = f"http://127.0.0.1:{free_port()}/service/token"
    with server(challenge(realm)) as port:
        registry = Registry(f"http://127.0.0.1:{port}", Client())
        with pytest.raises(NetworkError) as caught:
            registry.has_blob("devops_test/node", "sha256:1")
    assert str(caught.value).startswith(
        f'Head "http://127.0.0.1:{port}/v2/devops_test/node/blobs/sha256:1": Get "{realm}?'
        'scope=repository%3Adevops_test%2Fnode%3Apull&service=harbor-registry": dial tcp 127.0.0.1:'
    )


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (web.Response.text(200, "hello"), NetworkError, "invalid character 'h' looking for beginning of value"),
        (web.Response.text(503, "<html>no</html>"), BadStatus, "503 <html>no</html>"),
    ],
)
def test_a_token_service_that_answers_something_else(answer, error, words):
    with server(lambda request: answer) as tokens, server(challenge(f"http://127.0.0.1:{tokens}/t")) as port:
        registry = Registry(f"http://127.0.0.1:{port}", Client())
        with pytest.raises(error) as caught:
            registry.has_blob("devops_test/node", "sha256:1")
        assert str(caught.value).endswith(words)
