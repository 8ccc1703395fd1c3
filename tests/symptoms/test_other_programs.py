"""What other programs print is none of ours: error texts of Python's own library, wherever they stand."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cargo_runbook.symptoms import explain

# Those that speak of connections, certificates, passwords, archives and files, as image clients do.
MODULES = (
    "asyncio", "concurrent", "email", "ftplib", "getpass", "gzip", "http", "imaplib", "importlib", "json", "multiprocessing",
    "netrc", "poplib", "shutil", "smtplib", "socket", "socketserver", "ssl", "subprocess", "tarfile", "urllib", "xmlrpc",
    "zipfile",
)  # fmt: skip


def _files(module: str) -> list[Path]:
    found = importlib.util.find_spec(module)
    assert found
    assert found.origin
    origin = Path(found.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]


def _raised(path: Path) -> Iterator[str]:
    """The texts of the errors that a module raises, values left out as `x`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in node.exc.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
                elif isinstance(argument, ast.JoinedStr):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in argument.values)


TEXTS = sorted({text for module in MODULES for file in _files(module) for text in _raised(file)})

PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "in a build": lambda text: (
        f'#11 [6/8] RUN make\n#11 88.12 {text}\n#11 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2\n'
        'ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2'
    ),
    "in a container": lambda text: f"$ docker run --rm r.example/a/b:1\n{text}",
    "in the log of a service": lambda text: f"web_1  | {text}",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_errors_of_other_programs_name_no_cause(place: Callable[[str], str]) -> None:
    assert len(TEXTS) > 500
    assert [text for text in TEXTS if explain(place(text)).cause != "unknown"] == []


# Words that container tools use too: a login, a registry, a manifest, a socket, a repository that is no image's.
SAID_BY_OTHERS = (
    't=2024-01-01T00:00:00Z level=info msg="Request Completed" method=POST path=/api/login status=401 duration=3ms',
    '127.0.0.1 - - [12/Mar/2024:10:00:00 +0000] "POST /login HTTP/1.1" 401 512 "-" "Mozilla/5.0"',
    "[WARN] [Auth] Unauthenticated request to '/en', redirecting to login.",
    "mosquitto  | Connection denied: user app - invalid password",
    "auth.kubernetes: login unauthorized due to: service account unauthorized",
    "reg add failed: cannot open registry key HKLM\\Software\\Foo: Access is denied.",
    "error: cannot find flake 'flake:home-manager' in the flake registries",
    "dubbo: Failed to register dubbo://10.0.0.1:20880 to registry zookeeper://10.0.0.2:2181: connection refused",
    "dial unix /var/run/tailscale/tailscaled.sock: connect: no such file or directory",
    "dial unix /run/user/1000/bus: connect: connection refused",
    "Vite manifest not found at: /app/public/build/manifest.json",
    'Error: looks like "https://charts.x.example" is not a valid chart repository or cannot be reached: '
    'Get "https://charts.x.example/index.yaml": tls: first record does not look like a TLS handshake',
    "#7 12.3   - Curl error (28): Timeout was reached for https://m.example/repodata/repomd.xml [Connection timed out]\n"
    "#7 12.3 Error: Failed to download metadata for repo 'baseos': Cannot download repomd.xml",
    "Unable to attach or mount volumes: unattached volumes=[registry-token]: timed out waiting for the condition",
    "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: api.games.example/10.0.0.5:443",
)


@pytest.mark.parametrize("text", SAID_BY_OTHERS, ids=lambda text: text[:40])
def test_words_that_others_use_too_name_no_cause(text: str) -> None:
    assert explain(text).cause == "unknown"
