"""A run starts without what is never used, and whoever wants it later still gets it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.beside import packages_with


def _loaded(program: str, *names: str) -> list[str]:
    tail = f"\nimport json, sys\nprint(json.dumps([name for name in {names!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program + tail], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_papermill_is_imported_without_the_grammar_of_iris() -> None:
    program = "from cargo_runbook.light_start import import_jsonschema\nimport_jsonschema()\nimport papermill"
    names = ("papermill", "jsonschema", "rfc3987_syntax", "rfc3986_validator", "isoduration", "arrow")
    assert _loaded(program, *names) == ["papermill", "jsonschema"]


@pytest.mark.slow
def test_a_runner_imports_papermill_without_pyarrow_and_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(packages_with("pyarrow")))
    program = "from cargo_runbook.light_start import import_papermill\nimport_papermill()"
    assert _loaded(program, "papermill.execute", "pyarrow", "numpy", "rfc3987_syntax") == ["papermill.execute"]
    assert _loaded(program + "\nimport pyarrow", "pyarrow") == ["pyarrow"]


def test_a_runner_imports_what_reads_from_the_web_when_it_does() -> None:
    program = "from cargo_runbook.light_start import import_papermill\nimport_papermill()"
    assert _loaded(program, "papermill.iorw", "requests", "urllib3") == ["papermill.iorw"]
    read = f"""
from threading import Thread
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a notebook")
    def log_message(self, *_): ...
server = HTTPServer(("127.0.0.1", 0), Answer)
Thread(target=server.serve_forever, daemon=True).start()
{program}
from papermill.iorw import papermill_io
assert papermill_io.get_handler("http://").read(f"http://127.0.0.1:{{server.server_port}}/") == "a notebook"
"""
    assert _loaded(read, "requests") == ["requests"]
    assert _loaded(program + "\nimport requests.adapters", "requests.adapters") == ["requests.adapters"]


def test_it_can_be_imported_afterwards() -> None:
    program = "from cargo_runbook.light_start import import_jsonschema\nimport_jsonschema()\nimport rfc3987_syntax"
    assert _loaded(program, "rfc3987_syntax") == ["rfc3987_syntax"]


def test_the_kernel_of_a_run_has_no_use_for_nbformat() -> None:
    program = "from cargo_runbook import open_environment"
    assert _loaded(program, "nbformat", "jsonschema", "papermill") == []


def test_a_process_that_goes_on_for_long_leaves_no_garbage_lying() -> None:
    program = """
import weakref
from cargo_runbook.light_start import begins, goes_on_for_long
class Node: ...
def dropped():
    node = Node()
    node.itself = node
    return weakref.ref(node)
def left(reference):
    made = [[] for _ in range(2000)]
    return reference() is not None
begins()
first = left(dropped())
goes_on_for_long()
print(first, left(dropped()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"
