"""`cargo-runbook notebook` and the end of the JupyterLab that it started; the rest is seen in a browser."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from cargo_runbook.cli import notebook as command
from cargo_runbook.cli.main import run


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
        monkeypatch.setattr(command, "_wait_until_it_listens", lambda *_: None)
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
