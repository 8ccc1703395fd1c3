"""`cargo-runbook notebook` and the end of the JupyterLab that it started; the rest is seen in a browser."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cargo_runbook.cli import notebook as command
from cargo_runbook.cli.main import run
from cargo_runbook.errors import RunFailed


@dataclass
class Server:
    """A JupyterLab that ends with that code, by itself or after Ctrl-C."""

    returncode: int
    ctrl_c: bool = False

    def wait(self) -> int:
        if self.ctrl_c:
            raise KeyboardInterrupt
        return self.returncode


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Server], int]:
    """The exit code of the command with such a JupyterLab."""

    def ran(server: Server) -> int:
        @contextmanager
        def started(*_: object) -> Iterator[Server]:
            with suppress(KeyboardInterrupt):
                yield server

        monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
        monkeypatch.setattr(command, "_server", started)
        monkeypatch.setattr(command, "_wait_until_it_answers", lambda *_: None)
        return run(["notebook", "--no-browser", "--replay", "healthy", "--reports", str(tmp_path)])

    return ran


def test_a_jupyterlab_that_ends_by_itself_is_told(
    ended: Callable[[Server], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(Server(3)) == 3
    assert "JupyterLab ended by itself with exit code 3" in capsys.readouterr().err


def test_one_that_has_to_be_killed_after_ctrl_c_did_not_end_by_itself(
    ended: Callable[[Server], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(Server(-signal.SIGKILL, ctrl_c=True)) == 0
    assert "by itself" not in capsys.readouterr().err


class Lab(BaseHTTPRequestHandler):
    """Answers as JupyterLab does to those who have its token, and to others."""

    def do_GET(self) -> None:
        ours = (self.path, self.headers["Authorization"]) == ("/api/status", "token ours")
        self.send_response(200 if ours else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Ending:
    """A process that has ended when it is looked at for the second time."""

    returncode = 1

    def __init__(self) -> None:
        self._looks = iter((None, 1))

    def poll(self) -> int | None:
        return next(self._looks)


def test_another_jupyterlab_on_the_port_is_not_taken_for_the_one_that_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARGO_RUNBOOK_LANG", "en")
    other = ThreadingHTTPServer(("127.0.0.1", 0), Lab)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    server: Any = Ending()
    try:
        with pytest.raises(RunFailed, match="JupyterLab did not start, exit code 1"):
            command._wait_until_it_answers(server, other.server_port, "another")
        server = Ending()
        command._wait_until_it_answers(server, other.server_port, "ours")
    finally:
        other.shutdown()
        other.server_close()
